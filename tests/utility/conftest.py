import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.datasets import load_boys
from synth_tasks.utility.pair import TablePair


@pytest.fixture(scope="session")
def boys() -> pd.DataFrame:
    return load_boys()


@pytest.fixture
def pair_up():
    """Encode two tables given as columns of the real and of the synthetic one."""

    def encode(real: dict, synthetic: dict, set_number: int = 1) -> TablePair:
        real_frame, synthetic_frame = pd.DataFrame(real), pd.DataFrame(synthetic)
        schema = infer_schema(pd.concat([real_frame, synthetic_frame], ignore_index=True))
        return TablePair.encode(real_frame, synthetic_frame, schema, set_number)

    return encode

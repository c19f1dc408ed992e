"""The population of the paper."""

import pandas as pd
import pytest

from synth_tasks.datasets import load_boys_completed


@pytest.fixture(scope="session")
def completed() -> pd.DataFrame:
    return load_boys_completed()

"""Settings that must stand before Prefect is imported, and what several folders of tests share."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Prefect reads its home when it is imported; tests must not touch the user's.
_HOME = tempfile.TemporaryDirectory(prefix="prefect-synth-tests-")
os.environ["PREFECT_HOME"] = _HOME.name
os.environ["PREFECT_RESULTS_LOCAL_STORAGE_PATH"] = str(Path(_HOME.name) / "results")
os.environ["SYNTH_WORKSPACE"] = str(Path(_HOME.name) / "no-test-may-use-this-workspace")
for _name in ("SYNTH_SEED", "SYNTH_KEY", "PREFECT_API_URL"):
    os.environ.pop(_name, None)

import pandas as pd  # noqa: E402

import flows  # noqa: E402, F401  (sets the Prefect settings of the project)
from synth_tasks.data import infer_schema  # noqa: E402
from synth_tasks.datasets import load_boys  # noqa: E402
from synth_tasks.utility.pair import TablePair  # noqa: E402


@pytest.fixture
def workspace_root(tmp_path, monkeypatch) -> Path:
    """A private folder for workspaces, of this test alone."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("SYNTH_WORKSPACE", str(root))
    return root


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

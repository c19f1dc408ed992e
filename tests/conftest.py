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

import flows  # noqa: E402, F401  (sets the Prefect settings of the project)


@pytest.fixture
def workspace_root(tmp_path, monkeypatch) -> Path:
    """A private folder for workspaces, of this test alone."""
    root = tmp_path / "workspace"
    monkeypatch.setenv("SYNTH_WORKSPACE", str(root))
    return root

"""What a computation is built on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from synth_tasks import __version__

LIBRARIES = (
    "numpy",
    "numba",
    "pandas",
    "scipy",
    "scikit-learn",
    "pyarrow",
    "statsmodels",
    "formulaic",
    "great-expectations",
    "prefect",
)


def package_versions() -> dict[str, str]:
    """Return the versions of what takes part in the computation."""
    found = {"python": python_version(), "prefect-synth": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found

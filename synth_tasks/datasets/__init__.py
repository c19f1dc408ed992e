"""Data sets shipped with the package, for examples and tests."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

import pandas as pd

STAGES = ["G1", "G2", "G3", "G4", "G5"]
PUBIC_HAIR = ["P1", "P2", "P3", "P4", "P5", "P6"]
REGIONS = ["north", "east", "west", "south", "city"]


def load_boys() -> pd.DataFrame:
    """Load the growth data of 748 Dutch boys.

    Returns
    -------
    DataFrame of shape (748, 9)
        `age` (years), `hgt` (cm), `wgt` (kg), `bmi` (kg/m²), `hc` (cm), ordered `gen` and `phb`
        (Tanner stages), `tv` (ml, Int64) and nominal `reg`; 1622 of 6732 cells are missing.

    References
    ----------
    Fredriks et al. (2000). Continuing positive secular growth change in the Netherlands 1955-1997.
    Pediatric Research 47, 316-323. Taken from the R package mice (GPL-2 or later).
    """
    frame = _read("boys.csv", {"tv": "Int64"})
    return _with_categories(frame)


def load_boys_completed() -> pd.DataFrame:
    """Load the growth data of 748 Dutch boys without holes: the population of simulation studies.

    Returns
    -------
    DataFrame of shape (748, 9)
        The columns of `load_boys`; `tv` is int64.

    References
    ----------
    Volker & Vink (2021). Anonymiced shareable data: using mice to create and analyze multiply imputed
    synthetic datasets. Psych 3(4), 703-716: completed by R's mice 3.15 as they did (m = 1, maxit = 10,
    seed 123, body mass index passive), so that the statistics of their Tables 2 to 5 come out.
    """
    return _with_categories(_read("boys_completed.csv", {}))


def _read(name: str, dtypes: dict[str, str]) -> pd.DataFrame:
    with resources.files(__name__).joinpath(name).open("rb") as file:
        return pd.read_csv(file, dtype=dtypes, na_values=["NA"], keep_default_na=False)


def _with_categories(frame: pd.DataFrame) -> pd.DataFrame:
    frame["gen"] = pd.Categorical(frame["gen"], categories=STAGES, ordered=True)
    frame["phb"] = pd.Categorical(frame["phb"], categories=PUBIC_HAIR, ordered=True)
    frame["reg"] = pd.Categorical(frame["reg"], categories=REGIONS)
    return frame


BUILTIN: dict[str, Callable[[], pd.DataFrame]] = {
    "boys": load_boys,
    "boys_completed": load_boys_completed,
}

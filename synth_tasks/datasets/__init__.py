"""Data sets shipped with the package, for examples and tests."""

from __future__ import annotations

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
    with resources.files(__name__).joinpath("boys.csv").open("rb") as file:
        frame = pd.read_csv(file, dtype={"tv": "Int64"}, na_values=["NA"], keep_default_na=False)
    frame["gen"] = pd.Categorical(frame["gen"], categories=STAGES, ordered=True)
    frame["phb"] = pd.Categorical(frame["phb"], categories=PUBIC_HAIR, ordered=True)
    frame["reg"] = pd.Categorical(frame["reg"], categories=REGIONS)
    return frame

"""The data sets that come with the package."""

from __future__ import annotations

import pandas as pd
import pytest

from synth_tasks.datasets import PUBIC_HAIR, REGIONS, STAGES, load_boys, load_boys_completed

BOYS = load_boys()
COMPLETED = load_boys_completed()


def test_boys_have_the_size_of_the_paper() -> None:
    assert BOYS.shape == (748, 9)
    assert list(BOYS) == ["age", "hgt", "wgt", "bmi", "hc", "gen", "phb", "tv", "reg"]


def test_boys_have_the_missing_cells_of_the_paper() -> None:
    assert BOYS.isna().sum().to_dict() == {
        "age": 0, "hgt": 20, "wgt": 4, "bmi": 21, "hc": 46, "gen": 503, "phb": 503, "tv": 522, "reg": 3,
    }  # fmt: skip
    assert int(BOYS.isna().to_numpy().sum()) == 1622


@pytest.mark.parametrize(
    ("name", "levels", "ordered"),
    [("gen", STAGES, True), ("phb", PUBIC_HAIR, True), ("reg", REGIONS, False)],
)
def test_categories_keep_their_order(name: str, levels: list[str], ordered: bool) -> None:
    assert list(BOYS[name].cat.categories) == levels
    assert BOYS[name].cat.ordered is ordered
    assert set(BOYS[name].dropna()) == set(levels)


def test_whole_numbers_with_holes_stay_whole() -> None:
    assert BOYS["tv"].dtype == pd.Int64Dtype()


def test_bmi_is_cut_to_two_decimals() -> None:
    exact = BOYS["wgt"] / (BOYS["hgt"] / 100) ** 2
    gap = (exact - BOYS["bmi"]).dropna()
    assert len(gap) == 727
    # Cut, up to the decimals of height and weight themselves.
    assert gap.between(-0.006, 0.011).all()


def test_each_call_gives_a_table_of_its_own() -> None:
    mine = load_boys()
    mine.loc[0, "age"] = 99.0
    assert load_boys().loc[0, "age"] == 0.035


@pytest.mark.parametrize(
    ("name", "mean", "sd", "median"),
    [
        ("age", 9.16, 6.89, 10.50),
        ("hgt", 131.10, 46.52, 145.75),
        ("wgt", 37.12, 26.03, 34.55),
        ("bmi", 18.04, 3.04, 17.45),
        ("hc", 51.62, 5.86, 53.10),
        ("tv", 8.43, 8.12, 3.00),
    ],
)
def test_the_completed_boys_are_those_of_the_paper(
    name: str, mean: float, sd: float, median: float
) -> None:
    """Volker & Vink (2021), Table 2, column original."""
    column = COMPLETED[name]
    assert round(column.mean(), 2) == pytest.approx(mean, abs=0.0051)
    assert round(column.std(), 2) == pytest.approx(sd, abs=0.0051)
    assert column.median() == pytest.approx(median, abs=0.0051)


def test_completing_kept_what_was_observed() -> None:
    assert not COMPLETED.isna().any(axis=None)
    for name in BOYS.columns.drop("bmi"):
        observed = BOYS[name].notna()
        assert (
            BOYS.loc[observed, name].to_numpy() == COMPLETED.loc[observed, name].to_numpy()
        ).all()

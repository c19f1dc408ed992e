"""Which whole numbers are taken for identifiers."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.data.digests import digest_column
from synth_tasks.errors import DataError
from synth_tasks.release import survey
from synth_tasks.release.identifiers import count_whole_numbers, looks_like_identifier
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source
from synth_tasks.release.survey import survey_source

RNG = np.random.default_rng(5)
N = 3000
NUMBERS = RNG.choice(np.arange(100_000_000, 999_999_999, 7), N, replace=False)
TWICE = np.tile(NUMBERS[: N // 2], 2)

IDENTIFIERS = {
    "one for every row": NUMBERS,
    "stored with a decimal point": NUMBERS.astype(float),
    "with holes": pd.Series(NUMBERS, dtype="Int64").mask(RNG.random(N) < 0.1),
    "two rows a person": TWICE,
    "two rows a person, with a decimal point": TWICE.astype(float),
    "one to four rows a person": RNG.choice(NUMBERS[: N // 2], N),
    "running numbers of persons": np.repeat(np.arange(1, N // 3 + 1), 3),
}
MEASUREMENTS = {
    "ages": RNG.integers(0, 100, N),
    "ages in days": RNG.integers(0, 30_000, N),
    "incomes": np.rint(np.exp(RNG.normal(10, 0.8, N))),
    "incomes that many round": np.round(np.exp(RNG.normal(10, 0.8, N)), -2),
    "years": RNG.integers(1920, 2020, N),
    "steps a day": RNG.negative_binomial(3, 3e-4, N),
    "with a fraction": RNG.normal(500_000, 100_000, N),
    "changes": np.rint(RNG.normal(0, 5e4, N)),
    "codes of places": RNG.choice(np.arange(10_000, 99_999), 40)[RNG.integers(0, 40, N)],
}


def judge(values, name="x") -> bool:
    frame = pd.DataFrame({name: values})
    observed = frame[name].dropna().to_numpy(dtype=float)
    return looks_like_identifier(infer_schema(frame)[name], count_whole_numbers(observed))


@pytest.mark.parametrize("values", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_numbers_of_persons_are_identifiers(values):
    assert judge(values)


@pytest.mark.parametrize("values", MEASUREMENTS.values(), ids=MEASUREMENTS)
def test_measurements_are_none(values):
    assert not judge(values)


@pytest.mark.parametrize("name", ["patient_id", "ID", "SSN", "case nr", "household.no", "pid"])
def test_a_name_tells_that_many_rows_share_a_person(name):
    visits = RNG.choice(RNG.choice(10**6, N // 20, replace=False), N)
    assert judge(visits, name)
    assert not judge(visits, "paid")


def test_few_codes_are_no_identifiers_whatever_their_name():
    assert not judge(RNG.integers(0, 20, N), "area_code")


def test_of_few_rows_only_the_name_tells():
    assert judge(np.arange(20), "id")
    assert not judge(np.arange(20), "age")
    assert not judge([*range(19), 3], "id")


def spec_of(folder, **sections):
    content = {"dataset": {"name": "x", "source": {"csv": "t.csv"}}, **sections}
    return build_spec(content, base=folder)


def write(folder, values) -> None:
    x = RNG.normal(size=N).round(2)
    region = RNG.choice(["north", "south"], N)
    pd.DataFrame({"x": x, "y": values, "region": region}).to_csv(folder / "t.csv", index=False)


@pytest.mark.parametrize("values", [NUMBERS.astype(float), TWICE], ids=["stored", "twice"])
def test_whole_and_in_pieces_they_are_refused_unless_declared(tmp_path, values):
    write(tmp_path, values)
    parts = {"partition": {}, "synthesis": {"strata": ["region"]}}
    for read, more in ((load_source, {}), (survey_source, parts)):
        with pytest.raises(DataError, match=r"'y' holds whole numbers.*variables\.y\.kind"):
            read(spec_of(tmp_path, **more))
        declared = spec_of(tmp_path, variables={"y": {"kind": "numeric"}}, **more)
        assert "y" in read(declared).schema.names


def test_too_many_different_numbers_to_count_are_enough(monkeypatch):
    monkeypatch.setattr("synth_tasks.data.digests.MOST_DISTINCT", 200)
    monkeypatch.setattr(survey, "MOST_DISTINCT", 200)
    column = pd.Series(TWICE, name="y")
    digest = digest_column(column[:200]).merge(digest_column(column[200:]))
    numbers = survey._count(digest, digest.distinct)
    assert numbers.more
    assert (numbers.low, numbers.high) == (TWICE.min(), TWICE.max())
    assert looks_like_identifier(infer_schema(column.to_frame())["y"], numbers)

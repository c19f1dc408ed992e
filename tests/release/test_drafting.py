"""From a data file to a specification that runs as it stands and tells nobody's values."""

import os
import stat

import numpy as np
import pandas as pd
import pytest
import yaml

from expectations.drafting import draft_files
from expectations.suites import load_suite, run_suite
from synth_tasks.data import Kind, decode
from synth_tasks.errors import DataError, StorageError
from synth_tasks.release.drafting import dataset_name, draft_release, write_draft
from synth_tasks.release.findings import describe_draft, remaining_problem
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import load_source
from tests.release.builders import BMI, MARKER, make_people

RARE = "Prince of Nowhere"


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """People with everything that a release refuses."""
    people = make_people()
    n = len(people)
    rng = np.random.default_rng(5)
    return people.assign(
        person_id=rng.permutation(np.arange(70_000, 70_000 + n)),
        remark=[f"remark {i:03d} of someone" for i in range(n)],
        title=["Mr"] * 50 + [RARE] + ["Ms"] * (n - 51),
        country="NL",
        fax=None,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory, people):
    folder = tmp_path_factory.mktemp("site")
    people.to_csv(folder / "My People.csv", index=False)
    draft = draft_release(folder / "My People.csv", folder)
    return folder, draft, write_draft(folder, draft_files(draft))


def test_the_draft_loads_and_passes_every_check_before_a_release(site):
    _, _, (path, *_) = site
    assert remaining_problem(path) == ""
    spec = read_spec(path)
    assert load_source(spec).schema.names == [
        "hgt", "wgt", "bmi", "stage", "region", "smoker", "children", "visit",
    ]  # fmt: skip
    assert spec.dataset.name == "my-people"


def test_what_cannot_stay_is_dropped_with_its_reason(site):
    _, draft, (path, *_) = site
    assert read_spec(path).dataset.drop == ["person_id", "remark", "title", "country", "fax"]
    reasons = {p.name: p.problem for p in draft.profiles if p.problem}
    assert "identifier" in reasons["person_id"]
    assert "free text" in reasons["remark"]
    assert reasons["title"].startswith("1 of 3 categories are seen in fewer than 3 rows")
    assert "constant" in reasons["country"]
    assert "no observed value" in reasons["fax"]


def test_order_relation_and_risks_are_proposed(site):
    _, draft, (path, *_) = site
    spec = read_spec(path)
    assert draft.schema["stage"].kind is Kind.ORDINAL
    assert spec.variables["stage"].categories == ["low", "mid", "high"]
    assert spec.synthesis.method_by_variable == {"bmi": BMI}
    assert spec.imputation.method == {"bmi": BMI}
    assert spec.imputation.predictor_matrix == {"wgt": {"bmi": 0}, "hgt": {"bmi": 0}}
    assert "region" in spec.disclosure.key_variables
    assert "bmi" not in spec.disclosure.key_variables
    assert spec.disclosure.targets == ["smoker"]


def test_no_value_of_a_person_is_written(site, people):
    """Only names of categories that three rows or more share; numbers and texts of nobody."""
    _, _, written = site
    text = "\n".join(path.read_text() for path in written)
    assert RARE not in text
    assert str(MARKER) not in text
    assert not any(remark in text for remark in people["remark"])
    assert not any(str(number) in text for number in people["person_id"])
    values = {f"{v}" for c in ("hgt", "wgt", "bmi") for v in people[c].dropna() if v != round(v)}
    assert not any(value in text for value in values)
    assert not any(day in text for day in people["visit"].dt.strftime("%Y-%m-%d"))


def test_the_suites_are_met_by_the_data_they_are_drafted_from(site):
    _, _, (path, *_) = site
    spec = read_spec(path)
    table = load_source(spec)
    suite = load_suite(spec, spec.policy.source)
    result = run_suite(suite, decode(table.matrix, table.schema), subject="the source")
    assert result.checks
    assert result.failures("critical") == []
    gate = load_suite(spec, spec.policy.suite)
    assert len(gate["expectations"]) >= 10


def test_nothing_is_ever_overwritten(site):
    folder, draft, written = site
    before = {path: path.read_text() for path in written}
    with pytest.raises(StorageError, match="is there already and is not overwritten"):
        write_draft(folder, draft_files(draft))
    assert {path: path.read_text() for path in written} == before


def test_one_file_that_is_there_keeps_all_others_from_being_written(tmp_path, site):
    _, draft, _ = site
    (tmp_path / "expectations" / "my-people").mkdir(parents=True)
    (tmp_path / "expectations" / "my-people" / "gate.json").write_text("mine")
    with pytest.raises(StorageError, match=r"gate\.json is there already"):
        write_draft(tmp_path, draft_files(draft))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["gate.json"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_only_the_owner_can_read_what_is_written(tmp_path, site, mask):
    """It names categories of the real data."""
    _, draft, _ = site
    (tmp_path / "mine").mkdir(mode=0o755)
    before = os.umask(mask)
    try:
        written = write_draft(tmp_path / "mine" / "new", draft_files(draft))
    finally:
        os.umask(before)
    assert {mode(path) for path in written} == {0o600}
    assert {mode(path) for path in (tmp_path / "mine").rglob("*") if path.is_dir()} == {0o700}
    assert mode(tmp_path / "mine") == 0o755  # which was there


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_summary_is_short_and_says_what_comes_next(site):
    _, draft, written = site
    lines = describe_draft(draft, written)
    assert 3 <= len(lines) <= 6
    assert lines[0] == (
        "found 90 rows; 3 numeric, 1 ordinal, 1 nominal, 1 boolean, 1 integer, 1 datetime columns; "
        "30 missing values"
    )
    assert "bmi = wgt / (hgt / 100)**2" in lines[1]
    assert lines[-1].endswith("--dry-run")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_boys_are_drafted_from_binary_files_too(tmp_path, boys, suffix):
    path = tmp_path / f"boys.{suffix}"
    boys.to_parquet(path) if suffix == "parquet" else boys.to_feather(path)
    draft = draft_release(path, tmp_path)
    assert draft.formulas == {"bmi": BMI}
    assert [v.kind for v in draft.schema][5:] == ["ordinal", "ordinal", "integer", "nominal"]
    spec, *_ = write_draft(tmp_path, draft_files(draft))
    assert remaining_problem(spec) == ""


def test_complete_data_get_no_imputation(tmp_path, people):
    whole = people.drop(columns=["fax"]).dropna()
    whole.to_csv(tmp_path / "whole.csv", index=False)
    draft = draft_release(tmp_path / "whole.csv", tmp_path)
    spec, *_ = write_draft(tmp_path, draft_files(draft))
    assert "imputation" not in yaml.safe_load(spec.read_text())
    assert remaining_problem(spec) == ""


def test_a_draft_elsewhere_names_the_data_by_their_whole_path(tmp_path, people):
    data, folder = tmp_path / "data", tmp_path / "specs"
    data.mkdir()
    people.to_csv(data / "people.csv", index=False)
    draft = draft_release(data / "people.csv", folder)
    spec, *_ = write_draft(folder, draft_files(draft))
    assert read_spec(spec).dataset.source.csv == str(data / "people.csv")
    assert remaining_problem(spec) == ""


def test_names_that_yaml_could_misread_are_quoted(tmp_path):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "yes": rng.normal(size=60).round(2),
            "a: b #c": rng.choice(["no", "null", "1.5x"], 60),
            "x\ny": rng.choice(["1 low", "2 high", "3 top"], 60),
        }
    )
    frame.to_parquet(tmp_path / "odd.parquet")
    draft = draft_release(tmp_path / "odd.parquet", tmp_path)
    spec, *_ = write_draft(tmp_path, draft_files(draft))
    assert remaining_problem(spec) == ""
    assert list(read_spec(spec).variables) == ["x\ny"]


def test_data_without_two_usable_columns_are_refused(tmp_path):
    pd.DataFrame({"id": range(200), "x": [1.5, 2.5] * 100}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="1 of 2 columns can be synthesised"):
        draft_release(tmp_path / "t.csv", tmp_path)


@pytest.mark.parametrize(
    ("file", "name"), [("My Data (2).csv", "my-data-2"), ("ÅÄÖ.csv", "data"), ("a_b.csv", "a_b")]
)
def test_the_name_of_the_file_becomes_that_of_the_data_set(tmp_path, file, name):
    assert dataset_name(tmp_path / file) == name


def test_labels_of_a_file_of_spss_become_categories_in_the_order_of_their_codes(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")
    rng = np.random.default_rng(1)
    codes = pd.DataFrame({"health": rng.integers(1, 4, 90), "age": rng.integers(18, 90, 90)})
    labels = {"health": {1: "very good", 2: "fair", 3: "bad"}}
    pyreadstat.write_sav(
        codes, tmp_path / "survey.sav", variable_value_labels=labels,
        variable_measure={"health": "ordinal"},
    )  # fmt: skip
    drafted = draft_release(tmp_path / "survey.sav", tmp_path)
    assert yaml.safe_load(drafted.text)["dataset"]["source"] == {"spss": "survey.sav"}
    assert drafted.schema["health"].categories == ("very good", "fair", "bad")

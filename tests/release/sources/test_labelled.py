"""SPSS, Stata and SAS files: labels, order, and values that are missing for a reason."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind
from synth_tasks.errors import DataError, SpecError
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.source import read_documented, read_source
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source

pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")

SURVEY = pd.DataFrame(
    {
        "sex": [1, 2, 1, 9, 2.0] * 20,
        "health": [3, 1, 2, 2, np.nan] * 20,
        "income": [1500.5, -8, 2000, np.nan, 999.25] * 20,
        "age": [17, 99, 30, 45, 60.0] * 20,
        "children": [0, 1, np.nan, 2, 3] * 20,
        "area": ["n", "s", "", "s", "n"] * 20,
        "born": pd.to_datetime(["1990-01-31", "2000-02-01", None, "1980-12-31", "1970-01-01"] * 20),
    }
)
LABELS = {
    "sex": {1: "male", 2: "female", 9: "refused"},
    "health": {1: "good", 2: "fair", 3: "bad"},
    "income": {-8: "refused"},
    "age": {99: "99 or older"},
}


@pytest.fixture
def spss(tmp_path) -> Path:
    pyreadstat.write_sav(
        SURVEY,
        str(tmp_path / "survey.sav"),
        column_labels={"sex": "Sex at birth", "age": "Age in years"},
        variable_value_labels=LABELS | {"area": {"n": "north", "s": "south"}},
        missing_ranges={"sex": [9], "income": [{"lo": -9, "hi": -8}]},
        variable_measure={"sex": "nominal", "health": "ordinal", "age": "scale"},
        variable_format={"children": "F8.0", "age": "F3.0"},
    )
    return tmp_path


def spec_of(folder, variables=None, **source):
    source = source or {"spss": "survey.sav"}
    content = {"dataset": {"name": "people", "source": source}, "variables": variables or {}}
    return build_spec(content, base=folder)


def test_value_labels_become_categories_in_the_order_of_their_codes(spss):
    frame = read_source(spec_of(spss))
    assert frame["health"].cat.categories.tolist() == ["good", "fair", "bad"]
    assert frame["health"].cat.ordered
    assert frame["health"].tolist()[:4] == ["bad", "good", "fair", "fair"]
    assert frame["area"].cat.categories.tolist() == ["north", "south"]
    assert not frame["sex"].cat.ordered


def test_codes_of_missing_values_are_missing(spss):
    frame = read_source(spec_of(spss))
    assert frame["sex"].cat.categories.tolist() == ["male", "female"]
    assert frame["sex"].isna().sum() == frame["area"].isna().sum() == 20
    assert frame["income"].isna().sum() == 40


def test_codes_of_missing_values_that_are_declared_are_data(spss):
    variables = {
        "sex": {"categories": ["male", "female", "refused"]},
        "income": {"spikes": [-8], "keep_missing": True},
    }
    frame, codebook = read_documented(spec_of(spss, variables))
    assert frame["sex"].tolist()[3] == "refused"
    assert frame["income"].tolist()[1] == -8
    assert codebook["sex"].missing == ((9.0, "refused"),)
    assert codebook["income"].missing == ((-8.0, "refused"),)


def test_numbers_stay_numbers(spss):
    schema = load_source(spec_of(spss)).schema
    kinds = {v.name: v.kind for v in schema}
    assert kinds["income"] is Kind.NUMERIC
    assert (kinds["age"], kinds["children"]) == (Kind.INTEGER, Kind.INTEGER)
    assert (schema["children"].dtype, schema["age"].dtype) == ("Int64", "int64")
    assert schema["income"].decimals == 2
    assert kinds["born"] is Kind.DATETIME


def test_a_declared_kind_counts_more_than_the_file(spss):
    variables = {
        "sex": {"kind": "integer"},
        "health": {"kind": "nominal"},
        "age": {"kind": "ordinal"},
    }
    frame = read_source(spec_of(spss, variables))
    assert frame["sex"].dropna().unique().tolist() == [1, 2]
    assert not frame["health"].cat.ordered
    assert frame["age"].cat.categories.tolist() == ["17", "30", "45", "60", "99 or older"]
    assert frame["age"].cat.ordered


def test_labels_and_codes_are_kept_for_the_release(spss):
    variables = {"income": {"label": "Income in euros"}}
    _, codebook = read_documented(spec_of(spss, variables))
    assert codebook["sex"].label == "Sex at birth"
    assert codebook["income"].label == "Income in euros"
    assert codebook["sex"].codes == (("male", 1.0), ("female", 2.0))
    assert codebook["area"].codes == (("north", "n"), ("south", "s"))
    assert Codebook.from_dict(codebook.to_dict()) == codebook
    assert list(codebook.columns) == ["sex", "health", "income", "age", "area"]


def test_the_same_label_for_two_codes_is_refused(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2, 1]})
    labels = {"a": {1: "x", 2: "x"}}
    pyreadstat.write_sav(frame, str(tmp_path / "survey.sav"), variable_value_labels=labels)
    with pytest.raises(DataError, match="column 'a' has the same label for several codes"):
        read_source(spec_of(tmp_path))


def test_a_code_without_a_label_keeps_all_its_digits(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 1111111, 1111112, 2.5] * 5})
    path, measure = str(tmp_path / "survey.sav"), {"a": "nominal"}
    pyreadstat.write_sav(
        frame, path, variable_value_labels={"a": {1: "one"}}, variable_measure=measure
    )
    categories = read_source(spec_of(tmp_path))["a"].cat.categories
    assert categories.tolist() == ["one", "2.5", "1111111", "1111112"]


# --- Stata ----------------------------------------------------------------------------------------


@pytest.fixture
def stata(tmp_path) -> Path:
    frame = pd.DataFrame(
        {
            "sex": pd.Series([1, 2, 1, "a", 2] * 20, dtype=object),
            "income": pd.Series([1500.5, 20.25, "b", 3.5, 7.5] * 20, dtype=object),
            "children": pd.array([0, 1, None, 2, 3] * 20, dtype="Int32"),
            "end": np.array([1, 2, 3, 4, 5] * 20, dtype="int32"),
        }
    )
    pyreadstat.write_dta(
        frame,
        str(tmp_path / "survey.dta"),
        column_labels={"sex": "Sex at birth"},
        variable_value_labels={
            "sex": {1: "male", 2: "female", "a": "refused"},
            "end": {1: "low", 5: "high"},
        },
        missing_user_values={"sex": ["a"], "income": ["b"]},
    )
    return tmp_path


def test_a_stata_file_comes_with_labels_and_whole_numbers(stata):
    frame, codebook = read_documented(spec_of(stata, stata="survey.dta"))
    assert frame["sex"].cat.categories.tolist() == ["male", "female"]
    assert frame["sex"].isna().sum() == 20
    assert frame["children"].dtype == "Int64"
    assert codebook["sex"].label == "Sex at birth"


def test_labels_of_the_ends_of_a_scale_make_no_categories(stata):
    frame = read_source(spec_of(stata, stata="survey.dta"))
    assert frame["end"].dtype == "int64"


def test_a_letter_of_stata_can_be_declared_a_category(stata):
    variables = {"sex": {"categories": ["male", "female", "refused"]}}
    frame, codebook = read_documented(spec_of(stata, variables, stata="survey.dta"))
    assert frame["sex"].tolist()[3] == "refused"
    assert codebook["sex"].codes[-1] == ("refused", "a")


# --- SAS ------------------------------------------------------------------------------------------


def test_a_sas_transport_file_is_read(tmp_path):
    pyreadstat.write_xport(
        SURVEY[["income", "area", "born"]],
        str(tmp_path / "survey.xpt"),
        column_labels={"income": "Income in euros"},
    )
    frame, codebook = read_documented(spec_of(tmp_path, sas="survey.xpt"))
    assert frame["income"].tolist()[:2] == [1500.5, -8]
    assert frame["area"].isna().sum() == 20
    assert frame["born"].dtype.kind == "M"
    assert codebook["income"].label == "Income in euros"


def test_a_sas_data_set_is_read(tmp_path):
    """The file is that of R's package haven: nothing but SAS writes the format."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    code = 'cat(system.file("examples/iris.sas7bdat", package = "haven"))'
    path = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True).stdout
    if not path:
        pytest.skip("R's package haven is not installed")
    frame = read_source(spec_of(Path(path).parent, sas="iris.sas7bdat"))
    assert frame.shape == (150, 5)
    assert frame["Sepal_Length"].mean() == pytest.approx(5.843333)
    assert sorted(frame["Species"].unique()) == ["setosa", "versic", "virgin"]


# --- files that cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(("key", "name"), [("spss", "SPSS"), ("stata", "Stata"), ("sas", "SAS")])
def test_a_damaged_file_is_named(tmp_path, key, name):
    (tmp_path / "survey").write_bytes(b"Q918273Z" * 100)
    with pytest.raises(DataError, match=f"survey cannot be read as {name}: check the file"):
        read_source(spec_of(tmp_path, **{key: "survey"}))


def test_the_extra_is_named_where_it_is_absent(spss, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SpecError, match=r"dataset.source.spss needs .*'prefect-synth\[formats\]'"):
        read_source(spec_of(spss))

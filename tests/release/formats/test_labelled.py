"""SPSS and Stata files, read back: labels, order, codes, and what is marked as missing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.errors import DataError, SpecError
from synth_tasks.files import file_sha256
from synth_tasks.release.codebook import Codebook, ColumnNotes
from synth_tasks.release.formats import check_formats, write_data
from synth_tasks.release.source import read_documented
from synth_tasks.release.spec import build_spec
from tests.r import run_r

pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")

SUFFIX = {"spss": "sav", "stata": "dta"}
OVERRIDES = {
    "sex": VariableOverride(categories=("male", "female", "refused")),
    "income": VariableOverride(spikes=(-8.0,), keep_missing=True),
    "area": VariableOverride(categories=("south", "north")),
}
CODEBOOK = Codebook(
    {
        "sex": ColumnNotes(
            "Sex at birth", (("male", 1.0), ("female", 2.0), ("refused", 9.0)), ((9.0, "refused"),)
        ),
        "income": ColumnNotes("Income in euros", (), ((-8.0, "not asked"),)),
        "health": ColumnNotes("", (("good", 10.0), ("fair", 20.0), ("bad", 30.0)), ()),
    }
)


def make_frame() -> pd.DataFrame:
    health = pd.CategoricalDtype(["good", "fair", "bad"], ordered=True)
    return pd.DataFrame(
        {
            "sex": ["male", "female", "refused", "male"] * 5,
            "health": pd.Series(["bad", "good", "fair", "fair"] * 5, dtype=health),
            "income": [1500.25, -8, np.nan, 20.5] * 5,
            "children": pd.array([0, 3, 1, 2] * 5, dtype="Int64"),
            "area": ["north", "south", "north", "north"] * 5,
            "wave": pd.Series([2, 1, 3, 3] * 5, dtype="category"),
            "smoker": pd.array([True, False, None, True] * 5, dtype="boolean"),
            "born": pd.to_datetime(["1990-01-31", "2024-02-29", "1969-12-31", "1900-01-01"] * 5),
            "visit": pd.to_datetime(["2024-01-31 12:30:15", "2024-02-29 00:00:00"] * 10),
        }
    )


def write(folder, kind: str, codebook: Codebook = CODEBOOK) -> str:
    frame = make_frame()
    schema = infer_schema(frame, OVERRIDES)
    (path,) = write_data(folder, "people", [frame], [kind], schema, codebook)
    assert path == f"data/people-1.{SUFFIX[kind]}"
    return str(folder / path)


def read(path: str, **options):
    reader = pyreadstat.read_sav if path.endswith("sav") else pyreadstat.read_dta
    return reader(path, user_missing=True, dates_as_pandas_datetime=True, **options)


@pytest.mark.parametrize("kind", ["spss", "stata"])
def test_the_package_reads_back_what_it_writes(tmp_path, kind):
    path = write(tmp_path, kind)
    variables = {
        "sex": {"categories": ["male", "female", "refused"]},
        "health": {"kind": "ordinal"},
        "income": {"spikes": [-8], "keep_missing": True},
        "wave": {"kind": "nominal"},
    }
    source = {"dataset": {"name": "people", "source": {kind: path}}, "variables": variables}
    frame, codebook = read_documented(build_spec(source, base=tmp_path))
    expected = make_frame()
    for name in ("sex", "health", "area", "income", "children"):
        assert frame[name].tolist() == pytest.approx(expected[name].tolist(), nan_ok=True), name
    assert frame["health"].cat.ordered
    assert frame["health"].cat.categories.tolist() == ["good", "fair", "bad"]
    assert frame["area"].cat.categories.tolist() == ["south", "north"]
    assert frame["wave"].astype(int).tolist() == expected["wave"].tolist()
    assert frame["smoker"].tolist()[:2] == ["true", "false"]
    assert frame["smoker"].isna().sum() == 5
    for name in ("born", "visit"):
        assert (frame[name] == expected[name]).all()
    for name in ("sex", "income"):
        assert codebook[name].label == CODEBOOK[name].label
    assert codebook["sex"].codes == CODEBOOK["sex"].codes
    assert codebook["health"].codes == CODEBOOK["health"].codes


def test_spss_knows_measures_and_missing_codes(tmp_path):
    _, meta = read(write(tmp_path, "spss"))
    assert meta.variable_measure == {
        "sex": "nominal", "health": "ordinal", "income": "scale", "children": "scale",
        "area": "nominal", "wave": "nominal", "smoker": "nominal", "born": "scale", "visit": "scale",
    }  # fmt: skip
    assert meta.missing_ranges == {
        "sex": [{"lo": 9, "hi": 9}],
        "income": [{"lo": -8, "hi": -8}],
    }
    assert meta.variable_value_labels["income"] == {-8: "not asked"}
    assert meta.variable_value_labels["health"] == {10: "good", 20: "fair", 30: "bad"}
    assert meta.variable_value_labels["area"] == {1: "south", 2: "north"}
    assert meta.variable_value_labels["smoker"] == {0: "false", 1: "true"}


def test_letters_of_stata_stay_letters_there_and_are_missing_numbers_in_spss(tmp_path):
    codes = (("male", 1.0), ("female", 2.0), ("refused", "a"))
    codebook = Codebook({"sex": ColumnNotes("", codes, ())})
    frame, meta = read(write(tmp_path, "stata", codebook))
    assert frame["sex"].tolist()[:4] == [1, 2, "a", 1]
    assert meta.variable_value_labels["sex"] == {1: "male", 2: "female", "a": "refused"}
    frame, meta = read(write(tmp_path, "spss", codebook))
    assert frame["sex"].tolist()[:4] == [1, 2, 3, 1]
    assert meta.variable_value_labels["sex"] == {1: "male", 2: "female", 3: "refused"}
    assert meta.missing_ranges == {"sex": [{"lo": 3, "hi": 3}]}


def test_codes_that_do_not_cover_the_categories_are_not_used(tmp_path):
    codebook = Codebook({"sex": ColumnNotes("", (("male", 5.0), ("female", 6.0)), ())})
    _, meta = read(write(tmp_path, "spss", codebook))
    assert meta.variable_value_labels["sex"] == {1: "male", 2: "female", 3: "refused"}


@pytest.mark.parametrize("kind", ["spss", "stata"])
def test_equal_sets_give_equal_bytes_at_any_time(tmp_path, kind):
    path = write(tmp_path, kind)
    first = file_sha256(tmp_path / "data" / f"people-1.{SUFFIX[kind]}")
    today = pd.Timestamp.now().strftime("%d %b %y" if kind == "spss" else "%d %b %Y")
    assert today.encode() not in (tmp_path / "data" / f"people-1.{SUFFIX[kind]}").read_bytes()
    write(tmp_path, kind)
    assert file_sha256(tmp_path / "data" / f"people-1.{SUFFIX[kind]}") == first
    _, meta = read(path)
    assert meta.creation_time.year == 1970


def test_more_missing_codes_than_spss_can_mark_are_a_range(tmp_path):
    codes = [-9.0, -8.0, -7.0, -6.0]
    notes = Codebook({"a": ColumnNotes("", (), tuple((code, f"reason {code}") for code in codes))})

    def write_codes(*others):
        frame = pd.DataFrame({"a": [*codes, *others], "b": np.arange(4.0 + len(others))})
        return write_data(tmp_path, "people", [frame], ["spss"], infer_schema(frame), notes)

    (path,) = write_codes(1.0, 2.0)
    assert read(str(tmp_path / path))[1].missing_ranges == {"a": [{"lo": -9, "hi": -6}]}
    with pytest.raises(DataError, match="column 'a' has 4 missing codes with other values between"):
        write_codes(-7.5)


@pytest.mark.parametrize("kind", ["spss", "stata"])
def test_r_reads_the_same_labels(tmp_path, kind):
    path = write(tmp_path, kind)
    reader = "read_sav" if kind == "spss" else "read_dta"
    code = f"""x <- haven::{reader}("{path}")
    cat(attr(x$sex, "label"), levels(haven::as_factor(x$health)), as.integer(x$health[1:3]), sep = "|")
    cat("\\n", format(x$born[1:2]), sep = "|")"""
    printed = run_r(code, tmp_path, "haven").split("\n")
    assert printed[0] == "Sex at birth|good|fair|bad|30|10|20"
    assert printed[1] == "|1990-01-31|2024-02-29"


# --- what cannot be written -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("spss", "body weight"), ("spss", "1st"), ("spss", "with"), ("spss", "a" * 65), ("spss", "a."),
        ("stata", "body.weight"), ("stata", "größe"), ("stata", "int"), ("stata", "a" * 33),
    ],
)  # fmt: skip
def test_a_name_that_is_not_allowed_is_refused(kind, name):
    schema = infer_schema(pd.DataFrame({name: [1.5, 2.5]}))
    with pytest.raises(DataError, match=r"has a name that (SPSS|Stata) does not allow: rename it"):
        check_formats(["csv", kind], schema)
    check_formats(["csv"], schema)


def test_names_that_spss_cannot_tell_apart_are_refused():
    schema = infer_schema(pd.DataFrame({"a": [1.5, 2.5], "A": [1.5, 2.5]}))
    with pytest.raises(DataError, match="column 'A' has a name that SPSS does not allow"):
        check_formats(["spss"], schema)
    check_formats(["stata"], schema)


def test_a_category_too_long_for_spss_is_refused():
    schema = infer_schema(pd.DataFrame({"a": ["x" * 121, "b"]}))
    with pytest.raises(DataError, match="column 'a' has a category of more than 120 bytes"):
        check_formats(["spss"], schema)


def test_the_extra_is_named_before_any_work(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SpecError, match=r"publish.formats: stata needs .*prefect-synth\[formats\]"):
        check_formats(["stata"], infer_schema(pd.DataFrame({"a": [1.5, 2.5]})))


# --- any labels and codes -------------------------------------------------------------------------

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40)
@given(
    labels=st.dictionaries(st.integers(-(10**6), 10**6), WORDS, min_size=3, max_size=6).filter(
        lambda labels: len(set(labels.values())) == len(labels)
    ),
    kind=st.sampled_from(["spss", "stata"]),
)
def test_any_labels_and_codes_come_back(tmp_path_factory, labels, kind):
    folder = tmp_path_factory.mktemp("labels")
    ordered = dict(sorted(labels.items()))
    dtype = pd.CategoricalDtype(list(ordered.values()), ordered=True)
    frame = pd.DataFrame({"a": pd.Series([*labels.values(), None] * 3, dtype=dtype)})
    codes = tuple((label, float(code)) for code, label in ordered.items())
    notes = Codebook({"a": ColumnNotes("ß", codes)})
    (path,) = write_data(folder, "people", [frame], [kind], infer_schema(frame), notes)
    content = {"dataset": {"name": "people", "source": {kind: path}}}
    spec = build_spec(content | {"variables": {"a": {"kind": "ordinal"}}}, base=folder)
    back, found = read_documented(spec)
    pd.testing.assert_series_equal(back["a"], frame["a"], check_categorical=True)
    assert found == notes

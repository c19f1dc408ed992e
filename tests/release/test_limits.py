import pandas as pd
import pytest

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.errors import DataError
from synth_tasks.release.limits import (
    check_categories,
    check_empty_categories,
    check_spreadsheet_formulas,
    check_width,
    safe_csv,
)
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source


def spec_of(folder, formats=("csv", "parquet"), **variables):
    return build_spec(
        {
            "dataset": {"name": "x", "source": {"csv": "x.csv"}},
            "variables": variables,
            "publish": {"formats": list(formats)},
        },
        folder,
    )


def schema_of(*labels, name="c"):
    return Schema((Variable(name, Kind.NOMINAL, "object", categories=labels),))


@pytest.mark.parametrize(
    "label",
    [
        "=1+1", "=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1",
        "\n=1", "\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20A", "--1", "-x", "= 1",
    ],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_runs_is_refused_without_being_quoted(tmp_path, label):
    with pytest.raises(DataError, match="column 'c' has 1 categories that a spreadsheet runs") as e:
        check_spreadsheet_formulas(spec_of(tmp_path), schema_of("a", label))
    assert label not in str(e.value)


@pytest.mark.parametrize(
    "label",
    [
        "a=b",
        "1-2",
        "+",
        "-",
        "=",
        "@",
        "-8",
        "+31.5",
        "-1e-3",
        "-1,5",
        "-5%",
        "-.5",
        "a@b",
        "",
        "'=1",
        7,
    ],
)
def test_other_texts_and_numbers_are_let_through(tmp_path, label):
    check_spreadsheet_formulas(spec_of(tmp_path), schema_of("x", label))


def test_a_declared_category_was_seen_by_a_person(tmp_path):
    declared = spec_of(tmp_path, c={"categories": ["-x", "a"]})
    check_spreadsheet_formulas(declared, schema_of("-x", "a"))
    with pytest.raises(DataError):
        check_spreadsheet_formulas(spec_of(tmp_path, c={"kind": "nominal"}), schema_of("-x", "a"))


def test_categories_in_parquet_are_in_no_cell_of_a_spreadsheet(tmp_path):
    check_spreadsheet_formulas(spec_of(tmp_path, ["parquet"]), schema_of("=1+1"))


@pytest.mark.parametrize(
    "formats", [["parquet"], ["csv"], ["parquet", "spss"], ["parquet", "long_csv"]]
)
@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x"])
def test_names_of_columns_are_in_the_tables_of_figures_of_every_release(tmp_path, formats, name):
    with pytest.raises(
        DataError, match="has a name that a spreadsheet runs as a formula: rename it"
    ):
        check_spreadsheet_formulas(spec_of(tmp_path, formats), schema_of("a", name=name))


def test_the_long_file_has_cells_too(tmp_path):
    with pytest.raises(DataError, match="column 'c' has 1 categories that a spreadsheet runs"):
        check_spreadsheet_formulas(spec_of(tmp_path, ["parquet", "long_csv"]), schema_of("=1+1"))


def test_the_name_of_a_column_counts_as_well(tmp_path):
    with pytest.raises(DataError, match="has a name that a spreadsheet runs as a formula: rename"):
        check_spreadsheet_formulas(spec_of(tmp_path), schema_of("a", name="=1+1"))
    declared = spec_of(tmp_path, **{"=1+1": {"kind": "nominal"}})
    check_spreadsheet_formulas(declared, schema_of("a", name="=1+1"))


def test_a_table_of_figures_holds_no_cell_that_a_spreadsheet_runs():
    frame = pd.DataFrame(
        {
            "term": ["=1+1", "-x", "-", "-1.5", "age", None],
            "stratum": pd.Categorical(["@a", "b", "b", "", "@a", "b"]),
            "value": [-1.5, 2, -3e-300, float("nan"), float("-inf"), 0.1],
            "n": [-1, 0, 1, 2, 3, 4],
        }
    )
    assert safe_csv(frame) == (
        "term,stratum,value,n\n'=1+1,'@a,-1.5,-1\n'-x,b,2.0,0\n-,b,-3e-300,1\n-1.5,,,2\n"
        "age,'@a,-inf,3\n,b,0.1,4\n"
    )


def test_ordinary_tables_of_figures_are_written_as_they_are():
    frame = pd.DataFrame({"term": ["(Intercept)", "region[T.north]"], "value": [-0.25, 1e20]})
    assert safe_csv(frame) == frame.to_csv(index=False, lineterminator="\n")
    assert safe_csv(frame.iloc[:0]) == "term,value\n"


def test_a_source_with_such_a_text_is_refused_before_the_work(tmp_path):
    frame = pd.DataFrame({"c": ["a", "=1+1", "b"] * 20, "x": [1.5, 2.5, 3.5] * 20})
    frame.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match="that a spreadsheet runs as formulas"):
        load_source(spec_of(tmp_path))
    load_source(spec_of(tmp_path, ["parquet"]))


def test_more_columns_and_categories_than_can_be_modelled_are_refused():
    check_width(2000)
    with pytest.raises(DataError, match="the data have 2001 columns; at most 2000"):
        check_width(2001)
    check_categories(schema_of(*map(str, range(10_000))))
    with pytest.raises(DataError, match="column 'c' has 10001 categories; at most 10000"):
        check_categories(schema_of(*map(str, range(10_001))))


@pytest.mark.parametrize("formats", [["csv"], ["parquet", "long_csv"]])
def test_an_empty_category_is_refused_where_csv_would_lose_it(tmp_path, formats):
    with pytest.raises(DataError, match="column 'c' has an empty text as a category"):
        check_empty_categories(spec_of(tmp_path, formats=formats), schema_of("a", ""))
    check_empty_categories(spec_of(tmp_path, formats=formats), schema_of("a", " "))
    check_empty_categories(spec_of(tmp_path, formats=["parquet"]), schema_of("a", ""))

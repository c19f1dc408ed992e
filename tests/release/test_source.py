"""Reading the data, and the one line with which bad input is refused."""

import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from synth_tasks.data import Kind
from synth_tasks.errors import DataError, SynthError
from synth_tasks.release.source import read_source
from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.release.stages import load_source
from tests.release.builders import BMI, MARKER, make_people, make_site, people_spec

PRIVATE = "Q918273Z"


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path / "site")


def spec_of(folder, variables=None, **source) -> ReleaseSpec:
    content = {"dataset": {"name": "people", "source": source}, "variables": variables or {}}
    return build_spec(content, base=folder)


def refusal(spec: ReleaseSpec) -> str:
    """Return the line with which `load_source` refuses; it quotes no cell and has no chain."""
    with pytest.raises(SynthError) as caught:
        load_source(spec)
    message = str(caught.value)
    assert "\n" not in message
    assert PRIVATE not in message
    assert str(MARKER) not in message
    assert caught.value.__cause__ is None
    return message


# --- what is read ---------------------------------------------------------------------------------


def test_kinds_of_a_csv_file(site):
    schema = load_source(people_spec(site)).schema
    assert {v.name: (v.kind, v.dtype) for v in schema} == {
        "hgt": (Kind.NUMERIC, "float64"),
        "wgt": (Kind.NUMERIC, "float64"),
        "bmi": (Kind.NUMERIC, "float64"),
        "stage": (Kind.ORDINAL, "category"),
        "region": (Kind.NOMINAL, "str"),
        "smoker": (Kind.BOOLEAN, "boolean"),
        "children": (Kind.INTEGER, "Int64"),
        "visit": (Kind.DATETIME, "datetime64[ms]"),
    }
    assert schema["stage"].categories == ("low", "mid", "high")
    assert schema["hgt"].decimals == 4


def test_missing_values_are_counted_by_column(site):
    found = load_source(people_spec(site)).missing_values
    expected = {"wgt": 6, "bmi": 6, "stage": 6, "smoker": 6, "children": 6}
    assert found == dict.fromkeys(make_people(), 0) | expected


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_table_in_parquet_and_arrow_comes_back(tmp_path, kind):
    people = make_people().astype({"stage": "category", "visit": "datetime64[us]"})
    people["smoker"] = people["smoker"].map({"true": True, "false": False}).astype("boolean")
    people["tall"] = people["hgt"] > 170
    if kind == "parquet":
        people.to_parquet(tmp_path / "people")
    else:
        feather.write_feather(people, str(tmp_path / "people"))
    pd.testing.assert_frame_equal(read_source(spec_of(tmp_path, **{kind: "people"})), people)


def test_csv_and_parquet_of_the_same_table_agree(site):
    from_csv = load_source(people_spec(site))
    read_source(people_spec(site)).to_parquet(site / "people.parquet")
    source = {"source": {"parquet": "people.parquet"}}
    from_parquet = load_source(people_spec(site, dataset=source))
    np.testing.assert_array_equal(from_csv.matrix, from_parquet.matrix)
    assert from_csv.schema == from_parquet.schema


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path):
    people = make_people()[["hgt", "wgt"]]
    people.set_index("hgt").to_parquet(tmp_path / "people.parquet")
    pd.testing.assert_frame_equal(read_source(spec_of(tmp_path, parquet="people.parquet")), people)


def test_whole_numbers_with_holes_stay_whole(tmp_path):
    table = pa.table({"a": pa.array([1, None, 3], pa.uint8()), "b": pa.array([True, None, False])})
    pq.write_table(table, tmp_path / "t")
    frame = read_source(spec_of(tmp_path, parquet="t"))
    assert frame.dtypes.astype(str).to_dict() == {"a": "UInt8", "b": "boolean"}


def test_decimal_numbers_keep_their_decimals(tmp_path):
    numbers = [decimal.Decimal("1.50"), None, decimal.Decimal("-2.25"), decimal.Decimal("3.00")]
    whole = pa.array([1, None, 3, 4], pa.decimal128(9, 0))
    pq.write_table(pa.table({"a": numbers, "b": whole}), tmp_path / "t")
    table = load_source(spec_of(tmp_path, parquet="t"))
    assert table.schema["a"].decimals == 2
    assert table.schema["b"].dtype == "Int64"
    np.testing.assert_array_equal(table.matrix[:, 0], [1.5, np.nan, -2.25, 3])


def test_texts_declared_as_times_become_times(tmp_path):
    pq.write_table(pa.table({"a": ["2024-01-31", None, "2024-02-01"]}), tmp_path / "t")
    frame = read_source(spec_of(tmp_path, {"a": {"kind": "datetime"}}, parquet="t"))
    assert frame["a"].tolist()[::2] == [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-01")]
    pq.write_table(pa.table({"a": ["2024-01-31", PRIVATE]}), tmp_path / "t")
    assert "column 'a' is declared datetime but holds other texts: write it as" in refusal(
        spec_of(tmp_path, {"a": {"kind": "datetime"}}, parquet="t")
    )


def test_missing_codes_delimiter_quotes_and_line_ends(tmp_path):
    text = '\ufeffa;b;c\r\n1,5;-99;"x;y"\r\n"";2;.\r\n3;3;"z\nz"\r\n2;-99;NA\r\n'
    (tmp_path / "t.csv").write_bytes(text.encode())
    spec = spec_of(tmp_path, csv="t.csv", delimiter=";", missing=["", ".", "-99"])
    frame = read_source(spec)
    assert frame["a"].tolist()[2:] == ["3", "2"]
    assert frame["a"].isna().tolist() == [False, True, False, False]
    assert frame["b"].isna().tolist() == [True, False, False, True]
    assert frame["c"].dropna().tolist() == ["x;y", "z\nz", "NA"]


def test_declared_texts_stay_texts_even_if_they_look_like_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n01,1\n2,2\n01,3\n")
    variables = {"a": {"kind": "ordinal", "categories": ["2", "01"]}}
    frame = read_source(spec_of(tmp_path, variables, csv="t.csv"))
    assert frame["a"].tolist() == ["01", "2", "01"]
    assert frame["a"].cat.ordered
    assert frame["a"].cat.categories.tolist() == ["2", "01"]


def test_dropped_columns_are_gone_before_anything_else(tmp_path):
    (tmp_path / "t.csv").write_text(f"id,constant,empty,a\n{PRIVATE},1,,1\nb,1,,2\n")
    dataset = {"name": "people", "source": {"csv": "t.csv"}, "drop": ["id", "constant", "empty"]}
    assert load_source(build_spec({"dataset": dataset}, tmp_path)).schema.names == ["a"]


def test_the_built_in_boys_need_no_file(tmp_path):
    spec = spec_of(tmp_path, builtin="boys")
    assert read_source(spec).shape == (748, 9)


# --- files that cannot be used --------------------------------------------------------------------

IDENTIFIERS = "".join(f"{PRIVATE}{i},{i}\n" for i in range(100))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "people.csv is empty: expected a header row and data"),
        (b"\n", "people.csv is empty: expected a header row and data"),
        (b"a,b\n", "the table is empty (0 rows, 2 columns): check the source"),
        (b"a,b,a\n1,2,3\n", "column name 'a' occurs more than once: rename one of them"),
        (b"a,,b\n1,2,3\n", "column 2 has no name in text: name every column"),
        (f"a,b\n{PRIVATE}é,1\n".encode("latin-1"), "is not UTF-8 (byte 12): save it as UTF-8"),
        (f"a,b\n1,{PRIVATE}\n".encode("utf-16"), "is not UTF-8 (byte 0): save it as UTF-8"),
        (
            f"a,b\n1,2\n3,4,{PRIVATE}\n".encode(),
            "(row 3 has 3 fields instead of 2): check the file",
        ),
        (f"a,b\n1,2\n{PRIVATE}\n".encode(), "(row 3 has 1 fields instead of 2): check the file"),
        (f'a,b\n"{PRIVATE},1\n2,2\n'.encode(), "cannot be read as CSV"),
        (
            b"a" * 200_000 + b",b\n1,2\n",
            "has a header row that is no CSV: check file and delimiter",
        ),
        (
            f"a,b\n{PRIVATE},1\n{PRIVATE},2\n".encode(),
            "column 'a' is constant: drop it (dataset.drop)",
        ),
        (b"a,b\n,1\nNA,2\n", "column 'a' has no observed value: drop it (dataset.drop)"),
        (f"a,b\n{IDENTIFIERS}".encode(), "column 'a' holds free text or identifiers"),
        (b"a,b\n99999999999999999999,1\n2,2\n", "beyond 2^53, probably an identifier: drop it"),
        (b"a,b\n1,1\ninf,2\n", "column 'a' has 1 infinite value(s): mark them missing"),
        (b"a,b\n10:20,1\n11:30,2\n", "column 'a' mixes text with other objects: convert it"),
    ],
)
def test_a_bad_csv_file_is_refused_in_one_line(tmp_path, content, named):
    (tmp_path / "people.csv").write_bytes(content)
    assert named in refusal(spec_of(tmp_path, csv="people.csv"))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"a": {"categories": ["x", "y"]}}, "1 value(s) outside its declared categories: add them"),
        ({"a": {"categories": ["x", "x"]}}, "variables.a.categories names a category twice"),
        ({"a": {"kind": "numeric"}}, "column 'a' is declared numeric but holds text: mend"),
        ({"a": {"kind": "datetime"}}, "(column 'a' has values that do not fit its kind)"),
        ({"a": {"kind": "string"}}, "holds free text or identifiers"),
        ({"b": {"kind": "integer"}}, "column 'b' is declared integer but has fractions"),
        ({"b": {"kind": "binary"}}, "declared binary but has 3 categories: declare it nominal"),
        ({"c": {"kind": "numeric"}}, "unknown column 'c' in variables: the data have a, b"),
    ],
)
def test_a_wrong_statement_about_a_variable_is_refused_in_one_line(tmp_path, variables, named):
    (tmp_path / "people.csv").write_text(f"a,b\nx,1.5\n{PRIVATE},2\nx,3\n")
    assert named in refusal(spec_of(tmp_path, variables, csv="people.csv"))


def test_a_missing_file_is_refused_before_anything_is_started(tmp_path):
    spec = spec_of(tmp_path, csv="nowhere.csv")
    assert refusal(spec).startswith(f"file not found: 'nowhere.csv' (looked in {tmp_path} and ")


def damaged_parquet(folder) -> bytes:
    table = pa.table({"a": [f"{PRIVATE}{i % 3}" for i in range(5000)], "b": list(range(5000))})
    pq.write_table(table, folder / "whole")
    content = bytearray((folder / "whole").read_bytes())
    content[40:120] = b"\xff" * 80
    return bytes(content)


@pytest.mark.parametrize(
    ("key", "content", "named"),
    [
        ("parquet", b"", "cannot be read as Parquet: check the file"),
        ("parquet", f"PAR1{PRIVATE}".encode(), "cannot be read as Parquet: check the file"),
        ("parquet", damaged_parquet, "cannot be read as Parquet: check the file"),
        ("arrow", b"", "cannot be read as Arrow: check the file"),
        ("arrow", PRIVATE.encode(), "cannot be read as Arrow: check the file"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path, key, content, named):
    (tmp_path / "people").write_bytes(content(tmp_path) if callable(content) else content)
    assert named in refusal(spec_of(tmp_path, **{key: "people"}))


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"a": [[1], [2]]}, "column 'a' holds lists or records: drop it (dataset.drop) or spread"),
        ({"a": [{"x": PRIVATE}, {"x": "b"}]}, "column 'a' holds lists or records"),
        (
            {"a": [decimal.Decimal("1234567890123456.5"), decimal.Decimal("2.5")]},
            "column 'a' holds decimal numbers of more than 15 digits: round them",
        ),
        ({"a": [None, None]}, "column 'a' has no observed value"),
        ({"a": [PRIVATE, PRIVATE]}, "column 'a' is constant"),
        ({"a": [b"x", b"y"]}, "column 'a' mixes text with other objects"),
    ],
)
def test_a_column_that_cannot_be_synthesised_is_refused_in_one_line(tmp_path, arrays, named):
    pq.write_table(pa.table(arrays), tmp_path / "t")
    assert named in refusal(spec_of(tmp_path, parquet="t"))


@pytest.mark.parametrize("key", ["parquet", "arrow"])
def test_a_column_name_used_twice_is_named_in_every_format(tmp_path, key):
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"])
    if key == "parquet":
        pq.write_table(table, tmp_path / "t")
    else:
        feather.write_feather(table, str(tmp_path / "t"))
    expected = "column name 'a' occurs more than once: rename one of them"
    assert refusal(spec_of(tmp_path, **{key: "t"})) == expected


# --- settings that the data do not allow ----------------------------------------------------------

EVIL = "__import__('os').system('touch run')"


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"dataset": {"drop": ["age"]}}, "dataset.drop: unknown column 'age'; the data have hgt,"),
        ({"variables": {"age": {"kind": "numeric"}}}, "unknown column 'age' in variables"),
        (
            {"synthesis": {"method_by_variable": {"age": "cart"}}},
            "synthesis.method_by_variable: unknown column 'age'; the data have hgt,",
        ),
        ({"imputation": {"method": {"age": "pmm"}}}, "imputation: method: unknown column 'age'"),
        (
            {"imputation": {"predictor_matrix": {"age": {"hgt": 0}}}},
            "imputation: predictor_matrix: unknown column 'age'",
        ),
        ({"disclosure": {"keys": ["age"]}}, "disclosure.keys: unknown column 'age'"),
        ({"disclosure": {"targets": ["age"]}}, "disclosure.targets: unknown column 'age'"),
        (
            {"analysis": [{"model": "ols", "formula": "wgt ~ age"}]},
            "analysis 'ols: wgt ~ age': formula 'wgt ~ age' names the unknown column 'age'",
        ),
        ({"analysis": [{"model": "mean", "variables": ["age"]}]}, "the unknown column 'age'"),
        (
            {"synthesis": {"method": "logreg"}},
            "synthesis: method 'logreg' cannot be used for the numeric variable 'wgt'; use cart,",
        ),
        (
            {"imputation": {"method": {"stage": "norm"}}},
            "imputation: method 'norm' cannot be used for the ordinal variable 'stage'; use cart,",
        ),
        ({"synthesis": {"method": "magic"}}, "synthesis: unknown method 'magic'; use one of cart,"),
        (
            {"synthesis": {"options": {"cart": {"leaves": 3}}}},
            "synthesis: method 'cart' has no option 'leaves'; it has minbucket",
        ),
        (
            {"synthesis": {"options": {"cart": {"minbucket": "many"}}}},
            "cart.minbucket must be a whole number of 1 or more",
        ),
        ({"synthesis": {"options": {"magic": {"a": 3}}}}, "synthesis: unknown method 'magic'"),
        ({"synthesis": {"visit_sequence": ["age"]}}, "visit_sequence: unknown column 'age'"),
        (
            {"imputation": {"method": {"bmi": BMI, "wgt": "~ bmi * 3"}}},
            "imputation: the formulas of bmi, wgt depend on each other in a circle: compute one",
        ),
        ({"imputation": {"method": {"bmi": "~ wgt / age"}}}, "unknown column 'age'"),
        ({"imputation": {"method": {"bmi": "~ wgt +"}}}, "'~ wgt +' is not a formula: write e.g."),
    ],
)
def test_a_setting_that_does_not_fit_the_data_is_refused_in_one_line(site, sections, named):
    assert named in refusal(people_spec(site, **sections))


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("imputation", {"method": {"bmi": f"~ {EVIL}"}}),
        ("imputation", {"post": {"hgt": EVIL}}),
        ("synthesis", {"method_by_variable": {"bmi": f"~ {EVIL}"}}),
        ("synthesis", {"post": {"hgt": EVIL}}),
        ("analysis", [{"model": "ols", "formula": f"wgt ~ {EVIL}"}]),
    ],
)
def test_a_malicious_formula_is_refused_and_never_run(site, monkeypatch, section, setting):
    monkeypatch.chdir(site)
    assert "allowed" in refusal(people_spec(site, **{section: setting}))
    assert not (site / "run").exists()


def test_reading_errors_are_data_errors(site):
    (site / "people.csv").write_text("a,b\n1\n")
    with pytest.raises(DataError):
        load_source(people_spec(site))


# --- files that are read the wrong way ------------------------------------------------------------


def test_a_wrong_separator_is_noticed(tmp_path):
    (tmp_path / "people.csv").write_text("a;b\n1;2\n3;4\n")
    assert "set dataset.source.delimiter" in refusal(spec_of(tmp_path, csv="people.csv"))
    spec = spec_of(tmp_path, csv="people.csv", delimiter=";")
    assert read_source(spec).columns.tolist() == ["a", "b"]


def test_a_decimal_comma_is_noticed(tmp_path):
    (tmp_path / "people.csv").write_text("a;b\n1,5;2\n3,25;4\n")
    assert "set dataset.source.decimal" in refusal(
        spec_of(tmp_path, csv="people.csv", delimiter=";")
    )
    spec = spec_of(tmp_path, csv="people.csv", delimiter=";", decimal=",")
    assert read_source(spec)["a"].tolist() == [1.5, 3.25]


@pytest.mark.parametrize("first", ["51954.52", "336081936", "-3", "2024-05-06", "6/5/24", "1,5"])
def test_a_file_without_a_header_is_refused_without_its_first_row(tmp_path, first):
    (tmp_path / "people.csv").write_text(f"m;{first}\n" + "f;2\nm;3\n" * 9)
    message = refusal(spec_of(tmp_path, csv="people.csv", delimiter=";"))
    assert message.startswith("column 2 has a number or a date for a name: put the names")
    assert first not in message
    declared = {first: {"label": "of that day"}}
    assert first in read_source(spec_of(tmp_path, declared, csv="people.csv", delimiter=";"))


def test_years_and_numbers_of_questions_may_be_names(tmp_path):
    (tmp_path / "people.csv").write_text("2019,2020,7\n" + "1,2,1\n2,3,0\n3,1,4\n" * 9)
    assert list(read_source(spec_of(tmp_path, csv="people.csv"))) == ["2019", "2020", "7"]


# --- columns that would publish persons -----------------------------------------------------------


def people_with(folder, **columns) -> None:
    pd.DataFrame({"x": np.arange(120) % 7 / 2, **columns}).to_csv(
        folder / "people.csv", index=False
    )


def test_a_whole_number_of_its_own_in_every_row_is_taken_for_an_identifier(tmp_path):
    people_with(tmp_path, number=np.arange(120) * 7 + 1000)
    assert "column 'number' holds whole numbers, a different one in every row" in refusal(
        spec_of(tmp_path, csv="people.csv")
    )
    declared = spec_of(tmp_path, {"number": {"kind": "integer"}}, csv="people.csv")
    assert load_source(declared).schema["number"].kind is Kind.INTEGER


def test_categories_of_very_few_rows_must_be_declared(tmp_path):
    places = ["here"] * 70 + ["there"] * 48 + [PRIVATE] * 2
    people_with(tmp_path, place=places)
    assert "column 'place' has 1 categories seen in fewer than 3 rows" in refusal(
        spec_of(tmp_path, csv="people.csv")
    )
    declared = {"place": {"categories": ["here", "there", PRIVATE]}}
    assert load_source(spec_of(tmp_path, declared, csv="people.csv")).schema["place"]

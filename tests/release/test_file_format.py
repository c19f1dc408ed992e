"""How a file is written is found out from the file."""

import pandas as pd
import pytest

from synth_tasks.errors import DataError, SpecError
from synth_tasks.release.file_format import detect_source

TABLE = pd.DataFrame({"a": [1.5, 2.5, None], "b": ["x", "y", "x"]})


def settings(path):
    return detect_source(path, path.name).model_dump(exclude_defaults=True)


def test_a_plain_csv_file_needs_no_settings(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    assert settings(tmp_path / "t.csv") == {"csv": "t.csv"}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_separator_is_found(tmp_path, delimiter):
    TABLE.to_csv(tmp_path / "t.csv", index=False, sep=delimiter)
    assert settings(tmp_path / "t.csv")["delimiter"] == delimiter


def test_a_decimal_comma_is_found(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",")
    assert settings(tmp_path / "t.csv") == {"csv": "t.csv", "delimiter": ";", "decimal": ","}


def test_a_point_for_missing_is_found_in_a_column_of_numbers_only(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n.,y\n3,?\n")
    assert settings(tmp_path / "t.csv")["missing"] == ["", "NA", "."]


def test_a_value_that_is_not_a_usual_mark_is_no_missing_value(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\nSecret,y\n.,z\n")
    assert "missing" not in settings(tmp_path / "t.csv")


@pytest.mark.parametrize(("name", "key"), [("t.parquet", "parquet"), ("t.feather", "arrow")])
def test_binary_formats_are_known_by_their_name(tmp_path, name, key):
    write = TABLE.to_parquet if key == "parquet" else TABLE.to_feather
    write(tmp_path / name)
    assert settings(tmp_path / name) == {key: name}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("t.sav", "spss"),
        ("t.ZSAV", "spss"),
        ("t.dta", "stata"),
        ("t.sas7bdat", "sas"),
        ("t.xpt", "sas"),
    ],
)
def test_files_of_statistical_packages_are_known_by_their_name(tmp_path, name, key):
    (tmp_path / name).touch()
    assert settings(tmp_path / name) == {key: name}


def test_an_unknown_format_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(SpecError, match=r"unknown format '\.xlsx'; use one of \.csv"):
        settings(tmp_path / "t.xlsx")
    with pytest.raises(SpecError, match="file not found"):
        settings(tmp_path / "t.csv")


def test_a_file_in_another_alphabet_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "t.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="save it as UTF-8"):
        settings(tmp_path / "t.csv")

"""Queries: types that are kept, connections that cannot write, errors that tell no secret."""

import sqlite3
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from synth_tasks.data import Kind
from synth_tasks.errors import DataError, SpecError, StorageError
from synth_tasks.release.source import read_source
from synth_tasks.release.sources import database
from synth_tasks.release.sources.database import read_query
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source
from tests.postgresql_server import PASSWORD, run_postgresql

PRIVATE = "Q555777Z"
VARIABLE = "PEOPLE_DATABASE"


@pytest.fixture
def sqlite(tmp_path, monkeypatch) -> SecretStr:
    """A file with forty people."""
    with sqlite3.connect(tmp_path / "people.db") as connection:
        connection.execute("CREATE TABLE people (hgt REAL, children INTEGER, born TEXT, area TEXT)")
        rows = [
            (150 + i / 4, None if i % 9 == 0 else i % 4, f"1990-01-{i % 28 + 1:02d}", "ns"[i % 2])
            for i in range(40)
        ]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
    connection.close()
    url = f"sqlite:///{tmp_path}/people.db"
    monkeypatch.setenv(VARIABLE, url)
    return SecretStr(url)


def spec_of(sql: str, variables=None):
    source = {"sql": sql, "url_env": VARIABLE}
    content = {"dataset": {"name": "people", "source": source}, "variables": variables or {}}
    return build_spec(content, base="/")


def count_rows(url: SecretStr) -> int:
    engine = sa.create_engine(url.get_secret_value())
    with engine.connect() as connection:
        n = connection.exec_driver_sql("SELECT count(*) FROM people").scalar_one()
    engine.dispose()
    return n


# --- any database ---------------------------------------------------------------------------------


def test_a_query_is_a_source_like_any_other(sqlite):
    spec = spec_of("SELECT * FROM people ORDER BY hgt", {"born": {"kind": "datetime"}})
    schema = load_source(spec).schema
    assert {v.name: v.kind for v in schema} == {
        "hgt": Kind.NUMERIC,
        "children": Kind.INTEGER,
        "born": Kind.DATETIME,
        "area": Kind.BINARY,
    }
    assert schema["children"].dtype == "Int64"


@pytest.mark.parametrize("chunk_rows", [1, 7, 40, 1000])
def test_the_size_of_the_chunks_changes_nothing(sqlite, chunk_rows):
    sql = "SELECT * FROM people ORDER BY hgt"
    whole = read_query(sql, sqlite)
    assert whole.num_rows == 40
    found = read_query(sql, sqlite, chunk_rows)
    pd.testing.assert_frame_equal(found.to_pandas(), whole.to_pandas())
    assert found.schema == whole.schema


def test_signs_that_drivers_use_for_parameters_mean_what_they_mean_to_the_database(sqlite):
    sql = "SELECT hgt, area FROM people WHERE area LIKE '%n%' OR area = ':x' OR area = '%s?'"
    assert read_query(sql, sqlite).num_rows == 20


def test_columns_without_a_value_in_some_chunks_keep_their_type(sqlite):
    sql = "SELECT CASE WHEN hgt > 155 THEN children END AS a, hgt FROM people ORDER BY hgt"
    table = read_query(sql, sqlite, 5)
    assert table.schema.field("a").type == pa.int64()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO people (hgt) VALUES (1) RETURNING hgt",
        "DELETE FROM people RETURNING hgt",
        "DELETE FROM people",
        "DROP TABLE people",
    ],
)
def test_a_statement_that_writes_is_refused_and_writes_nothing(sqlite, sql):
    with pytest.raises(DataError, match=r"database refused dataset.source.sql"):
        read_source(spec_of(sql))
    assert count_rows(sqlite) == 40


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (f"SELECT '{PRIVATE}' FROM nowhere", r"refused dataset.source.sql \(OperationalError\)"),  # noqa: S608
        (f"SELEC '{PRIVATE}'", r"refused dataset.source.sql \(OperationalError\): try the query"),
        ("SAVEPOINT a", "dataset.source.sql returns no rows: write a query"),
        ("SELECT hgt, hgt FROM people", "column name 'hgt' occurs more than once"),
        ("SELECT hgt FROM people WHERE hgt < 0", r"the table is empty \(0 rows, 1 columns\)"),
        (
            f"SELECT 1 AS a UNION ALL SELECT '{PRIVATE}'",
            "column 'a' of dataset.source.sql holds values of the types int, str, which no column",
        ),
    ],
)
def test_a_query_that_gives_no_table_is_refused_without_a_value(sqlite, sql, named):
    with pytest.raises(DataError, match=named) as caught:
        read_source(spec_of(sql))
    assert PRIVATE not in str(caught.value)
    assert caught.value.__cause__ is None


def test_types_that_differ_between_chunks_are_refused(sqlite):
    sql = f"SELECT 1 AS a UNION ALL SELECT '{PRIVATE}'"
    with pytest.raises(DataError, match="types int64, string, which no column can: cast it"):
        read_query(sql, sqlite, 1)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"{PRIVATE}", "is none of SQLAlchemy: write dialect"),
        (f"magic://me:{PRIVATE}@host/db", "SQLAlchemy knows no such database"),
        (f"postgresql+psycopg://me:{PRIVATE}@host:port/db", "is none of SQLAlchemy"),
        (f"postgresql+asyncpg://me:{PRIVATE}@host/db", "asyncpg is a driver for asynchronous"),
        (f"sqlite:////{PRIVATE}/none/people.db", r"cannot be reached \(OperationalError\)"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_it(monkeypatch, url, named):
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises((SpecError, StorageError), match=named) as caught:
        read_source(spec_of("SELECT 1"))
    assert PRIVATE not in str(caught.value)


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv(VARIABLE, f"postgresql+psycopg://me:{PRIVATE}@host/db")
    with pytest.raises(SpecError, match=r"driver psycopg .*'prefect-synth\[postgresql\]'"):
        read_source(spec_of("SELECT 1"))


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(SpecError, match="variable PEOPLE_DATABASE is not set"):
        read_source(spec_of("SELECT 1"))


@pytest.mark.parametrize(
    "source",
    [
        {"sql": "SELECT 1"},
        {"sql": "SELECT 1", "block": "people", "url_env": "X"},
        {"csv": "a.csv", "block": "people"},
        {"sql": "SELECT 1", "url_env": f"postgresql://me:{PRIVATE}@host/db"},
        {"sql": "SELECT 1", "block": "other-block/people"},
    ],
)
def test_a_source_that_does_not_say_where_is_refused(source):
    with pytest.raises(SpecError, match=r"dataset.source") as caught:
        build_spec({"dataset": {"name": "people", "source": source}}, base="/")
    assert PRIVATE not in str(caught.value)


# --- PostgreSQL -----------------------------------------------------------------------------------

TABLE = """
CREATE TABLE people AS SELECT
  (150 + i * 0.25)::numeric(6, 2) AS hgt,
  CASE WHEN i % 9 > 0 THEN (i % 4)::smallint END AS children,
  CASE WHEN i % 7 > 0 THEN i % 3 = 0 END AS smoker,
  date '1990-01-01' + i AS born,
  timestamp '2024-01-01 12:00' + i * interval '1 hour' AS visit,
  timestamptz '2024-01-01 12:00+02' + i * interval '1 day' AS signed,
  (ARRAY['north', 'süd', NULL])[i % 3 + 1] AS area,
  i::double precision / 8 AS share,
  (i * 10)::numeric AS whole
FROM generate_series(0, 39) AS i
"""


@pytest.fixture(scope="module")
def postgresql():
    with run_postgresql() as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(TABLE, execution_options={"no_parameters": True})
            connection.exec_driver_sql("CREATE SEQUENCE numbers")
            connection.exec_driver_sql(
                "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM people; SELECT 1'"
            )
        engine.dispose()
        yield SecretStr(url)


@pytest.fixture
def in_postgresql(postgresql, monkeypatch) -> SecretStr:
    monkeypatch.setenv(VARIABLE, postgresql.get_secret_value())
    return postgresql


def test_postgresql_keeps_types_and_missing_values(in_postgresql):
    frame = read_source(spec_of("SELECT * FROM people ORDER BY hgt"))
    assert frame.dtypes.astype(str).to_dict() == {
        "hgt": "float64",
        "children": "Int64",
        "smoker": "boolean",
        "born": "datetime64[ms]",
        "visit": "datetime64[us]",
        "signed": "datetime64[us, UTC]",
        "area": "str",
        "share": "float64",
        "whole": "int64",
    }
    np.testing.assert_array_equal(frame["hgt"], 150 + np.arange(40) * 0.25)
    assert frame["children"].isna().sum() == 5
    assert frame["smoker"].tolist()[1:4] == [False, False, True]
    assert frame["born"].iloc[1] == pd.Timestamp("1990-01-02")
    assert frame["signed"].iloc[0] == pd.Timestamp("2024-01-01 10:00", tz="UTC")
    assert frame["area"].tolist()[:2] == ["north", "süd"]
    schema = load_source(spec_of("SELECT * FROM people ORDER BY hgt")).schema
    assert schema["hgt"].decimals == 2
    assert schema["smoker"].kind is Kind.BOOLEAN


def test_postgresql_gives_the_same_in_chunks(in_postgresql):
    sql = "SELECT * FROM people ORDER BY hgt"
    whole, parts = read_query(sql, in_postgresql), read_query(sql, in_postgresql, 3)
    pd.testing.assert_frame_equal(whole.to_pandas(), parts.to_pandas())


def test_a_large_result_comes_in_chunks_while_the_server_computes_it(in_postgresql, monkeypatch):
    """The last row fails: all chunks before it were here already."""
    sizes, convert = [], database._to_arrow

    def watch(names, rows):
        sizes.append(len(rows))
        return convert(names, rows)

    monkeypatch.setattr(database, "_to_arrow", watch)
    sql = "SELECT 1 / (20000 - i) AS a FROM generate_series(1, 20000) AS i"
    with pytest.raises(DataError, match=r"refused dataset.source.sql \(DivisionByZero\)"):
        read_query(sql, in_postgresql, 1000)
    assert sizes == [1000] * 19


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT nextval('numbers')", "ReadOnlySqlTransaction"),
        ("SELECT wipe()", "ReadOnlySqlTransaction"),
        ("DELETE FROM people RETURNING hgt", "SyntaxError"),  # a cursor takes queries only
        ("DROP TABLE people", "SyntaxError"),
        ("SELECT nothing FROM people", "UndefinedColumn"),
        (f"SELECT '{PRIVATE}'::integer", "InvalidTextRepresentation"),
    ],
)
def test_postgresql_refuses_without_telling_values(in_postgresql, sql, kind):
    with pytest.raises(DataError, match=rf"refused dataset.source.sql \({kind}\)") as caught:
        read_source(spec_of(sql))
    assert PRIVATE not in str(caught.value)
    assert count_rows(in_postgresql) == 40


def test_a_wrong_password_is_told_without_any(in_postgresql, monkeypatch):
    url = in_postgresql.get_secret_value()
    for wrong in (url.replace(PASSWORD, PRIVATE), url.replace("postgres", PRIVATE, 2)):
        with pytest.raises((StorageError, SpecError)) as caught:
            read_query("SELECT 1", SecretStr(wrong))
        assert PRIVATE not in str(caught.value)
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        # Newer releases of pyarrow know the type and come further than older ones.
        ("gen_random_uuid()", "column 'a' (mixes text with other objects|of .* of the types UUID)"),
        ("time '12:00' + random() * interval '1 h'", "column 'a' mixes text with other objects"),
        ("'{1,2}'::int[]", "column 'a' holds lists or records"),
        ("1234567890123456789.5::numeric", "decimal numbers of more than 15 digits"),
    ],
)
def test_values_that_no_column_can_hold_are_refused(in_postgresql, expression, named):
    with pytest.raises(DataError, match=named):
        load_source(spec_of(f"SELECT {expression} AS a, hgt FROM people"))  # noqa: S608

"""Reading the result of a query from any database that SQLAlchemy knows.

The connection only reads, and nothing is committed. SQLAlchemy's own errors quote the address of the
database and values of the data; they are replaced by ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import exc

from synth_tasks.data import check_names
from synth_tasks.errors import DataError, SpecError, TransientError
from synth_tasks.release.sections import SourceSpec

CHUNK_ROWS = 10_000
# How a transaction is kept from writing; elsewhere the rights of the login must do it.
READ_ONLY = {"postgresql": "SET TRANSACTION READ ONLY", "sqlite": "PRAGMA query_only = ON"}


def url_from_environment(source: SourceSpec) -> SecretStr:
    """Return the address of the database from the environment variable that `url_env` names."""
    if source.url_env is None:
        raise SpecError(
            "dataset.source.block is loaded by the flow: here give dataset.source.url_env"
        )
    if not os.environ.get(source.url_env):
        raise SpecError(
            f"dataset.source.url_env: the environment variable {source.url_env} is not set: give it "
            "the address of the database, e.g. postgresql+psycopg://user@host/database"
        )
    return SecretStr(os.environ[source.url_env])


def read_query(sql: str, url: SecretStr, chunk_rows: int = CHUNK_ROWS) -> pa.Table:
    """Read the result of a query.

    Parameters
    ----------
    sql : str
        A query of the database's own dialect.
    url : SecretStr
        Address as SQLAlchemy writes it, with driver and credentials.
    chunk_rows : int, default 10 000
        Rows that are fetched at a time.

    Returns
    -------
    pyarrow.Table
        Types follow the values: whole numbers, booleans, decimals, dates and times stay what they are,
        and NULL is a missing value in any of them.

    Raises
    ------
    SpecError
        If the address cannot be understood or its driver is not installed.
    StorageError
        If the database cannot be reached.
    DataError
        If it refuses the query, or a column holds what no table can.
    """
    engine = _make_engine(url)
    try:
        with _connect(engine) as connection:
            return _fetch(connection, sql, chunk_rows)
    finally:
        engine.dispose()


def _make_engine(url: SecretStr) -> sa.Engine:
    try:
        engine = sa.create_engine(
            url.get_secret_value(), poolclass=sa.NullPool, hide_parameters=True
        )
    except exc.NoSuchModuleError:
        raise SpecError(
            "dataset.source: SQLAlchemy knows no such database: correct the beginning of its address"
        ) from None
    except ImportError as error:
        raise SpecError(
            f"dataset.source: the driver {error.name} of the database is not installed; for "
            "PostgreSQL: pip install 'prefect-synth[postgresql]', postgresql+psycopg://..."
        ) from None
    except (exc.ArgumentError, ValueError, TypeError):
        raise SpecError(
            "dataset.source: the address of the database is none of SQLAlchemy: write "
            "dialect+driver://user:password@host/database"
        ) from None
    if engine.dialect.is_async:
        raise SpecError(
            f"dataset.source: {engine.driver} is a driver for asynchronous programs: use another, for "
            "PostgreSQL postgresql+psycopg://..."
        )
    return engine


@contextmanager
def _connect(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection that cannot write, and take back whatever it did."""
    try:
        connection = engine.connect()
    except exc.SQLAlchemyError as error:
        raise TransientError(
            f"the database of dataset.source cannot be reached{_kind(error)}: check address and rights"
        ) from None
    try:
        if engine.dialect.name in READ_ONLY:
            connection.exec_driver_sql(READ_ONLY[engine.dialect.name])
        yield connection
    finally:
        connection.rollback()
        connection.close()


def _fetch(connection: sa.Connection, sql: str, chunk_rows: int) -> pa.Table:
    # Without parameters % and : in the text mean what they mean to the database.
    options = {"stream_results": True, "no_parameters": True, "yield_per": chunk_rows}
    try:
        result = connection.exec_driver_sql(sql, execution_options=options)
        if not result.returns_rows:
            raise DataError("dataset.source.sql returns no rows: write a query, e.g. SELECT")
        names = list(result.keys())
        check_names(names)
        chunks = [_to_arrow(names, rows) for rows in result.partitions(chunk_rows)]
    except exc.SQLAlchemyError as error:
        raise DataError(
            f"the database refused dataset.source.sql{_kind(error)}: try the query in a client of the "
            "database"
        ) from None
    if not chunks:
        return pa.table({name: pa.nulls(0) for name in names})
    return _concatenate(chunks)


def _to_arrow(names: list[str], rows: Sequence[Any]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table({n: _to_array(n, list(c)) for n, c in zip(names, columns, strict=True)})


def _to_array(name: str, values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
        if pa.types.is_timestamp(array.type) and array.type.tz is not None:
            # The zone is that of the session, not of the data.
            array = array.cast(pa.timestamp("us", "UTC"))
        return array
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        types = sorted({type(value).__name__ for value in values if value is not None})
        raise _unusable(name, types) from None


def _concatenate(chunks: list[pa.Table]) -> pa.Table:
    """Join chunks whose types differ only because one holds no value, or no fraction."""
    try:
        return pa.concat_tables(chunks, promote_options="permissive")
    except pa.ArrowException:
        for name in chunks[0].column_names:
            types = {str(chunk.schema.field(name).type) for chunk in chunks} - {"null"}
            try:
                pa.concat_tables([c.select([name]) for c in chunks], promote_options="permissive")
            except pa.ArrowException:
                raise _unusable(name, sorted(types)) from None
        raise


def _unusable(name: str, types: list[str]) -> DataError:
    return DataError(
        f"column '{name}' of dataset.source.sql holds values of the types {', '.join(types)}, which no "
        "column can: cast it in the query or leave it out"
    )


def _kind(error: exc.SQLAlchemyError) -> str:
    """Name the kind of an error, whose text may quote values or the password."""
    origin = getattr(error, "orig", None) or error
    return f" ({type(origin).__name__})"

"""Where a flow finds the address of a database: a Prefect block or an environment variable."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from pydantic import SecretStr

from synth_tasks.errors import SpecError
from synth_tasks.release.sources.database import url_from_environment
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.tasks.named_blocks import load_block


def database_url(spec: ReleaseSpec) -> SecretStr | None:
    """Return the address of the database that a specification reads from.

    A plain name in `dataset.source.block` is a `DatabaseSource` of this package. The blocks of
    prefect-sqlalchemy are named with their type: ``sqlalchemy-connector/name`` or
    ``database-credentials/name``.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.

    Returns
    -------
    SecretStr or None
        None if the source is no database.

    Raises
    ------
    SpecError
        If block or variable is not there.
    """
    source = spec.dataset.source
    if source.sql is None:
        return None
    if source.block is None:
        return url_from_environment(source)
    kind, _, name = source.block.rpartition("/")
    module, class_name, read_url = BLOCKS[kind]
    try:
        block = getattr(import_module(module), class_name)
    except (ImportError, AttributeError):
        raise SpecError(
            f"dataset.source.block: blocks of the kind {kind or 'database-source'} need the package "
            f"{module.partition('.')[0].replace('_', '-')} in a version that has {class_name}"
        ) from None
    return read_url(load_block(block, class_name, name, "dataset.source.block"))


def _url_of_source(block: Any) -> SecretStr:
    return SecretStr(block.url.get_secret_value())


def _url_of_connector(block: Any) -> SecretStr:
    return SecretStr(block.get_engine().url.render_as_string(hide_password=False))


BLOCKS: dict[str, tuple[str, str, Callable[[Any], SecretStr]]] = {
    "": ("synth_tasks.blocks", "DatabaseSource", _url_of_source),
    "sqlalchemy-connector": ("prefect_sqlalchemy", "SqlAlchemyConnector", _url_of_connector),
    "database-credentials": ("prefect_sqlalchemy", "DatabaseCredentials", _url_of_connector),
}

"""The address of a database comes from a Prefect block or the environment, and is never shown."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from pydantic import SecretStr

from synth_tasks.errors import SpecError
from synth_tasks.release.spec import build_spec
from synth_tasks.tasks.connections import database_url

URL = "postgresql+psycopg://me:Q918273Z@host/people"


def spec_of(**source):
    return build_spec({"dataset": {"name": "people", "source": source}}, base="/")


@pytest.fixture
def blocks(monkeypatch):
    """A store of blocks that knows one of each kind, by the name people."""

    def known(block):
        def load(name):
            if name != "people":
                raise ValueError("Unable to find block document")
            return block

        return SimpleNamespace(load=load)

    def render(hide_password):
        return URL if not hide_password else "hidden"

    ours, theirs = ModuleType("synth_tasks.blocks"), ModuleType("prefect_sqlalchemy")
    ours.DatabaseSource = known(SimpleNamespace(url=SecretStr(URL)))
    engine = SimpleNamespace(url=SimpleNamespace(render_as_string=render))
    theirs.SqlAlchemyConnector = known(SimpleNamespace(get_engine=lambda: engine))
    monkeypatch.setitem(sys.modules, "synth_tasks.blocks", ours)
    monkeypatch.setitem(sys.modules, "prefect_sqlalchemy", theirs)


@pytest.mark.parametrize("block", ["people", "sqlalchemy-connector/people"])
def test_a_block_holds_the_address(blocks, block):
    url = database_url(spec_of(sql="SELECT 1", block=block))
    assert url.get_secret_value() == URL
    assert "Q918273Z" not in repr(url)


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ("nobody", "there is no DatabaseSource block 'nobody': create it"),
        ("sqlalchemy-connector/nobody", "there is no SqlAlchemyConnector block 'nobody'"),
        ("database-credentials/people", "need the package prefect-sqlalchemy in a version that"),
    ],
)
def test_a_block_that_is_not_there_is_named(blocks, block, named):
    with pytest.raises(SpecError, match=named):
        database_url(spec_of(sql="SELECT 1", block=block))


def test_a_variable_holds_the_address(monkeypatch):
    monkeypatch.setenv("PEOPLE", URL)
    assert database_url(spec_of(sql="SELECT 1", url_env="PEOPLE")).get_secret_value() == URL


def test_other_sources_have_no_database():
    assert database_url(spec_of(builtin="boys")) is None


def test_the_connector_of_prefect_sqlalchemy_is_understood(monkeypatch):
    sqlalchemy_blocks = pytest.importorskip("prefect_sqlalchemy", reason="not installed")
    connector = sqlalchemy_blocks.SqlAlchemyConnector
    components = sqlalchemy_blocks.ConnectionComponents(
        driver=sqlalchemy_blocks.SyncDriver.SQLITE_PYSQLITE, database="people.db"
    )
    monkeypatch.setattr(connector, "load", lambda name: connector(connection_info=components))
    url = database_url(spec_of(sql="SELECT 1", block="sqlalchemy-connector/people"))
    assert url.get_secret_value() == "sqlite+pysqlite:///people.db"

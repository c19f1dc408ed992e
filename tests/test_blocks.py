"""The blocks meet Prefect's own standard, and keep secrets."""

import subprocess
import sys

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from pydantic import SecretStr, ValidationError

from synth_tasks.blocks import DatabaseSource, DisclosurePolicy, PrivateWorkspace, ReleaseStore

BLOCKS = [DatabaseSource, DisclosurePolicy, PrivateWorkspace, ReleaseStore]
SECRET = "cauliflower-93"  # noqa: S105


@pytest.mark.parametrize("block", BLOCKS)
class TestStandard(BlockStandardTestSuite):
    @pytest.fixture
    def block(self, block: type[Block]) -> type[Block]:
        return block

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """Departs from the standard: a browser in a closed network must not be sent for a logo."""
        assert block._logo_url is None


def test_their_names_are_stable() -> None:
    """A slug that changes loses the documents that users have stored under it."""
    assert {block._block_type_slug for block in BLOCKS} == {
        "synthesis-database-source", "disclosure-policy", "synthesis-private-workspace",
        "synthetic-release-store",
    }  # fmt: skip


def test_a_database_url_is_not_shown() -> None:
    block = DatabaseSource(url=SecretStr(f"postgresql://reader:{SECRET}@db/registry"))
    assert SECRET not in f"{block!r} {block.model_dump_json()}"


def test_storage_options_are_shown_to_the_file_system_only() -> None:
    block = ReleaseStore(url="s3://open/releases", storage_options={"secret": SecretStr(SECRET)})
    assert SECRET not in f"{block!r} {block.model_dump_json()}"
    assert block.options() == {"secret": SECRET}


def test_a_workspace_is_an_absolute_folder() -> None:
    with pytest.raises(ValidationError, match="absolute path"):
        PrivateWorkspace(path="workspace")


def test_a_store_is_an_absolute_folder_or_a_url() -> None:
    with pytest.raises(ValidationError, match="absolute folder or a URL"):
        ReleaseStore(url="releases")


def test_an_empty_policy_is_refused() -> None:
    with pytest.raises(ValidationError, match="not empty"):
        DisclosurePolicy(suite={"name": "gate", "expectations": []})


def test_loading_them_is_light() -> None:
    """Servers and workers load the blocks at every start."""
    code = (
        "import prefect.blocks.core, sys; before = set(sys.modules); import synth_tasks.blocks;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "numba", "scipy", "sklearn", "great_expectations", "matplotlib"}
    assert not {name.split(".")[0] for name in done.stdout.split()} & heavy

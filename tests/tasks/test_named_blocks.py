"""What a specification that names a block is told if the block cannot be had."""

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from synth_tasks.errors import SpecError, StorageError
from synth_tasks.tasks.named_blocks import load_block


class Stored(BaseModel):
    url: str


def block_that_raises(error: Exception, cause: Exception | None = None) -> type:
    class Block:
        @staticmethod
        def load(name: str) -> None:
            raise error from cause

    return Block


def load(block: type) -> None:
    load_block(block, "Release Store", "open", "publish.to")


def test_a_block_that_is_not_there_is_named_with_its_kind() -> None:
    absent = block_that_raises(ValueError("Unable to find block document"))
    with pytest.raises(
        SpecError, match=r"publish\.to: there is no Release Store block 'open': create"
    ):
        load(absent)


def test_a_block_of_another_version_is_to_be_filled_in_again() -> None:
    with pytest.raises(ValidationError) as found:
        Stored.model_validate({})
    old = block_that_raises(RuntimeError("Unable to load"), found.value)
    with pytest.raises(SpecError, match="is not filled in as this version needs it: edit it"):
        load(old)


def test_other_errors_of_prefect_are_not_taken_for_one_of_the_block() -> None:
    with pytest.raises(RuntimeError, match="no server"):
        load(block_that_raises(RuntimeError("no server")))


def test_a_server_that_does_not_answer_is_an_error_of_storage_without_its_address() -> None:
    silent = block_that_raises(httpx.ConnectError("http://steward:password@api"))
    with pytest.raises(StorageError, match=r"cannot be asked .* \(ConnectError\)") as error:
        load(silent)
    assert "password" not in str(error.value)

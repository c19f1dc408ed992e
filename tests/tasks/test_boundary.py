"""What may leave a task when it fails."""

import errno
import os
import pickle
import re
import stat
import traceback
from types import SimpleNamespace

import pytest

from synth_tasks.errors import DataError, StorageError, SynthError, TransientError
from synth_tasks.release.bundle import write_json
from synth_tasks.tasks.boundary import (
    ERROR_FILE,
    confidential,
    describe_failure,
    may_retry,
    redacted,
)
from synth_tasks.tasks.context import RunContext, prepare
from tests.release.builders import people_spec

PRIVATE = "Q918273Z"


@pytest.fixture
def context(tmp_path, workspace_root) -> RunContext:
    return prepare(people_spec(tmp_path, publish={"to": str(tmp_path / "releases")}))


def read_early(context: object, value: str) -> None:
    int(value)


def read_early_twice(context: object, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise RuntimeError(f"caused by {value}") from error


def refuse_early(context: object, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise DataError("column 'age' has 3 values that are no numbers: mend the source") from error


@confidential
def stumble(context: object, value: str) -> None:
    try:
        int(value)
    except ValueError:
        raise KeyError(f"after {value}") from None


@confidential
def stumble_twice(context: object, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise RuntimeError(f"caused by {value}") from error


@confidential
def refuse(context: object, value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise DataError("column 'age' has 3 values that are no numbers: mend the source") from error


def chain(error: BaseException) -> list[BaseException]:
    """Return an error with everything that it drags along."""
    found: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is not None and current not in found:
            found.append(current)
            pending += [current.__cause__, current.__context__]
    return found


@pytest.mark.parametrize(
    "task",
    [stumble, stumble_twice, refuse, *map(redacted, (read_early, read_early_twice, refuse_early))],
)
def test_no_value_leaves_by_any_way(context, task):
    with pytest.raises(SynthError) as caught:
        task(context, value := PRIVATE)
    assert len(chain(caught.value)) == 1
    told = "".join(traceback.format_exception(caught.value))
    assert value not in told.replace("task(context, value := PRIVATE)", "")
    assert value not in str(caught.value)
    assert value.encode() not in pickle.dumps(caught.value)
    inner = [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert inner[-1] == "guarded"  # no frame of the confidential code, and none of its variables


def test_type_and_place_are_told_and_the_rest_is_kept_privately(context, workspace_root):
    with pytest.raises(SynthError) as caught:
        stumble_twice(context, PRIVATE)
    message = str(caught.value)
    assert message.startswith("stumble_twice failed: RuntimeError in test_boundary.py, line ")
    assert message.endswith(f"; details in the private workspace ({ERROR_FILE})")
    path = workspace_root / "people" / ERROR_FILE
    assert f"caused by {PRIVATE}" in path.read_text()
    assert "invalid literal for int()" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_the_private_file_is_private_whatever_the_umask_and_replaced(context, workspace_root, mask):
    before = os.umask(mask)
    try:
        for task in (stumble_twice, stumble):
            with pytest.raises(SynthError):
                task(context=context, value=PRIVATE)
    finally:
        os.umask(before)
    path = workspace_root / "people" / ERROR_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "KeyError" in path.read_text()
    assert "RuntimeError" not in path.read_text()


def test_without_a_context_nothing_is_written_and_nothing_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SynthError, match=r"failed: KeyError in test_boundary.py, line [0-9]+$"):
        stumble(None, PRIVATE)
    assert os.listdir(tmp_path) == []


def test_what_reads_data_beforehand_tells_type_and_place_and_writes_nothing(context, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SynthError, match=r"^read_early failed: ValueError in test_boundary.py, li"):
        redacted(read_early)(context, PRIVATE)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_place_is_the_last_one_in_the_code_of_this_project(tmp_path):
    with pytest.raises(TypeError) as caught:
        write_json(tmp_path / "x.json", object())  # the standard library refuses it
    line = describe_failure(caught.value, "writing")
    assert line.startswith("writing failed: TypeError in integrity.py, line ")


def test_errors_of_this_package_pass_as_they_are(context, workspace_root):
    with pytest.raises(
        DataError, match=r"^column 'age' has 3 values that are no numbers: mend the"
    ):
        refuse(context, PRIVATE)
    assert not (workspace_root / "people" / ERROR_FILE).exists()


def test_results_pass_and_the_task_keeps_its_name():
    @confidential
    def double(context: object, value: int) -> int:
        """Double."""
        return 2 * value

    assert double(None, 4) == 8
    assert (double.__name__, double.__doc__) == ("double", "Double.")


def test_an_interruption_is_not_held_up():
    @confidential
    def interrupted(context: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(None)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientError("x"), True),
        *((kind("x"), False) for kind in (StorageError, DataError, SynthError, ValueError)),
        (None, False),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(error, again):
    def result():
        if error is not None:
            raise error

    assert may_retry(None, None, SimpleNamespace(result=result)) is again


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.ENOSPC, StorageError), (errno.EIO, TransientError)]
)
def test_what_the_operating_system_says_is_told_by_its_number(context, code, kind):
    @confidential
    def write(context: object) -> None:
        raise OSError(code, PRIVATE)

    with pytest.raises(StorageError, match=re.escape(os.strerror(code))) as caught:
        write(context)
    assert type(caught.value) is kind
    assert PRIVATE not in str(caught.value)

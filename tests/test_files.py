import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from synth_tasks.errors import StorageError, TransientError
from synth_tasks.files import (
    file_sha256,
    make_private_folder,
    read_limited,
    readable_errors,
    write_atomically,
)


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=lambda mask: f"umask {mask:03o}")
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_file_is_read_to_its_end_or_to_the_limit(tmp_path):
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"12345")
    link.symlink_to(path)
    assert read_limited(path, 6) == b"12345"
    assert read_limited(link, 3) == b"123"


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_neither_read_nor_waited_for(tmp_path, kind):
    path = tmp_path if kind == "folder" else Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe"
        os.mkfifo(path)
    with pytest.raises(OSError, match="it is no regular file"):
        read_limited(path, 10)


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, lambda file: file.write(b"content"))
    assert path.read_bytes() == b"content"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_a_failing_write_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def fail(file):
        file.write(b"half")
        raise error

    with pytest.raises(error):
        write_atomically(path, fail)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def look(file):
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"before"
        file.write(b" and half")

    write_atomically(path, look)
    assert path.read_bytes() == b"half and half"


def test_private_files_and_folders_are_private_under_every_umask(tmp_path, umask):
    folder = tmp_path / "a" / "b"
    make_private_folder(folder)
    write_atomically(folder / "f", lambda file: file.write(b"x"))
    write_atomically(folder / "public", lambda file: file.write(b"x"), mode=0o644)
    assert mode(tmp_path / "a") == mode(folder) == 0o700
    assert mode(folder / "f") == 0o600
    assert mode(folder / "public") == 0o644


def test_a_private_file_is_private_while_it_is_written(tmp_path, umask):
    seen = []
    write_atomically(
        tmp_path / "f", lambda _: seen.extend(mode(path) for path in tmp_path.iterdir())
    )
    assert seen == [0o600]


def test_folders_that_exist_keep_their_mode(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    make_private_folder(shared / "mine")
    assert mode(shared) == 0o755


def test_hash_of_a_large_file(tmp_path):
    content = b"0123456789" * 300_000
    (tmp_path / "f").write_bytes(content)
    assert file_sha256(tmp_path / "f") == hashlib.sha256(content).hexdigest()


def test_errors_of_the_system_become_one_line_without_the_chain():
    with (
        pytest.raises(StorageError, match=r"^cannot read /nowhere: No such file") as caught,
        readable_errors("read", "/nowhere"),
    ):
        os.stat("/nowhere")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (errno.EIO, True), (errno.ESTALE, True), (errno.ETIMEDOUT, True), (errno.EBUSY, True),
        (errno.ENOENT, False), (errno.EACCES, False), (errno.EROFS, False), (errno.ENOSPC, False),
        (errno.ELOOP, False),
    ],
)  # fmt: skip
def test_only_errors_that_pass_by_themselves_are_called_so(code, passes):
    with pytest.raises(StorageError) as caught, readable_errors("read", "/nowhere"):
        raise OSError(code, os.strerror(code))
    assert isinstance(caught.value, TransientError) is passes

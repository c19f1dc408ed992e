"""Small file systems that fill up or cannot be written to."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE = 1 << 30


class Disk:
    """A file system in memory, mounted at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def change(self, options: str) -> None:
        """Mount it anew with other options; what is on it stays."""
        _run("mount", "-o", f"remount,{options}", str(self.folder))

    @contextmanager
    def protected(self) -> Iterator[None]:
        """Refuse to write, also while a file is open for it: the folder lies over itself, read-only."""
        # Made read-only elsewhere, for nobody may write to it in the meantime.
        view = self.folder.with_name(f"{self.folder.name}-protected")
        view.mkdir()
        _run("mount", "--bind", str(self.folder), str(view))
        try:
            _run("mount", "-o", "remount,bind,ro", str(view))
            _run("mount", "--bind", str(view), str(self.folder))
        finally:
            _run("umount", "--lazy", str(view))
            view.rmdir()
        try:
            yield
        finally:
            _run("umount", "--lazy", str(self.folder))

    def enlarge(self) -> None:
        """Make room, and let it be written to."""
        self.change(f"rw,size={LARGE}")


@contextmanager
def small_disk(folder: Path, size: int = LARGE) -> Iterator[Disk]:
    """Mount a file system of so many bytes.

    Raises
    ------
    PermissionError
        If this user may not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def may_mount(folder: Path) -> bool:
    """Tell whether this user may mount a file system."""
    try:
        with small_disk(folder):
            return True
    except PermissionError:
        return False


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise PermissionError(done.stderr.strip())

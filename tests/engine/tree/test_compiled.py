"""Where machine code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import synth_tasks

ROOT = Path(synth_tasks.__file__).parents[1]
MODULE = """
from synth_tasks.engine.tree.compiled import kernel

@kernel
def double(x):
    return 2 * x

print(double(21), double.__name__)
"""


def run(folder: Path, cache: Path) -> str:
    """Run a module with a kernel; the user's cache folder is given."""
    (folder / "tiny.py").write_text(MODULE)
    settings = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    settings |= {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    done = subprocess.run(
        [sys.executable, "-c", "import tiny"], env=settings, capture_output=True, check=True
    )
    return done.stdout.decode().split()[0]


def kept(folder: Path) -> set[str]:
    return {path.suffix for path in folder.rglob("*double*")}


def test_machine_code_is_kept_beside_the_module(tmp_path: Path) -> None:
    assert run(tmp_path, tmp_path / "cache") == "42"
    assert kept(tmp_path / "__pycache__") == {".nbi", ".nbc"}


def test_or_in_the_users_cache_where_the_installation_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("in the way of a folder")
    assert run(tmp_path, tmp_path / "cache") == "42"
    assert kept(tmp_path / "cache") == {".nbi", ".nbc"}


def test_or_nowhere_if_nothing_can_be_written(tmp_path: Path) -> None:
    for name in ("__pycache__", "cache"):
        (tmp_path / name).write_text("in the way of a folder")
    assert run(tmp_path, tmp_path / "cache") == "42"
    assert kept(tmp_path) == set()

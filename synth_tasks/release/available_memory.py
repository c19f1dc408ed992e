"""How much memory a process may come to use: of the machine, and within limits of control groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

GIGABYTE = 1e9
CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def available_gb() -> float:
    """Return the memory that this process may come to use, with what it uses already.

    Returns
    -------
    float
        Gigabytes: what the machine has free, or what is left of the smallest limit of a control group
        (of a container, a service or a batch job) if that is less.
    """
    used = psutil.Process().memory_info().rss
    free = [psutil.virtual_memory().available, *_left_in_groups(CGROUPS, MEMBERSHIP)]
    return (min(free) + used) / GIGABYTE


def _left_in_groups(root: Path, membership: Path) -> list[int]:
    """Return what is left of each limit that holds for this process, in bytes.

    References
    ----------
    Control Group v2, documentation of the Linux kernel: memory.max, memory.current, memory.stat.
    Memory Resource Controller (control groups v1): memory.limit_in_bytes, memory.usage_in_bytes.
    """
    if not membership.is_file():
        return []
    left = []
    for line in membership.read_text().splitlines():
        number, controllers, path = line.split(":", maxsplit=2)
        if number == "0" and not controllers:
            left += _left_above(root, path, UNIFIED)
        elif "memory" in controllers.split(","):
            left += _left_above(root / "memory", path, LEGACY)
    return left


@dataclass(frozen=True)
class _Names:
    """Names of the files of a control group, and in `memory.stat` of what can be taken back."""

    limit: str
    usage: str
    inactive: str


UNIFIED = _Names("memory.max", "memory.current", "inactive_file")
# The total of a group of version 1 counts the groups below it, as its usage does.
LEGACY = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _left_above(root: Path, path: str, names: _Names) -> list[int]:
    """Return what is left of the limits of a group and of those above it."""
    group = root / path.strip("/")
    left = []
    for folder in (group, *group.parents):
        limit = folder / names.limit
        if limit.is_file() and (text := limit.read_text().strip()) != "max":
            left.append(int(text) - _in_use(folder, names))
        if folder == root:
            break
    return left


def _in_use(group: Path, names: _Names) -> int:
    """Return the memory of a control group that the kernel cannot take back for the asking."""
    lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    files = next((int(count) for name, count in lines if name == names.inactive), 0)
    return int((group / names.usage).read_text()) - files

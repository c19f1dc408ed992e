"""The memory that a process may come to use."""

import pytest

from synth_tasks.release import available_memory
from synth_tasks.release.available_memory import available_gb


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups in a folder, on a machine with much memory; half a gigabyte is in use."""
    monkeypatch.setattr(available_memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(available_memory, "MEMBERSHIP", tmp_path / "cgroup")
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("V", (), {"available": 10**12}))
    monkeypatch.setattr(
        available_memory.psutil, "Process", lambda: type("P", (), {"memory_info": usage})
    )
    return tmp_path


def usage():
    return type("M", (), {"rss": 500_000_000})


def test_the_smallest_limit_of_a_control_group_counts(groups):
    group = groups / "slice" / "job"
    group.mkdir(parents=True)
    for folder, limit, current in ((group, "max", 0), (group.parent, 3 * 10**9, 10**9)):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{current}\n")
        (folder / "memory.stat").write_text("anon 5\ninactive_file 250000000\n")
    (groups / "cgroup").write_text("1:name=systemd:/x\n0::/slice/job\n")
    assert available_gb() == pytest.approx(3 - 1 + 0.25 + 0.5)


@pytest.mark.parametrize("controllers", ["memory", "cpu,memory"])
def test_limits_of_control_groups_of_version_1_count(groups, controllers):
    group = groups / "memory" / "docker" / "job"
    group.mkdir(parents=True)
    for folder, limit, current in ((group, 4 * 10**9, 10**9), (group.parent, 2**63 - 4096, 0)):
        (folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
        (folder / "memory.usage_in_bytes").write_text(f"{current}\n")
        (folder / "memory.stat").write_text("inactive_file 7\ntotal_inactive_file 250000000\n")
    (groups / "cgroup").write_text(f"9:name=systemd:/\n4:{controllers}:/docker/job\n0::/\n")
    assert available_gb() == pytest.approx(4 - 1 + 0.25 + 0.5)


def test_a_container_that_does_not_see_its_group_has_the_limit_of_the_root(groups):
    root = groups / "memory"
    root.mkdir()
    (root / "memory.limit_in_bytes").write_text("2000000000\n")
    (root / "memory.usage_in_bytes").write_text("500000000\n")
    (root / "memory.stat").write_text("total_inactive_file 0\n")
    (groups / "cgroup").write_text("4:memory:/docker/elsewhere\n")
    assert available_gb() == pytest.approx(2 - 0.5 + 0.5)


def test_without_control_groups_the_machine_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(available_memory, "MEMBERSHIP", tmp_path / "absent")
    assert 0 < available_gb() < 100_000

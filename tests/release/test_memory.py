"""A release that does not fit is refused before it is begun."""

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release import memory
from synth_tasks.release.cost import CELL, PROGRAM, Workload, peak_gb
from synth_tasks.release.memory import available_gb, check_memory
from tests.release.builders import people_spec

MILLION = 1_000_000


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)


def predicted(spec, **changes) -> float:
    shape = {"n_rows": MILLION, "n_columns": 20, "fitted": 20, "predictors": 0, "cores": 4}
    run = {"m": spec.synthesis.m, "workers": spec.run.workers}
    return peak_gb(Workload(**(shape | run | changes)))


def spec_of(tmp_path, **run):
    return people_spec(tmp_path, synthesis={"m": 4}, run={"workers": 4, **run})


def test_the_peak_grows_with_cells_sets_and_workers():
    work = Workload(n_rows=1000, n_columns=10, fitted=10, predictors=0, m=1, workers=1)
    assert peak_gb(work) == pytest.approx(PROGRAM + 10_000 * CELL * (6 + 1.4 + 9))


def test_what_fits_is_let_pass(tmp_path):
    check_memory(spec_of(tmp_path), 90, 9)
    spec = spec_of(tmp_path)
    check_memory(spec, MILLION, 20, available=predicted(spec))


def test_fewer_workers_are_the_first_remedy(tmp_path):
    spec = spec_of(tmp_path)
    between = (predicted(spec, workers=2) + predicted(spec, workers=3)) / 2
    remedy = (
        rf"need about {predicted(spec):.1f} GB .* {between:.1f} GB .*: set run.workers to 2, or"
    )
    with pytest.raises(SpecError, match=remedy):
        check_memory(spec, MILLION, 20, available=between)


def test_fewer_sets_are_the_second(tmp_path):
    spec = spec_of(tmp_path)
    enough = predicted(spec, workers=1, m=3)
    with pytest.raises(SpecError, match=r"set synthesis.m to 3 and run.workers to 1, or"):
        check_memory(spec, MILLION, 20, available=enough)


def test_smaller_data_are_the_last(tmp_path):
    with pytest.raises(SpecError, match=r"drop columns \(dataset.drop\)"):
        check_memory(spec_of(tmp_path), MILLION, 20, available=1.0)


def test_a_large_k_counts_as_rows(tmp_path):
    spec = people_spec(tmp_path, synthesis={"k": MILLION})
    with pytest.raises(SpecError, match=r"90 rows"):
        check_memory(spec, 90, 20, available=1.0)


def test_the_specification_overrides_what_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_gb", lambda: 1.0)
    with pytest.raises(SpecError, match=r"or set run.memory_gb if you know better"):
        check_memory(spec_of(tmp_path), MILLION, 20)
    check_memory(spec_of(tmp_path, memory_gb=100), MILLION, 20)


def test_a_cluster_of_others_is_not_judged(tmp_path):
    spec = spec_of(tmp_path, runner="dask", scheduler="tcp://127.0.0.1:8786")
    check_memory(spec, 1000 * MILLION, 20, available=1.0)


def test_the_smallest_limit_of_a_control_group_counts(tmp_path, monkeypatch):
    group = tmp_path / "slice" / "job"
    group.mkdir(parents=True)
    for folder, limit, current in ((group, "max", 0), (group.parent, 3 * 10**9, 10**9)):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{current}\n")
        (folder / "memory.stat").write_text("anon 5\ninactive_file 250000000\n")
    (tmp_path / "cgroup").write_text("1:name=systemd:/x\n0::/slice/job\n")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "cgroup")
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("V", (), {"available": 10**12}))
    monkeypatch.setattr(memory.psutil, "Process", lambda: type("P", (), {"memory_info": usage}))
    assert available_gb() == pytest.approx(3 - 1 + 0.25 + 0.5)


def usage():
    return type("M", (), {"rss": 500_000_000})


def test_without_control_groups_the_machine_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "absent")
    assert 0 < available_gb() < 100_000

"""What a specification may say about who does the work."""

import pytest

from synth_tasks.release.sections import RunSpec


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_cluster_may_be_there_already(runner: str) -> None:
    assert RunSpec(runner=runner, scheduler="tcp://127.0.0.1:8786").options == {}


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_a_scheduler_of_threads_or_processes_is_refused(runner: str) -> None:
    with pytest.raises(ValueError, match=r"run\.scheduler needs run\.runner: dask"):
        RunSpec(runner=runner, scheduler="tcp://127.0.0.1:8786")


def test_options_are_those_of_the_runner() -> None:
    assert RunSpec(runner="dask", options={"memory_limit": "2GB"}).options["memory_limit"] == "2GB"
    with pytest.raises(ValueError, match=r"unknown option 'memory_limit' for ray: _temp_dir"):
        RunSpec(runner="ray", options={"memory_limit": "2GB"})
    with pytest.raises(ValueError, match=r"'memory_limit' for threads: threads have none"):
        RunSpec(options={"memory_limit": "2GB"})


def test_a_cluster_that_is_there_takes_no_options() -> None:
    with pytest.raises(ValueError, match=r"leave out run\.scheduler"):
        RunSpec(runner="dask", scheduler="tcp://a:1", options={"memory_limit": "2GB"})

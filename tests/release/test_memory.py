"""A release that does not fit is refused before it is begun."""

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release import memory
from synth_tasks.release.cost import CELL, PROGRAM, Workload, peak_gb
from synth_tasks.release.memory import check_memory, check_parts_memory, check_source_memory
from synth_tasks.release.survey import survey_source
from tests.release.builders import make_people, make_site, people_spec
from tests.tasks.part_releasing import census_site, census_spec

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


def test_every_worker_process_needs_the_program_once_more(tmp_path):
    threads, processes = spec_of(tmp_path), spec_of(tmp_path, runner="processes")
    enough = predicted(threads)
    assert predicted(processes, runner="processes") == pytest.approx(enough + 4 * PROGRAM)
    check_memory(threads, MILLION, 20, available=enough)
    with pytest.raises(SpecError, match=r"set run.workers to [123]"):
        check_memory(processes, MILLION, 20, available=enough)


# --- before a source is read ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_source_that_does_not_fit_is_refused_unread(tmp_path, monkeypatch, kind):
    people = make_people()
    write = {"csv": people.to_csv, "parquet": people.to_parquet, "arrow": people.to_feather}
    write[kind](tmp_path / f"table.{kind}")
    spec = people_spec(tmp_path, dataset={"name": "x", "source": {kind: f"table.{kind}"}})
    monkeypatch.setattr("synth_tasks.release.sources.files.to_frame", None)  # nothing is read
    check_source_memory(spec, available=1.0)
    with pytest.raises(SpecError, match=r"rows.* and 1?\d columns need about 0.6 GB"):
        check_source_memory(spec, available=0.1)


def test_a_refusal_says_that_the_rows_of_csv_are_estimated(tmp_path):
    spec = people_spec(make_site(tmp_path))
    with pytest.raises(SpecError, match=r"about \d+ rows \(estimated from the size of the file\)"):
        check_source_memory(spec, available=0.1)


def test_what_does_not_tell_its_size_is_judged_when_it_was_read(tmp_path):
    spec = people_spec(tmp_path, dataset={"name": "x", "source": {"builtin": "boys"}})
    check_source_memory(spec, available=0.1)


# --- in parts -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    spec = census_spec(census_site(tmp_path_factory.mktemp("census")))
    return spec, survey_source(spec).schema


def test_strata_that_do_not_fit_are_refused(parts):
    spec, schema = parts
    check_parts_memory(spec, [MILLION] * 20, schema, available=100)
    with pytest.raises(SpecError, match=r"2 strata of up to 100000000 rows .*synthesis.strata"):
        check_parts_memory(spec, [10, 100 * MILLION], schema, available=2)


def test_fewer_workers_are_the_first_remedy_for_strata_too(parts):
    spec, schema = parts
    run = spec.run.model_copy(update={"workers": 4})
    spec = spec.model_copy(update={"run": run, "analysis": []})
    one = spec.model_copy(update={"run": spec.run.model_copy(update={"workers": 1})})
    sizes, enough = [20 * MILLION] * 8, 30.0
    check_parts_memory(one, sizes, schema, available=enough)
    with pytest.raises(SpecError, match=r"set run.workers to \d"):
        check_parts_memory(spec, sizes, schema, available=enough)


def test_parts_on_a_cluster_of_others_are_not_judged(parts):
    spec, schema = parts
    run = {"runner": "dask", "scheduler": "tcp://127.0.0.1:8786"}
    spec = spec.model_copy(update={"run": spec.run.model_copy(update=run)})
    check_parts_memory(spec, [100 * MILLION], schema, available=1)

"""The cost of a release in parts is that of its strata, and grows as their work does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.release.cost import (
    CELL,
    PROGRAM,
    START_WORKER,
    SUITE,
    Workload,
    model_seconds,
    release_cost,
)
from synth_tasks.release.parts import GROUP_ROWS
from synth_tasks.release.parts_cost import (
    DISCLOSE,
    TYPES,
    PartsWorkload,
    parts_cost,
)
from synth_tasks.release.parts_memory import largest_step, parts_peak_gb
from synth_tasks.release.preview_parts import parts_workload, preview_parts
from synth_tasks.release.survey import survey_source
from tests.tasks.part_releasing import census_site, census_spec

OVER_STRATA = ("impute", "fit", "draw", "summarise", "link", "cross-fit")


def work_of(*sizes: int, **changes) -> PartsWorkload:
    settings = {"imputed": 3, "imputed_columns": 57, "maxit": 2, "m": 2, "workers": 1}
    settings["levels"] = 40
    whole = {k: v for k, v in changes.items() if k in Workload.__dataclass_fields__}
    parts = {k: v for k, v in changes.items() if k not in whole}
    table = Workload(sum(sizes), 20, 20, 190, **(settings | whole))
    return PartsWorkload(table, sizes, **({"analysed": (3, 2)} | parts))


sizes = st.lists(st.integers(300, 10**6), min_size=1, max_size=8)


@given(sizes)
def test_what_is_done_in_strata_is_the_sum_over_them(rows):
    whole = parts_cost(work_of(*rows))
    single = [parts_cost(work_of(n)) for n in rows]
    for stage in OVER_STRATA:
        assert whole[stage] == pytest.approx(sum(each[stage] for each in single)), stage


def test_models_cost_n_log_n_of_each_stratum():
    even, uneven = work_of(5000, 5000), work_of(1000, 9000)
    expected = sum(model_seconds(n, 190, 40, 20) for n in uneven.sizes)
    assert parts_cost(uneven)["fit"] == pytest.approx(expected)
    assert parts_cost(uneven)["fit"] > parts_cost(even)["fit"]


def test_links_grow_with_the_stratum_only_as_far_as_its_sample_does_not_shrink():
    link = {n: parts_cost(work_of(n))["link"] for n in (25_000, 50_000, 200_000, 500_000, 10**6)}
    assert link[50_000] == pytest.approx(2 * link[25_000])
    assert link[200_000] == pytest.approx(link[50_000])  # 750 rows with 200,000: as many pairs
    assert link[10**6] == pytest.approx(2 * link[500_000])  # no fewer than 300 rows


def test_samples_keep_measures_and_controls_from_growing():
    small, large = work_of(50_000), work_of(800_000)
    assert parts_cost(large)["cross-fit"] == pytest.approx(parts_cost(small)["cross-fit"])
    grown = parts_cost(large)["measure"] - parts_cost(small)["measure"]
    # Disclosure is measured on all rows.
    assert grown == pytest.approx(DISCLOSE * 750_000 * 20 * 2)
    more = replace(large, sample_rows=800_000)
    assert parts_cost(more)["measure"] > parts_cost(large)["measure"] + grown


def test_each_stratum_has_suites_for_source_completed_data_and_sets():
    def suites(**changes) -> float:
        return parts_cost(work_of(1000, 1000, 1000, **changes))["suites"]

    one = (suites(m=1, imputations=1) - SUITE) / 3
    assert suites(m=5, imputations=1) - SUITE == pytest.approx((1 + 1 + 5) * one)
    assert suites(m=5, imputations=4) - SUITE == pytest.approx((1 + 4 + 20) * one)


def test_a_cross_fit_is_counted_where_it_is_made():
    assert parts_cost(work_of(5000, cross_fit=False))["cross-fit"] == 0
    assert parts_cost(work_of(5000))["cross-fit"] > 0


def test_types_of_csv_cost_a_pass_in_each_survey():
    def more(n_rows: int) -> float:
        table = work_of(n_rows)
        typed = parts_cost(replace(table, types=True))["read and check"]
        return typed - parts_cost(table)["read and check"]

    assert more(10**6) == pytest.approx(2 * TYPES * 20 * 10**6)


def test_analyses_read_their_columns_of_all_rows():
    def analyse(*columns: int) -> float:
        return parts_cost(work_of(5000, 5000, analysed=columns))["analyse"]

    assert analyse() == 0
    assert analyse(4, 2) == pytest.approx(2 * analyse(3))


def test_strata_are_worked_on_at_the_same_time_though_there_is_a_single_set():
    one = parts_cost(work_of(*[10**5] * 8, m=1))
    four = parts_cost(work_of(*[10**5] * 8, m=1, workers=4, cores=4))
    for stage in ("fit", "draw", "link", "cross-fit"):
        assert four[stage] == pytest.approx(one[stage] / 4), stage


def test_the_largest_stratum_decides_how_long_it_takes():
    uneven = work_of(10**6, 1000, 1000, workers=3, cores=3)
    assert parts_cost(uneven)["fit"] == pytest.approx(parts_cost(work_of(10**6))["fit"])


@pytest.mark.parametrize("runner", ["processes", "dask", "ray"])
def test_workers_that_are_processes_start_and_need_the_program(runner):
    threads = work_of(*[10**5] * 8, workers=4, cores=2)
    processes = replace(threads, whole=replace(threads.whole, runner=runner))
    late = parts_cost(processes)["start Prefect"] - parts_cost(threads)["start Prefect"]
    assert late == pytest.approx(START_WORKER[runner] * 4 / 2)
    assert late > 0
    assert parts_peak_gb(processes) == pytest.approx(parts_peak_gb(threads) + 4 * PROGRAM)
    whole = release_cost(processes.whole)
    assert whole.seconds["start Prefect"] == parts_cost(processes)["start Prefect"]
    assert whole.peak_gb == pytest.approx(release_cost(threads.whole).peak_gb + 4 * PROGRAM)


# --- memory ---------------------------------------------------------------------------------------


def test_rows_that_wait_for_their_group_count_in_the_peak():
    few, many = work_of(*[200_000] * 50, analysed=()), work_of(*[20_000] * 500, analysed=())
    assert (largest_step(many), few.whole.n_rows) == ("reading", many.whole.n_rows)
    more = work_of(*[20_000] * 1000, analysed=())
    waiting = 500 * GROUP_ROWS * 20 * CELL
    assert parts_peak_gb(more) - parts_peak_gb(many) == pytest.approx(waiting)


def test_the_peak_is_of_the_largest_stratum_for_each_worker_or_of_an_analysis():
    one, two = (work_of(*[10**7] * 4, workers=n, cores=2, analysed=()) for n in (1, 2))
    assert largest_step(one) == "strata"
    assert parts_peak_gb(two) - PROGRAM == pytest.approx(2 * (parts_peak_gb(one) - PROGRAM))
    assert largest_step(work_of(*[10**5] * 400, analysed=(10,))) == "analysis"
    assert largest_step(work_of(5000, 5000)) == "sample"


# --- as shown -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    spec = census_spec(census_site(tmp_path_factory.mktemp("site")))
    survey = survey_source(spec)
    return spec, survey, preview_parts(spec, survey, cores=1)


def test_the_preview_sums_over_the_strata_of_the_source(shown):
    spec, survey, preview = shown
    work = parts_workload(spec, survey, cores=1)
    assert work.sizes == tuple(survey.division.sizes)
    assert work.analysed == (3, 1)
    assert (work.sample_rows, work.cross_fit, work.types) == (1000, False, False)
    assert preview.cost.seconds == parts_cost(work)
    assert preview.cost.peak_gb == parts_peak_gb(work)


def test_variables_show_the_time_of_all_rows_in_their_strata(shown):
    _, survey, preview = shown
    seconds = preview.cost.seconds
    models = sum(variable.seconds for variable in preview.variables)
    assert models == pytest.approx(seconds["impute"] + seconds["fit"] + seconds["draw"])
    assert preview.n_rows == survey.n_rows


def test_a_census_of_a_million_rows_is_predicted_within_a_factor_of_two():
    """Measured: 235 s of processor time, and 1.7 GB in the process of the flow."""
    census = {"m": 1, "levels": 94, "imputed": 1, "imputed_columns": 80}
    work = work_of(*[50_000] * 20, **census)
    assert 0.5 < sum(parts_cost(work).values()) / 235 < 2
    assert 0.5 < parts_peak_gb(work) / 1.7 < 2


def test_a_census_of_ten_million_rows_is_predicted_within_a_factor_of_two():
    """Measured: 832 s of processor time, and 7.1 GB in all processes together."""
    census = {"m": 1, "levels": 94, "imputed": 1, "imputed_columns": 80, "maxit": 2}
    rows = [round(10**7 * share / 70) for share in np.linspace(1, 6, 20)]
    assert 0.5 < sum(parts_cost(work_of(*rows, workers=1, **census)).values()) / 832 < 2
    assert 0.5 < parts_peak_gb(work_of(*rows, workers=2, **census)) / 7.1 < 2

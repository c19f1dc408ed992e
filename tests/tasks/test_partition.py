"""A release in parts: what it is equal to, and what may not change it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.engine import fit_synthesizer
from synth_tasks.errors import DataError, PlanError, SpecError
from synth_tasks.release import survey
from synth_tasks.release.bundle import verify
from synth_tasks.release.contents import read_contents
from synth_tasks.release.plans import plan_synthesis
from synth_tasks.release.results import Check, SuiteResult
from synth_tasks.release.survey import survey_source
from synth_tasks.seeding import generator
from synth_tasks.tasks import part_models, part_whole
from synth_tasks.tasks.context import prepare
from synth_tasks.tasks.part_ingest import ingest_parts
from synth_tasks.tasks.part_made import join_results
from synth_tasks.tasks.part_models import complete_strata, draw_sizes
from synth_tasks.tasks.part_sampling import sample_alike
from tests.benchmarks.census import census
from tests.tasks.part_releasing import (
    COLUMNS,
    N_ROWS,
    census_site,
    census_spec,
    draw_parts,
    make_parted,
    release_in_parts,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site(tmp_path) -> Path:
    return census_site(tmp_path / "site")


def hashes(drawn):
    return [[each.ref.sha256 for each in own.controlled] for own in drawn]


# --- what it is equal to --------------------------------------------------------------------------


def test_sets_are_those_that_the_engine_draws_of_the_whole_table(tmp_path):
    site = census_site(tmp_path / "whole")
    whole = census(N_ROWS)[COLUMNS].dropna().reset_index(drop=True)
    whole.to_parquet(site / "census.parquet", row_group_size=500)
    spec = census_spec(site)
    context = prepare(spec)
    _, drawn = draw_parts(context, batch_rows=400)
    schema = infer_schema(whole)
    matrix = encode(whole, schema)
    fitted = fit_synthesizer(plan_synthesis(spec, schema, matrix), matrix)
    for number in (1, 2):
        parts = [context.workspace().read_table(own.controlled[number - 1].ref)[0] for own in drawn]
        np.testing.assert_array_equal(np.concatenate(parts), fitted.draw(5, number))


def test_a_stratum_without_holes_is_its_own_completion_in_every_imputation(site):
    frame = census(N_ROWS)[COLUMNS]
    rows = frame["region"] == "region 20"
    frame.loc[rows, "income"] = frame["income"].median()
    frame.to_parquet(site / "census.parquet")
    context = prepare(census_spec(site, imputation={"m": 2}))
    completed = complete_strata.fn(context, ingest_parts.fn(context).strata)
    (whole,) = [each for each in completed if each.stratum.label == "region 20"]
    assert whole.stratum.holes == 0
    assert whole.refs == [whole.stratum.ref] * 2
    others = [each for each in completed if each.stratum.holes]
    assert len(others) > 1
    assert all(len({ref.sha256 for ref in each.refs}) == 2 for each in others)
    assert {len(each.suites) for each in completed} == {3}


def test_strata_are_as_many_rows_as_the_source_and_small_ones_are_merged(site):
    ingested = ingest_parts.fn(prepare(census_spec(site)))
    sizes = [stratum.rows for stratum in ingested.strata]
    assert sum(sizes) == N_ROWS
    assert min(sizes) >= 150
    assert len(sizes) < 20
    assert any(" + " in stratum.label for stratum in ingested.strata)
    n_missing = census(N_ROWS)["income"].isna().sum()
    assert ingested.missing_values["income"] == n_missing
    assert sum(stratum.holes for stratum in ingested.strata) == n_missing


# --- what may not change it -----------------------------------------------------------------------


def test_neither_the_order_of_strata_nor_pieces_nor_chunks_change_a_byte(
    site, tmp_path, monkeypatch
):
    spec = census_spec(site)
    ingested, drawn = draw_parts(prepare(spec))
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "other"))
    backwards = range(len(ingested.strata))[::-1]
    again, others = draw_parts(prepare(spec), order=backwards, batch_rows=333)
    assert again.fingerprint == ingested.fingerprint
    assert [s.ref.sha256 for s in again.strata] == [s.ref.sha256 for s in ingested.strata]
    assert hashes(others) == hashes(drawn)


def test_other_rows_have_another_fingerprint(site):
    spec = census_spec(site)
    before = ingest_parts.fn(prepare(spec)).fingerprint
    frame = census(N_ROWS)[COLUMNS]
    frame.loc[17, "age"] = 41 if frame.loc[17, "age"] != 41 else 42
    frame.to_parquet(site / "census.parquet")
    assert ingest_parts.fn(prepare(spec)).fingerprint != before


def test_a_stratum_that_is_missing_in_most_pieces_is_found(site):
    frame = census(N_ROWS)[COLUMNS].sort_values("region", kind="stable")
    frame.to_parquet(site / "census.parquet", row_group_size=300)
    _, drawn = draw_parts(prepare(census_spec(site)), batch_rows=300)
    found = sum(own.controlled[0].ref.rows for own in drawn)
    assert found == N_ROWS


def test_a_killed_run_goes_on_with_the_strata_that_are_not_done(site, monkeypatch):
    context = prepare(census_spec(site))
    ingested = ingest_parts.fn(context)
    done = len(ingested.strata) // 2
    calls: list[int] = []
    impute = part_models.impute.fn

    class Killed(BaseException):
        pass

    def counted(own, raw):
        if len(calls) == done:
            raise Killed
        calls.append(own.stratum)
        return impute(own, raw)

    monkeypatch.setattr(part_models.impute, "fn", counted)
    with pytest.raises(Killed):
        draw_parts(context)
    stages = context.workspace().folder / "stages"
    finished = {path.name for path in stages.glob("set-*")}
    assert len(finished) == 2 * done
    written = {path: path.stat().st_mtime_ns for path in stages.glob("s*-*/result.json")}
    monkeypatch.setattr(part_models.impute, "fn", impute)
    _, drawn = draw_parts(context)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert len(list(stages.glob("set-*"))) == 2 * len(drawn)
    assert not list(stages.glob(".parts*"))


# --- sizes, samples, verdicts ---------------------------------------------------------------------


def test_sizes_are_drawn_but_stay_where_columns_are_kept(site):
    context = prepare(census_spec(site))
    strata = ingest_parts.fn(context).strata
    sizes = np.array(draw_sizes(context, strata))
    assert sizes.sum(axis=0).tolist() == [N_ROWS, N_ROWS]
    assert (sizes[:, 0] != [s.rows for s in strata]).any()
    kept = prepare(census_spec(site, synthesis={"m": 2, "strata": ["region"], "keep": ["region"]}))
    assert draw_sizes(kept, strata) == [[s.rows] * 2 for s in strata]


def test_a_stratum_without_a_row_is_refused(site):
    context = prepare(census_spec(site))
    strata = ingest_parts.fn(context).strata
    few = prepare(census_spec(site, synthesis={"m": 2, "strata": ["region"], "k": 3}))
    with pytest.raises(SpecError, match=r"synthesis\.k is so small that a stratum has no row"):
        draw_sizes(few, strata)


def test_samples_hold_rows_from_all_over_a_sorted_table_even_if_the_other_is_short():
    long, short = np.arange(1000.0)[:, None], np.arange(100.0)[:, None]
    found = np.zeros(1000)
    for seed in range(200):
        some, few = sample_alike((long, short), (50, 50), generator(seed, "rows"))
        assert len(some) == len(few) == 50
        assert (np.diff(some[:, 0]) > 0).all()
        found[some[:, 0].astype(int)] += 1
    # Each of ten blocks of rows is drawn 200 * 50 / 10 times, but for a binomial error.
    blocks = found.reshape(10, 100).sum(axis=1)
    assert np.abs(blocks - 1000).max() < 4 * np.sqrt(1000)


def test_samples_of_tables_of_equal_length_pair_the_same_rows():
    table = np.arange(80.0)[:, None]
    one, other = sample_alike((table, -table), (30, 30), generator(1, "rows"))
    np.testing.assert_array_equal(one, -other)
    (whole,) = sample_alike((table,), (500,), generator(1, "rows"))
    np.testing.assert_array_equal(whole, table)


def test_samples_of_a_sorted_source_reach_its_end_and_say_what_they_are_a_share_of(
    site, monkeypatch
):
    frame = census(N_ROWS)[COLUMNS].sort_values("age", kind="stable")
    frame.to_parquet(site / "census.parquet", row_group_size=700)
    given = []
    general = part_whole.assess_general

    def recorded(real, drawn, *arguments, **options):
        given.append((real, drawn, options["real_share"]))
        return general(real, drawn, *arguments, **options)

    monkeypatch.setattr(part_whole, "assess_general", recorded)
    synthesis = {"m": 1, "k": 500, "strata": ["sex"]}
    make_parted(census_spec(site, synthesis=synthesis, pooling={"rule": "raab2016"}))
    ((real, drawn, share),) = given
    assert (len(real), len(drawn)) == (pytest.approx(1000, abs=2), 500)
    assert share == len(real) / N_ROWS
    last = frame["age"].iloc[-N_ROWS // 10 :].min()
    in_sample = (real["age"] >= last).mean()
    expected = (frame["age"] >= last).mean()
    assert abs(in_sample - expected) < 4 * np.sqrt(expected * (1 - expected) / len(real))


def check(success: bool, detail: str) -> Check:
    return Check("a", "b", "critical", success, detail, "")


def test_a_check_is_met_if_it_is_met_in_every_stratum():
    results = [
        SuiteResult("s", f"stratum {i}", (check(ok, d), check(True, "")))
        for i, (ok, d) in enumerate(
            [(True, "0 of 10 unexpected"), (False, "2 of 5 unexpected")], start=1
        )
    ]
    joined = join_results(results, "set 1")
    assert joined.subject == "set 1"
    assert [c.success for c in joined.checks] == [False, True]
    assert joined.checks[0].detail == "2 of 15 unexpected; failed in stratum 2"


def test_a_stratum_that_the_source_suite_refuses_is_not_imputed(site, monkeypatch):
    frame = census(N_ROWS)[COLUMNS]
    frame.loc[frame.index[frame["region"] == "region 20"][0], "age"] = 999
    frame.to_parquet(site / "census.parquet")
    kwargs = {"column": "age", "max_value": 120}
    expectation = {"type": "expect_column_values_to_be_between", "kwargs": kwargs}
    suite = {"name": "source", "expectations": [expectation | {"severity": "critical"}]}
    (site / "source.json").write_text(json.dumps(suite))
    context = prepare(census_spec(site, policy={"suite": "gate.json", "source": "source.json"}))
    imputed = []
    impute = part_models.impute.fn

    def recorded(own, raw):
        imputed.append(own.stratum)
        return impute(own, raw)

    monkeypatch.setattr(part_models.impute, "fn", recorded)
    strata = ingest_parts.fn(context).strata[-3:]
    completed = complete_strata.fn(context, strata)
    (refused,) = [each for each in completed if not each.suites[0].passed]
    assert refused.stratum.label == "region 20"
    assert (refused.refs, len(refused.suites)) == ([], 1)
    assert imputed == [s.number for s in strata if s is not refused.stratum]


def test_an_error_names_the_stratum_by_its_number_and_no_value(site, monkeypatch):
    monkeypatch.setattr(survey, "_check_observed", lambda *_: None)  # finds it before the work
    frame = census(N_ROWS)[COLUMNS]
    frame.loc[frame["region"] == "region 20", "income"] = np.nan
    frame.to_parquet(site / "census.parquet")
    context = prepare(census_spec(site))
    ingested = ingest_parts.fn(context)
    worst = [s for s in ingested.strata if s.label == "region 20"]
    with pytest.raises(PlanError, match=rf"stratum {worst[0].number + 1}: .*'income'") as caught:
        complete_strata.fn(context, worst)
    assert "region 20" not in str(caught.value)


# --- the survey -----------------------------------------------------------------------------------


def test_the_survey_does_not_depend_on_pieces(site):
    spec = census_spec(site)
    one, other = survey_source(spec), survey_source(spec, 123)
    assert one.schema == other.schema
    np.testing.assert_array_equal(one.sample, other.sample)
    assert one.missing_values == other.missing_values
    assert one.division.labels == other.division.labels


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(number=range(len(f))), "'number' holds whole numbers, a different one"),
        (lambda f: f.assign(sex=["x", *f["sex"][1:]]), "'sex' has 1 categories seen in fewer"),
        (lambda f: f.assign(age=40), "'age' is constant"),
        (lambda f: f.assign(region=[None, *f["region"][1:]]), "'region' divides the data"),
    ],
)
def test_what_is_refused_of_a_whole_table_is_refused_of_pieces(site, change, message):
    change(census(N_ROWS)[COLUMNS]).to_parquet(site / "census.parquet", row_group_size=500)
    with pytest.raises(DataError, match=message):
        survey_source(census_spec(site), 500)


# --- all the way ----------------------------------------------------------------------------------


def test_a_release_in_parts_is_published_and_read_back(site):
    made, published = release_in_parts(census_spec(site))
    folder = Path(published.location)
    verify(folder)
    contents = read_contents(folder)
    n_strata = len(made.drawn)
    assert [len(one) for one in contents.sets] == [N_ROWS, N_ROWS]
    assert len(list((folder / "data" / "census-1").glob("part-*.parquet"))) == n_strata
    assert not list((folder / "data").glob("*.csv"))
    whole = pd.read_parquet(folder / "data" / "census-2")
    assert list(whole.columns) == COLUMNS
    assert contents.manifest["strata"] == n_strata
    synthesis = contents.manifest["synthesis"]
    assert synthesis["n"] == N_ROWS
    assert synthesis["divided_by"] == ["region"]
    # What holds for all strata, though the first is one region in which nothing learns from it.
    assert synthesis["predictors"]["sex"] == ["region", "age"]
    assert "predictors_chosen" not in synthesis
    assert set(contents.ledger["stratum"].dropna()) == {own.stratum.name for own in made.drawn}
    # Real sizes of strata are counts of people: they are not published.
    of_strata = contents.ledger[contents.ledger["stratum"].notna()]["n"]
    assert all(n == int(f"{float(f'{n:.2g}'):.0f}") for n in of_strata)
    page = (folder / "report.html").read_text()
    assert "random samples of" in page
    assert "stratum 1" not in page.split("Checks")[0]
    private = made.figures[0].samples[0][0]
    assert private.rows <= 1000
    code = (folder / "README.md").read_text()
    assert 'pd.read_parquet(f"data/census-{i}")' in code


def test_csv_is_written_in_one_file_when_it_is_asked_for(site):
    _, published = release_in_parts(
        census_spec(site, publish={"to": "releases", "seed": 5, "formats": ["csv", "parquet"]})
    )
    folder = Path(published.location)
    as_csv = pd.read_csv(folder / "data" / "census-1.csv")
    as_parquet = pd.read_parquet(folder / "data" / "census-1")
    assert as_csv["income"].tolist() == as_parquet["income"].tolist()
    assert len(as_csv) == N_ROWS


def test_figures_of_the_whole_are_means_over_strata_or_summaries(site):
    made, context = make_parted(census_spec(site))
    ledger = made.ledger
    matches = ledger[(ledger["metric"] == "unique_exact_match") & (ledger["set"] == 1)]
    strata = matches[matches["stratum"] != ""]
    rows = [s.rows for s in made.ingested.strata]
    assert len(strata) == len(rows)
    whole = matches[matches["stratum"] == ""]["value"].item()
    assert whole == pytest.approx(np.average(strata["value"], weights=strata["n"]))
    pairs = ledger[(ledger["metric"] == "spmse_pair") & (ledger["set"] == 1)]
    assert set(pairs["stratum"]) == {""}
    assert len(pairs) == len(COLUMNS) * (len(COLUMNS) - 1) / 2
    assert (pairs["n"] == 2 * N_ROWS).all()
    assert made.suites[-1].subject == "ledger"
    assert context.stratum is None


# --- memory ---------------------------------------------------------------------------------------


def write_numbers(path: Path, n_rows: int) -> None:
    rng = np.random.default_rng(1)
    columns = {f"x{i}": rng.standard_normal(n_rows) for i in range(9)}
    columns["region"] = pd.Categorical.from_codes(rng.integers(0, 4, n_rows), list("abcd"))
    pd.DataFrame(columns).to_parquet(path, row_group_size=50_000)


def test_reading_needs_no_more_memory_for_more_rows(tmp_path):
    write_numbers(tmp_path / "small.parquet", 100_000)
    write_numbers(tmp_path / "large.parquet", 800_000)
    command = [sys.executable, "-m", "tests.tasks.measure_ingest", str(tmp_path)]
    environment = os.environ | {"SYNTH_WORKSPACE": str(tmp_path / "workspace")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    megabytes = float(done.stdout.split()[-1])
    # A row group as it is read and encoded, a row group of 16,384 rows waiting for each of four
    # strata, the copies of both, and what the allocators keep; the table itself has 64 megabytes.
    assert megabytes < 25


@pytest.mark.parametrize("columns", [(["sex"], ["smoker"]), (["sex", "smoker"], ["smoker", "sex"])])
def test_strata_by_other_columns_are_divided_anew(tmp_path, monkeypatch, columns):
    """Even if sizes and names of the strata are the same."""
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    pairs = [("a", "b")] * 50 + [("b", "a")] * 50 + [("a", "a")] * 60 + [("b", "b")] * 60
    frame = pd.DataFrame(pairs, columns=["sex", "smoker"]).assign(income=np.arange(220) / 2)
    frame.to_parquet(tmp_path / "census.parquet")
    for strata in columns:
        synthesis = {"strata": strata, "min_stratum_size": 20}
        spec = census_spec(
            tmp_path, synthesis=synthesis, analysis=[], disclosure={"keys": ["sex"], "targets": []}
        )
        context = prepare(spec)
        workspace = context.workspace()
        for stratum in ingest_parts.fn(context).strata:
            rows = workspace.read_frame(stratum.ref)
            assert (rows[strata].nunique() == 1).all()
            assert stratum.label == "/".join(rows[strata].iloc[0])


def test_a_column_without_a_value_in_a_stratum_is_found_before_the_work(tmp_path, site):
    frame = census(N_ROWS)[COLUMNS]
    frame.loc[frame["region"].isin(["region 19", "region 20"]), "hours"] = None
    frame.to_parquet(site / "census.parquet", row_group_size=700)
    strata = {"strata": ["region"], "min_stratum_size": 20}
    with pytest.raises(DataError, match=r"'hours' has no value in 2 of .*keep_missing"):
        survey_source(census_spec(site, synthesis=strata))
    kept = {"hours": {"keep_missing": True}}
    survey_source(census_spec(site, synthesis=strata, variables=kept, analysis=[]))
    computed = {"maxit": 1, "method": {"hours": "~ age / 2"}}
    survey_source(census_spec(site, synthesis=strata, imputation=computed))
    survey_source(census_spec(site, synthesis={"strata": ["sex"]}))

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
import statsmodels.formula.api as smf
import yaml
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_HOME
from prefect.states import Completed

from flows.release import main, release
from synth_tasks import load_boys
from synth_tasks.release.bundle import verify, write_manifest
from synth_tasks.release.spec_files import parse_spec, read_spec
from synth_tasks.release.stores import open_store
from synth_tasks.tasks.context import prepare
from tests.release.builders import make_site, people_content

ROOT = Path(__file__).parents[2]
BOYS = ROOT / "deployments" / "boys.yaml"


def boys_spec(**changes):
    content = yaml.safe_load(BOYS.read_text())
    for section, values in changes.items():
        content[section] = {**content.get(section, {}), **values}
    return parse_spec(yaml.safe_dump(content), base=BOYS.parent)


def own_nearest_neighbour_rate(synthetic, real):
    """Share of rows whose nearest real row, by scaled distance, is the row of the same number."""
    numbers = ["age", "hgt", "wgt", "bmi", "hc", "tv"]
    scale = real[numbers].astype(float).std()
    a = (synthetic[numbers].astype(float) / scale).to_numpy()
    b = (real[numbers].astype(float) / scale).to_numpy()
    distance = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return (distance.argmin(axis=1) == np.arange(len(a))).mean()


@pytest.fixture(scope="module")
def boys_release(tmp_path_factory):
    """The release of boys as the README makes it, through the whole flow."""
    folder = tmp_path_factory.mktemp("boys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(folder / "workspace"))
        state = release(read_spec(BOYS), str(folder / "releases"), return_state=True)
    assert state.is_completed(), state.message
    return folder


@pytest.fixture(scope="module")
def latest(boys_release):
    return boys_release / "releases" / "boys" / "latest"


@pytest.fixture(scope="module")
def sets(latest):
    return [pd.read_parquet(latest / "data" / f"boys-{i}.parquet") for i in range(1, 6)]


class TestReleaseOfBoys:
    def test_every_set_has_748_complete_rows_with_the_dtypes_of_the_source(self, sets):
        expected = load_boys().dtypes
        for frame in sets:
            assert frame.shape == (748, 9)
            assert frame.notna().all(axis=None)
            pd.testing.assert_series_equal(frame.dtypes, expected)

    def test_bmi_is_exact_in_every_row_of_every_set_and_format(self, latest, sets):
        for number, frame in enumerate(sets, start=1):
            # The reader of pandas 2 is not exact in the last digit.
            as_csv = pa.csv.read_csv(latest / "data" / f"boys-{number}.csv").to_pandas()
            for table in (frame, as_csv):
                assert (table["bmi"] == table["wgt"] / (table["hgt"] / 100) ** 2).all()

    def test_sets_differ_from_each_other(self, sets):
        assert len({frame.to_csv() for frame in sets}) == 5

    def test_the_bundle_is_complete_and_verifies(self, latest):
        names = {p.name for p in latest.iterdir()}
        assert names == {
            "data", "inference", "validation",
            "README.md", "datapackage.json", "manifest.json", "report.html",
        }  # fmt: skip
        verify(latest)

    def test_own_source_is_nearest_at_chance_level(self, latest):
        ledger = pd.read_csv(latest / "validation" / "ledger.csv")
        linkage = ledger[ledger["metric"] == "self_linkage"]
        assert len(linkage) == 5
        assert linkage["value"].mean() < 4 / 748
        assert (linkage["lower"] < 1 / 748).all()

    def test_published_rows_are_in_random_order(self, sets):
        real = load_boys().fillna({"hgt": 130, "wgt": 37, "bmi": 18, "hc": 52, "tv": 8})
        assert np.mean([own_nearest_neighbour_rate(s, real) for s in sets]) < 5 / 748

    def test_pooled_estimates_follow_reiter_2003(self, latest, sets):
        pooled = pd.read_csv(latest / "inference" / "pooled-1.csv").set_index("term")
        fits = [smf.ols("age ~ wgt + hgt", s).fit() for s in sets]
        q = pd.DataFrame([fit.params.rename({"Intercept": "(Intercept)"}) for fit in fits])
        u = pd.DataFrame([fit.bse.rename({"Intercept": "(Intercept)"}) ** 2 for fit in fits])
        terms = list(pooled.index)
        within, between = u.mean()[terms], q.var(ddof=1)[terms]
        assert pooled["rule"].eq("reiter2003").all()
        np.testing.assert_allclose(pooled["estimate"], q.mean()[terms], rtol=1e-9)
        np.testing.assert_allclose(pooled["std_error"] ** 2, within + between / 5, rtol=1e-8)
        np.testing.assert_allclose(pooled["df"], 4 * (1 + within / (between / 5)) ** 2, rtol=1e-7)

    def test_the_manifest_tells_how_it_was_made(self, latest):
        manifest = json.loads((latest / "manifest.json").read_text())
        synthesis = manifest["synthesis"]
        assert (synthesis["m"], synthesis["n"], synthesis["k"]) == (5, 748, 748)
        assert synthesis["conditioning"] == "synthetic"
        assert synthesis["methods"]["bmi"].startswith("~")
        assert synthesis["predictors"]["age"] == []
        assert synthesis["predictors"]["hgt"] == ["age"]
        assert manifest["pooling_rule"] == "reiter2003"
        assert all(gate["passed"] for gate in manifest["gates"] if gate["severity"] == "critical")

    def test_the_workspace_is_purged_but_keeps_the_private_report(self, boys_release):
        workspace = boys_release / "workspace" / "boys"
        assert list((workspace / "stages").iterdir()) == []
        (report,) = (workspace / "reports").glob("*/report.html")
        assert report.stat().st_mode & 0o777 == 0o600

    def test_a_second_run_publishes_nothing_new(self, boys_release, monkeypatch):
        monkeypatch.setenv("SYNTH_WORKSPACE", str(boys_release / "workspace"))
        releases = boys_release / "releases" / "boys"
        before = sorted(p.name for p in releases.iterdir())
        state = release(read_spec(BOYS), str(boys_release / "releases"), return_state=True)
        assert state.is_completed()
        assert state.message.startswith("nothing new")
        assert sorted(p.name for p in releases.iterdir()) == before

    def test_the_interface_shows_tasks_and_artifacts(self, boys_release):
        with get_client(sync_client=True) as client:
            keys = {a.key for a in client.read_artifacts()}
            names = {f.name for f in client.read_flow_runs()}
        assert {"boys-progress", "boys-gate", "boys-estimates", "boys-release"} <= keys
        assert "release-boys" in names

    def test_a_changed_spec_makes_a_new_version_and_going_back_names_the_first_again(
        self, boys_release, monkeypatch
    ):
        monkeypatch.setenv("SYNTH_WORKSPACE", str(boys_release / "workspace"))
        releases = boys_release / "releases" / "boys"
        first = os.readlink(releases / "latest")
        changed = boys_spec(synthesis={"options": {"cart": {"minbucket": 12, "cp": 1e-8}}})
        state = release(changed, str(boys_release / "releases"), return_state=True)
        assert state.is_completed(), state.message
        second = os.readlink(releases / "latest")
        assert second.startswith("2-")
        assert (releases / first / "manifest.json").is_file()
        one, two = (releases / v / "data" / "boys-1.csv" for v in (first, second))
        assert one.read_bytes() != two.read_bytes()

        state = release(read_spec(BOYS), str(boys_release / "releases"), return_state=True)
        assert "`latest` names it again" in state.message
        assert os.readlink(releases / "latest") == first


class TestLimits:
    def test_a_task_that_takes_too_long_ends_the_run_without_a_trace(
        self, tmp_path, workspace_root
    ):
        spec = boys_spec(run={"timeout_minutes": 1e-5})
        state = release(spec, str(tmp_path / "releases"), return_state=True)
        assert state.is_failed()
        assert "run.timeout_minutes" in state.message
        assert not (tmp_path / "releases").exists()

    def test_a_release_without_memory_ends_before_it_is_made(self, tmp_path, workspace_root):
        spec = boys_spec(run={"memory_gb": 0.1})
        state = release(spec, str(tmp_path / "releases"), return_state=True)
        assert state.is_failed()
        assert "run.memory_gb" in state.message
        assert not (tmp_path / "releases").exists()

    def test_two_runs_of_one_data_set_do_not_mix(self, tmp_path, workspace_root):
        with prepare(boys_spec(), str(tmp_path / "releases")).workspace().lock():
            state = release(boys_spec(), str(tmp_path / "releases"), return_state=True)
        assert state.is_failed()
        assert "another run is working on 'boys'" in state.message


class TestFailingGate:
    @pytest.fixture
    def refused(self, tmp_path, workspace_root):
        """R's scheme links rows to persons; the gate must see it."""
        releases = tmp_path / "releases"
        previous = releases / "boys" / "1-00000000"
        previous.mkdir(parents=True)
        write_manifest(previous, {"digest": "0" * 64})
        (releases / "boys" / "latest").symlink_to(previous.name)
        linked = boys_spec(synthesis={"conditioning": "observed"})
        return release(linked, str(releases), return_state=True), releases / "boys"

    def test_it_fails_with_the_failing_rows_and_publishes_nothing(self, refused):
        state, folder = refused
        assert state.is_failed()
        assert "self_linkage_excess set" in state.message
        assert "allowed" in state.message
        assert "\n" not in state.message
        assert sorted(p.name for p in folder.iterdir()) == ["1-00000000", "latest"]
        assert os.readlink(folder / "latest") == "1-00000000"


class TestConfidentiality:
    def test_no_cell_of_a_failing_run_reaches_the_database_of_prefect(
        self, tmp_path, workspace_root
    ):
        frame = load_boys()[["age", "hgt", "wgt"]].dropna().head(60)
        frame["wgt"] = frame["wgt"] + 0.00731
        frame.loc[frame.index[3], "wgt"] = 87654.321987
        frame.to_csv(tmp_path / "marked.csv", index=False)
        suite = {
            "name": "source",
            "expectations": [
                {
                    "type": "expect_column_values_to_be_between",
                    "kwargs": {"column": "wgt", "min_value": 0, "max_value": 200},
                },
                {
                    "type": "expect_column_max_to_be_between",
                    "kwargs": {"column": "wgt", "min_value": 0, "max_value": 200},
                },
            ],
        }
        (tmp_path / "source.json").write_text(json.dumps(suite))
        spec = parse_spec(
            "dataset: {name: marked, source: {csv: marked.csv}}\ndisclosure: {keys: [age]}\n"
            "policy: {source: source.json}",
            base=tmp_path,
        )
        state = release(spec, str(tmp_path / "releases"), return_state=True)
        assert state.is_failed()
        assert "1 of 60 unexpected" in state.message
        assert not list((tmp_path / "releases").rglob("*.csv"))
        for text in _everything_prefect_stores():
            assert "87654.32" not in text


def _everything_prefect_stores():
    with get_client(sync_client=True) as client:
        yield str([r.model_dump() for r in client.read_flow_runs()])
        yield str([r.model_dump() for r in client.read_task_runs()])
        yield str([r.model_dump() for r in client.read_logs()])
        yield str([r.model_dump() for r in client.read_artifacts()])
    for path in PREFECT_HOME.value().rglob("*"):
        if path.suffix == ".db":
            with sqlite3.connect(path) as connection:
                yield "\n".join(connection.iterdump())
        elif path.is_file():
            yield path.read_bytes().decode("utf-8", errors="replace")


class TestCommandLine:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("dataset: {name: x, source: {csv: absent.csv}}", "absent.csv"),
            ("dataset: {name: x, source: {builtin: boys}, drop: [nope]}", "nope"),
            ("dataset: {name: x, sorce: {}}", "dataset"),
            (
                "dataset: {name: x, source: {builtin: boys}}\n"
                "synthesis: {method_by_variable: {reg: norm}}",
                "'norm' cannot be used for the nominal variable 'reg'",
            ),
            (
                "dataset: {name: x, source: {builtin: boys}}\n"
                "synthesis: {method_by_variable: {bmi: '~ hgt + 0*wgt', wgt: '~ bmi'}}",
                "circle",
            ),
            (
                "dataset: {name: x, source: {builtin: boys}}\n"
                "synthesis: {method_by_variable: {bmi: \"~ __import__('os')\"}}",
                "unknown function '__import__'",
            ),
            (
                "dataset: {name: x, source: {builtin: boys}}\nrun: {memory_gb: 0.1}",
                "748 rows and 9 columns need about 0.6 GB of memory, and 0.1 GB may be used",
            ),
        ],
    )
    def test_wrong_input_is_one_line_exit_2_and_nothing_written(
        self, tmp_path, workspace_root, capsys, text, expected
    ):
        (tmp_path / "spec.yaml").write_text(text)
        code = main(["--spec", str(tmp_path / "spec.yaml"), "--to", str(tmp_path / "releases")])
        output = capsys.readouterr()
        assert code == 2
        assert expected in output.err
        assert output.err.count("\n") == 1
        assert [p.name for p in tmp_path.iterdir()] == ["spec.yaml"]

    def test_a_refused_release_exits_1_and_says_why(self, tmp_path, workspace_root, capsys):
        content = yaml.safe_load(BOYS.read_text())
        content["synthesis"]["conditioning"] = "observed"
        content["policy"] = {"suite": "expectations/boys/gate.json"}
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(content))
        code = main(["--spec", str(tmp_path / "spec.yaml"), "--to", str(tmp_path / "releases")])
        assert code == 1
        assert "error: the gate refuses the release" in capsys.readouterr().err

    def test_a_release_goes_to_a_url_and_is_found_there(self, tmp_path, workspace_root, capsys):
        site = make_site(tmp_path)
        content = people_content(synthesis={"m": 2}, analysis=[])
        (site / "spec.yaml").write_text(yaml.safe_dump(content))
        arguments = ["--spec", str(site / "spec.yaml"), "--to", "memory://flow"]
        files = fsspec.filesystem("memory")
        try:
            assert main(arguments) == 0
            assert "\npublished memory://flow/people/1-" in capsys.readouterr().out
            (version,) = open_store("memory://flow", "people").versions()
            assert json.loads(files.cat_file("/flow/people/latest.json")) == {"version": version}
            assert main(arguments) == 0
            found = capsys.readouterr().out
            assert f"\nnothing new: memory://flow/people/{version} has the same data" in found
        finally:
            files.store.clear()

    def test_a_published_release_is_0_though_its_summary_cannot_be_shown(
        self, tmp_path, capsys, monkeypatch
    ):
        site = make_site(tmp_path)
        (site / "spec.yaml").write_text(yaml.safe_dump(people_content()))
        data = {"folder": str(tmp_path / "gone"), "new": True}
        state = Completed(message="published \x1b[2J", data=data)
        monkeypatch.setattr("flows.release.start_prefect", lambda _: True)
        monkeypatch.setattr("flows.release.release", lambda *_, **__: state)
        assert main(["--spec", str(site / "spec.yaml"), "--to", str(tmp_path / "releases")]) == 0
        why, line = capsys.readouterr().out.splitlines()
        assert why.startswith("not shown here: the summary failed: FileNotFoundError")
        assert line.startswith("published ?[2J (")

    def test_help_needs_no_data(self):
        result = subprocess.run(
            [sys.executable, "-m", "flows.release", "--help"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "--spec" in result.stdout

"""Server, worker and deployments together, as deployments/compose.yaml starts them.

Each further run takes a quarter of a minute, most of it spent waiting for the worker to look: those,
and everything on PostgreSQL, are marked as slow.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synth_tasks.release.bundle import verify
from synth_tasks.release.spec_files import read_spec
from tests.deployments.browser import CHROMIUM, Browser
from tests.deployments.topology import Topology, find_postgresql, postgresql, wait_until
from tests.release.builders import gate_item, write_gate

PASSWORD = 'not a secret: it\'s "for" a test'  # noqa: S105
N_TASKS = 36
BLOCKS = {
    "synthesis-database-source",
    "synthetic-release-store",
    "synthesis-private-workspace",
    "disclosure-policy",
}


@pytest.fixture(
    scope="module",
    params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.slow)],
)
def services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Topology]:
    """A server and a worker, and the deployments of deployments/prefect.yaml."""
    folder = tmp_path_factory.mktemp("services")
    if request.param == "SQLite":
        yield from running(Topology(folder, None, ""))
        return
    programs = find_postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgresql(programs, PASSWORD) as port:
        yield from running(Topology(folder, port, PASSWORD))


def running(topology: Topology) -> Iterator[Topology]:
    started = time.monotonic()
    try:
        topology.start("server")
        topology.run("deploy")
        topology.start("worker")
        print(f"\nserver, deployments and worker: {time.monotonic() - started:.1f} s")
        yield topology
    finally:
        topology.stop()


def tell_times(services: Topology, run: dict[str, Any]) -> None:
    """Print where the time went, for those who run the tests with -s."""
    due = datetime.fromisoformat(run["expected_start_time"])
    states = services.get("/flow_run_states/", flow_run_id=run["id"])
    for state in sorted(states, key=lambda s: s["timestamp"]):
        after = (datetime.fromisoformat(state["timestamp"]) - due).total_seconds()
        print(f"{run['name']}: {state['name']} {after:+.1f} s after it was due")
    seconds: Counter[str] = Counter()
    for task in services.find("task_runs", flow_runs={"id": {"any_": [run["id"]]}}):
        seconds[task["task_key"].rpartition(".")[2].rpartition("-")[0]] += task["total_run_time"]
    print(", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.most_common()))


@pytest.fixture(scope="module")
def scheduled(services: Topology) -> dict[str, Any]:
    """The run that a schedule has started: a real one, a few seconds ahead."""
    deployment = services.get("/deployments/name/release/boys")["id"]

    def plan(seconds: float) -> Any:
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        schedule = {"interval": 86_400, "anchor_date": due.isoformat()}
        added = [{"schedule": schedule, "active": True}]
        services.post(f"/deployments/{deployment}/schedules", added)
        # The server writes the runs to come once a minute; it need not be waited for.
        services.post(f"/deployments/{deployment}/schedule", {})
        runs = services.find("flow_runs", sort="EXPECTED_START_TIME_ASC")
        first = [r for r in runs if r["expected_start_time"][:19] <= due.isoformat()[:19]]
        return first[0]["id"] if first else None

    # On a busy machine three seconds may be over before the server has read the schedule.
    ahead = iter([3, 20, 60])
    run = services.finished(wait_until("the scheduled run", lambda: plan(next(ahead))))
    tell_times(services, run)
    return run


@pytest.fixture(scope="module")
def latest(services: Topology, scheduled: dict[str, Any]) -> Path:
    return services.checkout / "releases" / "boys" / "latest"


def test_a_schedule_publishes_the_release(scheduled: dict[str, Any], latest: Path) -> None:
    assert scheduled["state"]["type"] == "COMPLETED"
    assert scheduled["auto_scheduled"] is True
    assert scheduled["state"]["message"] == f"published {latest.resolve()}"
    assert scheduled["tags"].count("dataset:boys") == 1
    verify(latest)


def test_its_artifacts_are_there(services: Topology, scheduled: dict[str, Any]) -> None:
    run = {"flow_run_id": {"any_": [scheduled["id"]]}}
    artifacts = {a["key"]: a for a in services.find("artifacts", artifacts=run)}
    assert set(artifacts) == {"boys-progress", "boys-gate", "boys-estimates", "boys-release"}
    assert artifacts["boys-progress"]["data"] == 100.0
    gate = json.loads(artifacts["boys-gate"]["data"])
    assert {row["verdict"] for row in gate if row["severity"] == "critical"} == {"passed"}
    estimates = json.loads(artifacts["boys-estimates"]["data"])
    assert {"ols: wgt ~ age + hgt"} <= {row["analysis"] for row in estimates}
    assert "data:image/png;base64," in artifacts["boys-release"]["data"]


def test_its_tasks_are_recorded(services: Topology, scheduled: dict[str, Any]) -> None:
    this = {"flow_runs": {"id": {"any_": [scheduled["id"]]}}}

    def complete() -> bool:
        # The server writes a task first and its states some time later.
        types = [task["state_type"] for task in services.find("task_runs", **this)]
        return len(types) == N_TASKS and set(types) == {"COMPLETED"}

    wait_until("all completed tasks", complete)


def test_blocks_are_offered(services: Topology) -> None:
    slugs = {block["slug"] for block in services.find("block_types")}
    assert slugs >= BLOCKS


def test_its_life_is_told_as_events(services: Topology, scheduled: dict[str, Any]) -> None:
    resource = f"prefect.flow-run.{scheduled['id']}"

    def told() -> set[str]:
        content = {"filter": {"resource": {"id": [resource]}}}
        events = services.post("/events/filter", content)["events"]
        names = {event["event"] for event in events}
        return names if "prefect.flow-run.Completed" in names else set()

    assert {"prefect.flow-run.Pending", "prefect.flow-run.Running"} <= wait_until("events", told)


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(services: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser in which somebody has logged in."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        found.open(f"{services.address}/v2/")
        found.fill_in("input", services.password)
        found.wait_for("Dashboard", "Deployments")
        yield found


def test_the_page_of_the_run_shows_name_state_and_artifacts(
    services: Topology, scheduled: dict[str, Any], browser: Browser
) -> None:
    page = f"{services.address}/v2/runs/flow-run/{scheduled['id']}"
    browser.open(page)
    browser.wait_for(
        "release-boys", "Completed", f"{N_TASKS} Task runs", "[1/11] ingested 748 rows"
    )
    browser.open(f"{page}?tab=Artifacts")
    browser.wait_for("boys-release", "boys-estimates", "boys-gate", "TABLE", "Release 1-")


@pytest.mark.parametrize("key", ["boys-gate", "boys-estimates"])
def test_the_page_of_an_artifact_shows_its_table(
    services: Topology, scheduled: dict[str, Any], browser: Browser, key: str
) -> None:
    one = {"flow_run_id": {"any_": [scheduled["id"]]}, "key": {"any_": [key]}}
    (artifact,) = services.find("artifacts", artifacts=one)
    rows = json.loads(artifact["data"])
    browser.open(f"{services.address}/v2/artifacts/artifact/{artifact['id']}")
    browser.wait_for(key, "release-boys")
    (table,) = browser.tables()
    assert table[0] == list(rows[0])
    assert [row[:2] for row in table[1:]] == [list(row.values())[:2] for row in rows[:10]]


def test_the_published_report_shows_its_tables(latest: Path, browser: Browser) -> None:
    pooled = pd.concat(map(pd.read_csv, (latest / "inference").glob("pooled-*.csv")))
    age = pooled.query("analysis == 'ols: wgt ~ age + hgt' and term == 'age'")["estimate"].item()
    browser.open((latest.resolve() / "report.html").as_uri())
    browser.wait_for("ols: wgt ~ age + hgt")
    tables = browser.tables()
    assert len(tables) >= 5
    assert any(row[:2] == ["age", f"{age:.3g}"] for table in tables for row in table)


# --- what else starts runs, and what stops them ---------------------------------------------------


@pytest.mark.slow
def test_an_event_about_the_source_starts_a_run_that_finds_nothing_new(
    services: Topology, scheduled: dict[str, Any]
) -> None:
    event = {
        "event": "prefect-synth.source.changed",
        "resource": {"prefect.resource.id": "prefect-synth.dataset.boys"},
        "occurred": datetime.now(UTC).isoformat(),
        "id": "00000000-0000-4000-8000-000000000001",
    }
    services.post("/events", [event])

    def started() -> Any:
        runs = services.find("flow_runs")
        found = [r["id"] for r in runs if (r["created_by"] or {}).get("type") == "AUTOMATION"]
        return found[0] if found else None

    run = services.finished(wait_until("a run started by the event", started))
    tell_times(services, run)
    assert run["state"]["type"] == "COMPLETED"
    assert run["state"]["message"].startswith("nothing new")


@pytest.mark.slow
def test_a_policy_that_cannot_be_met_fails_with_its_reason_and_publishes_nothing(
    services: Topology, scheduled: dict[str, Any], latest: Path
) -> None:
    """The specification comes as the form sends it: all keys instead of a file."""
    before = sorted(p.name for p in latest.parent.iterdir())
    policy = write_gate(services.folder, gate_item("exact_match", max_value=-1))
    boys = services.checkout / "deployments" / "boys.yaml"
    content = read_spec(boys).model_dump(mode="json")
    content["policy"]["suite"] = str(policy)
    first = services.start_run("release/boys", spec=content)

    def begun() -> bool:
        return bool(services.get(f"/flow_runs/{first}")["state"]["type"] != "SCHEDULED")

    wait_until("the first run", begun)
    second = services.start_run("release/boys")
    run = services.finished(first)
    tell_times(services, run)
    assert run["state"]["type"] == "FAILED"
    assert "the gate refuses the release" in run["state"]["message"]
    assert "exact_match" in run["state"]["message"]
    assert sorted(p.name for p in latest.parent.iterdir()) == before
    # One run of a data set at a time.
    assert services.finished(second)["state"]["type"] == "CANCELLED"


def test_a_steward_approves_a_suspended_run(services: Topology) -> None:
    """The run ends, and is taken up again by the worker when the form is filled in."""
    content = read_spec(services.checkout / "deployments" / "boys.yaml").model_dump(mode="json")
    content["dataset"]["name"] = "decided"
    content["publish"]["approval"] = "always"
    run = services.start_run("release/boys", spec=content)

    def suspended() -> bool:
        return bool(services.get(f"/flow_runs/{run}")["state"]["name"] == "Suspended")

    wait_until("the suspended run", suspended)
    folder = services.checkout / "releases" / "decided"
    assert not folder.exists()
    (review,) = services.find("artifacts", artifacts={"key": {"any_": ["decided-review"]}})
    assert "may it be published?" in review["data"]

    answer = {"decision": "approve", "name": "Ada Lovelace", "reason": "seen and understood"}
    services.post(f"/flow_runs/{run}/resume", {"run_input": answer})
    assert services.finished(run)["state"]["type"] == "COMPLETED"
    approval = json.loads((folder / "latest" / "manifest.json").read_text())["approval"]
    assert (approval["approved"], approval["name"]) == (True, "Ada Lovelace")


def test_the_server_refuses_a_setting_out_of_bounds_before_any_run(
    services: Topology, scheduled: dict[str, Any]
) -> None:
    content = read_spec(services.checkout / "deployments" / "boys.yaml").model_dump(mode="json")
    content["synthesis"]["m"] = 0
    deployment = services.get("/deployments/name/release/boys")["id"]
    path = f"/deployments/{deployment}/create_flow_run"
    answer = services.ask("POST", path, json={"parameters": {"spec": content}})
    assert answer.status_code == 409
    assert "minimum" in answer.text


@pytest.mark.slow
def test_a_deployed_study_is_worked_on_by_dask_if_its_specification_says_so(
    services: Topology,
) -> None:
    distributed = pytest.importorskip("distributed")
    services.start("dask-scheduler")
    services.start("dask-worker")
    scheduler = f"tcp://127.0.0.1:{services.scheduler_port}"
    content = read_spec(services.checkout / "deployments" / "study.yaml").model_dump(mode="json")
    content["study"] = {"replicates": 8}
    content["run"] |= {"runner": "dask", "scheduler": scheduler}
    run = services.finished(services.start_run("study/boys", spec=content))
    assert run["state"]["type"] == "COMPLETED", run["state"]["message"]
    assert (services.checkout / "studies" / "boys" / "coverage.parquet").is_file()
    with distributed.Client(scheduler) as client:
        worked = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.transition_log))
    assert worked > 0


@pytest.mark.slow
def test_deploying_again_changes_nothing(services: Topology, scheduled: dict[str, Any]) -> None:
    def described() -> list[dict[str, Any]]:
        told = ("id", "name", "entrypoint", "parameters", "tags", "version", "pull_steps")
        found = services.find("deployments", sort="NAME_ASC")
        automations = {"name": [a["name"] for a in services.find("automations")]}
        return [*sorted(({k: d[k] for k in told} for d in found), key=str), automations]

    before = described()
    services.run("deploy")
    assert described() == before
    assert len(before) == 5  # four deployments, and what starts one of them

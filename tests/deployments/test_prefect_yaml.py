"""deployments/prefect.yaml against the flows it deploys; no server is needed."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.events import DeploymentEventTrigger
from prefect.flows import load_flow_from_entrypoint
from prefect.server.schemas.schedules import CronSchedule
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools import is_valid_schema, validate

import flows
import synth_tasks
from synth_tasks.errors import SpecError
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.spec_files import read_spec

ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = FILE["deployments"]
NAMES = [Path(d["entrypoint"].split(":")[0]).stem + "/" + d["name"] for d in DEPLOYMENTS]

pytestmark = pytest.mark.usefixtures("at_the_root")
each = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=NAMES)


@pytest.fixture
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points and specifications are named from the root of a checkout."""
    monkeypatch.chdir(ROOT)


def flow_of(deployment: dict[str, Any]) -> Flow:
    return load_flow_from_entrypoint(deployment["entrypoint"])


def form_of(deployment: dict[str, Any]) -> dict[str, Any]:
    return parameter_schema(flow_of(deployment)).model_dump_for_openapi()


def problems(deployment: dict[str, Any], **changes: Any) -> list[str]:
    """Say what the server would answer to a run with these parameters."""
    found = validate(deployment["parameters"] | changes, form_of(deployment))
    return [error.message for error in found]


def test_the_flows_of_boys_are_deployed() -> None:
    assert NAMES == ["release/boys", "study/boys", "frontier/boys", "reproduce/boys"]


@each
def test_parameters_are_accepted_by_the_server(deployment: dict[str, Any]) -> None:
    is_valid_schema(form_of(deployment))
    assert deployment["enforce_parameter_schema"] is True
    assert problems(deployment) == []


@each
def test_a_flow_gets_the_specification_that_a_file_holds(deployment: dict[str, Any]) -> None:
    parameters = flow_of(deployment).validate_parameters(deployment["parameters"])
    assert parameters["spec"] == read_spec(deployment["parameters"]["spec"])


@each
def test_a_specification_filled_in_the_form_is_accepted_too(deployment: dict[str, Any]) -> None:
    content = read_spec(deployment["parameters"]["spec"]).model_dump(mode="json")
    assert problems(deployment, spec=content) == []
    given = deployment["parameters"] | {"spec": content}
    parameters = flow_of(deployment).validate_parameters(given)
    assert (
        ReleaseSpec.model_validate(parameters["spec"]).digest()
        == read_spec(deployment["parameters"]["spec"]).digest()
    )


@each
@pytest.mark.parametrize(
    "spec",
    [
        "",
        7,
        {"dataset": {"name": "x"}},
        {"dataset": {"name": "x", "source": {"builtin": "boys"}}, "synthesis": {"m": 0}},
        {"dataset": {"name": "x", "source": {"builtin": "boys"}}, "sinthesis": {}},
    ],
    ids=["no name", "a number", "no source", "no set", "unknown key"],
)
def test_the_server_refuses_what_no_flow_would_take(deployment: dict[str, Any], spec: Any) -> None:
    assert problems(deployment, spec=spec)


@each
def test_the_server_refuses_a_parameter_that_the_flow_does_not_have(
    deployment: dict[str, Any],
) -> None:
    names = form_of(deployment)["properties"]
    assert (
        set(deployment["parameters"])
        <= set(names)
        == set(flow_of(deployment).parameters.properties)
    )


@each
def test_a_file_that_is_not_there_is_named(deployment: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"cannot read the release spec absent\.yaml"):
        flow_of(deployment).validate_parameters({"spec": "absent.yaml"})


@each
def test_the_form_offers_a_file_or_all_keys_in_the_order_of_the_specification(
    deployment: dict[str, Any],
) -> None:
    form = form_of(deployment)
    file, keys = form["properties"]["spec"]["anyOf"]
    assert (file["type"], file["title"]) == ("string", "Specification file")
    assert keys == {"$ref": "#/definitions/ReleaseSpec"}
    assert form["definitions"]["ReleaseSpec"]["title"] == "All keys"
    assert form["properties"]["spec"]["description"]
    for definition in form["definitions"].values():
        fields = definition.get("properties", {}).values()
        assert [field["position"] for field in fields] == list(range(len(fields)))


def test_what_is_made_again_is_what_the_release_publishes() -> None:
    released, again = DEPLOYMENTS[0]["parameters"], DEPLOYMENTS[3]["parameters"]
    name = read_spec(released["spec"]).dataset.name
    assert again == {"published": f"{released['to']}/{name}/latest", "spec": released["spec"]}


@each
def test_version_and_tags_are_those_of_package_and_data_set(deployment: dict[str, Any]) -> None:
    flow = flow_of(deployment)
    assert deployment["version"] == synth_tasks.__version__
    assert deployment["description"].endswith(".")
    assert deployment["tags"] == ["synthetic-data", flow.name, f"dataset:{deployment['name']}"]


@each
def test_one_run_of_a_data_set_at_a_time(deployment: dict[str, Any]) -> None:
    limit = ConcurrencyLimitConfig.model_validate(deployment["concurrency_limit"])
    assert (limit.limit, limit.collision_strategy) == (1, "CANCEL_NEW")


@each
def test_runs_get_the_settings_of_the_flows_and_no_secret(deployment: dict[str, Any]) -> None:
    pool = deployment["work_pool"]
    assert pool["name"] == "synth-process"
    assert pool["job_variables"] == {"env": flows.PREFECT_SETTINGS | flows.NATIVE_THREADS}


def schedules() -> dict[str, tuple[CronSchedule, bool]]:
    """Read every schedule as the server will: by flow and slug, with whether it is active."""
    return {
        f"{name} {item['slug']}": (
            CronSchedule(cron=item["cron"], timezone=item["timezone"]),
            item.get("active", True),
        )
        for name, deployment in zip(NAMES, DEPLOYMENTS, strict=True)
        for item in deployment["schedules"]
    }


def test_boys_are_released_weekly_and_studied_monthly_if_switched_on() -> None:
    active = {name: active for name, (_, active) in schedules().items()}
    assert active == {"release/boys weekly": True, "study/boys monthly": False}


@pytest.mark.parametrize(
    ("name", "after", "expected"),
    [
        # Summer time ends on 25 October 2026: the hour on the clock stays.
        ("release/boys weekly", (2026, 10, 19, 7), (2026, 10, 26, 6)),
        ("study/boys monthly", (2026, 10, 19, 7), (2026, 11, 1, 2)),
    ],
)
def test_schedules_keep_the_hour_of_the_clock(
    name: str, after: tuple[int, int, int, int], expected: tuple[int, int, int, int]
) -> None:
    schedule, _ = schedules()[name]
    zone = ZoneInfo("Europe/Amsterdam")
    dates = asyncio.run(schedule.get_dates(1, start=datetime(*after, tzinfo=zone)))
    assert dates == [datetime(*expected, tzinfo=zone)]


def test_an_event_about_the_source_starts_a_release() -> None:
    (raw,) = DEPLOYMENTS[0]["triggers"]
    trigger = DeploymentEventTrigger.model_validate(raw)
    spec = read_spec(DEPLOYMENTS[0]["parameters"]["spec"])
    assert trigger.enabled
    assert trigger.expect == {"prefect-synth.source.changed"}
    assert trigger.match.root == {
        "prefect.resource.id": f"prefect-synth.dataset.{spec.dataset.name}"
    }
    assert all("triggers" not in other for other in DEPLOYMENTS[1:])

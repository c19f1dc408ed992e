from datetime import UTC, datetime

from prefect.client.orchestration import get_client
from prefect.schedules import Cron

from flows.release import release
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.spec_files import read_spec
from tests.flows.test_release import BOYS


def test_a_weekly_release_can_be_deployed_and_is_scheduled():
    """The parameters fit the schema of the flow, and the server can write the runs to come."""
    deployment = release.to_deployment(
        name="boys-weekly",
        schedule=Cron("0 6 * * 1", timezone="Europe/Amsterdam"),
        parameters={"spec": read_spec(BOYS).model_dump(mode="json")},
    )
    identifier = deployment.apply()
    with get_client(sync_client=True) as client:
        response = client._client.post(f"/deployments/{identifier}/schedule", json={})
        response.raise_for_status()
        runs = client.read_flow_runs()
    coming = [run for run in runs if run.deployment_id == identifier]
    assert coming
    for run in coming:
        assert run.expected_start_time > datetime.now(UTC)
        assert run.expected_start_time.weekday() == 0
        assert ReleaseSpec.model_validate(run.parameters["spec"]).dataset.name == "boys"

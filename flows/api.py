"""Whether the Prefect server is there that runs are to be reported to."""

from __future__ import annotations

from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings


def server_problem() -> str | None:
    """Say what is wrong if the Prefect server that the settings name does not answer.

    Without the setting Prefect starts a server of its own, for the run.

    Returns:
        One line with the remedy; None if nothing is wrong.
    """
    url = get_current_settings().api.url
    error = None if url is None else get_client(sync_client=True).api_healthcheck()
    if error is None:
        return None
    return (
        f"no Prefect server answers at {url} ({type(error).__name__}): start it (prefect server "
        "start), or unset PREFECT_API_URL to run without one"
    )

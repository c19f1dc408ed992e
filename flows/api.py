"""Whether the Prefect server is there that runs are to be reported to."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

LOG_LEVEL = "PREFECT_SERVER_LOGGING_LEVEL"


def server_problem() -> str | None:
    """Say what is wrong if the Prefect server that the settings name does not answer.

    Without the setting Prefect starts a server of its own for the run: it is started here.

    Returns:
        One line with the remedy; None if nothing is wrong.
    """
    url = get_current_settings().api.url
    if url is None:
        return _start_own()
    error = get_client(sync_client=True).api_healthcheck()
    if error is None:
        return None
    return (
        f"no Prefect server answers at {url} ({type(error).__name__}): start it (prefect server "
        "start), or unset PREFECT_API_URL to run without one"
    )


def _start_own() -> str | None:
    try:
        with _inherited_by_server():
            get_client(sync_client=True)
    except ValueError:
        return "no Prefect server is named, and temporary ones are off: set PREFECT_API_URL"
    except RuntimeError:
        return (
            "Prefect's temporary server does not start: try again, or start one (prefect server start) "
            "and set PREFECT_API_URL"
        )
    return None


@contextmanager
def _inherited_by_server() -> Iterator[None]:
    """Let the temporary server that is started here live quietly until the run stops it at its end.

    The interrupt key, which all processes get, passes it: it would die with a traceback, before the run
    has said how it ended. If it is stopped while it records task runs, it records them once more, and
    shows a traceback of the first time: nothing is lost, so nothing is shown, unless the environment
    asks for it.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    quiet = LOG_LEVEL not in os.environ
    if quiet:
        os.environ[LOG_LEVEL] = "CRITICAL"
    try:
        yield
    finally:
        if quiet:
            del os.environ[LOG_LEVEL]
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

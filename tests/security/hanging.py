"""A flow that hangs in native code, for a worker to start."""

# No deferred annotations here: a worker loads this file by its path, and Prefect must find the types.
from prefect import flow

from synth_tasks.tasks import watchdog
from tests.security.disturbed import hang

watchdog.GRACE = 1.0


@flow(name="hanging")
def hanging() -> None:
    """Never come back."""
    with watchdog.guarded(0.05):
        hang()

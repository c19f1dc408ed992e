"""A safe environment for every process of Prefect that runs releases.

With ``PREFECT_PLUGINS_ENABLED=1`` Prefect loads this module through the entry point `prefect.plugins`,
before its commands, workers and runs begin. It must import fast and without side effects.
"""

from __future__ import annotations

import os

from prefect.plugins import HookContext, SetupResult, register_hook

PREFECT_PLUGIN_API_REQUIRES = ">=0.1,<1"

ENVIRONMENT = {
    # Nothing about confidential work goes to other hosts.
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    # One by one, task runs are recorded so slowly that the embedded server stops before the last.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # The embedded server takes longer than the default 20 s to start on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Work is spread over workers; a pool of native threads in each would only get in the way.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@register_hook
def setup_environment(*, ctx: HookContext) -> SetupResult:
    """Set what the environment does not say otherwise.

    Args:
        ctx: Version and API address of Prefect; not needed.

    Returns:
        The variables to set.
    """
    missing = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    return SetupResult(env=missing, note="no telemetry, one native thread, batched task records")

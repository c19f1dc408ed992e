"""A safe environment for every process of Prefect that runs releases.

With ``PREFECT_PLUGINS_ENABLED=1`` Prefect loads this module through the entry point `prefect.plugins`,
before its commands, workers and runs begin. It must import fast and without side effects.
"""

from __future__ import annotations

import os

from prefect.plugins import HookContext, SetupResult, register_hook

from synth_tasks.environment import NATIVE_THREADS, PREFECT_SETTINGS

PREFECT_PLUGIN_API_REQUIRES = ">=0.1,<1"

ENVIRONMENT = PREFECT_SETTINGS | NATIVE_THREADS | {"GX_ANALYTICS_ENABLED": "false"}


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

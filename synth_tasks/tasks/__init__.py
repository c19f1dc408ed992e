"""Prefect tasks: thin, references in and out. The work is done by the floors below."""

from threadpoolctl import threadpool_limits

# Tasks run side by side in threads. Native threads beside them would compete, and change the last bit
# of sums. The limit holds for the process, which in a flow run does nothing else.
threadpool_limits(limits=1)

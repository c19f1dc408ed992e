"""What the engine decided on the user's behalf, as lines in the log of the task."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from synth_tasks.engine import LoggedEvent


def describe_events(events: Sequence[LoggedEvent]) -> list[str]:
    """Put events in words, equal ones once; they name variables and counts, never values."""
    counts = Counter(f"{event.variable}: {event.event}" for event in events)
    return [line if n == 1 else f"{line} ({n} times)" for line, n in counts.items()]


def log_remarks(remarks: Sequence[str]) -> None:
    """Write remarks to the log of the task run, or to the ordinary log outside a run."""
    logger: logging.Logger | logging.LoggerAdapter
    try:
        logger = get_run_logger()
    except MissingContextError:
        logger = logging.getLogger(__name__)
    for remark in remarks:
        logger.info("%s", remark)

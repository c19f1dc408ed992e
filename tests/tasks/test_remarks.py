import logging

from synth_tasks.engine import LoggedEvent
from synth_tasks.tasks.remarks import describe_events, log_remarks


def test_equal_events_are_one_line_with_their_number():
    events = [LoggedEvent("gen", "polr did not converge", 1, sweep) for sweep in (1, 2)]
    events.append(LoggedEvent("age", "drawn from its margin"))
    assert describe_events(events) == [
        "gen: polr did not converge (2 times)",
        "age: drawn from its margin",
    ]


def test_remarks_reach_the_log_outside_a_run(caplog):
    with caplog.at_level(logging.INFO):
        log_remarks(["age: drawn from its margin"])
    assert caplog.messages == ["age: drawn from its margin"]

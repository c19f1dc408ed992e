"""Runs flows on data whose cells carry markers; started as a process of its own.

Arguments: folder of the site, with people.csv and its policies; scenarios, all if none is named.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from flows import command_line, frontier, release, reproduce, study
from synth_tasks.release.spec_files import read_spec
from synth_tasks.tasks import assess, synthesize
from synth_tasks.tasks.boundary import ERROR_FILE
from tests.security.markers import Markers, people_content

SITE = Path(sys.argv[1])
PRIVATE = Path(os.environ["SYNTH_WORKSPACE"]) / "people"
TO = ["--to", str(SITE / "out")]
MANY = 100


def write(name: str, **changes: object) -> str:
    """Write a specification and return its path."""
    path = SITE / f"{name}.yaml"
    path.write_text(yaml.safe_dump(people_content(**changes)))
    return str(path)


def expect(code: int, found: int, scenario: str) -> None:
    """Stop if a scenario did not end as it should: it would prove nothing."""
    sys.stdout.write(f"scenario {scenario}: exit code {found}\n")
    if code != found:
        raise SystemExit(f"{scenario} ended with {found}, not {code}")


def require_markers(content: bytes, scenario: str) -> None:
    """Stop if a crash has quoted no values: the search could not find what was never said."""
    people = pd.read_csv(SITE / "people.csv", float_precision="round_trip")
    count = len(Markers.of(people).found_in(content))
    if count < MANY:
        raise SystemExit(f"{scenario} has quoted {count} values only")


# --- crashes --------------------------------------------------------------------------------------


def crash(*args: Any, **settings: Any) -> None:
    """Fail as a library does that quotes the values it chokes on."""
    raise ValueError(quote([*args, *settings.values()]))


def quote(values: Iterable[Any]) -> str:
    """Quote the cells of all tables among some values, and the values."""
    return f"cannot handle {values!r}: {', '.join(_cells(values))}"


def _cells(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, (pd.DataFrame, np.ndarray)):
            for cell in np.asarray(value).ravel():
                yield repr(float(cell)) if isinstance(cell, (int, float)) else repr(cell)


class Reader:
    """Reads the source and fails, as a library does that chokes on a row."""

    said = ""

    def __call__(self, *_args: Any, **_settings: Any) -> None:
        """Quote the source."""
        people = pd.read_csv(SITE / "people.csv", float_precision="round_trip")
        self.said = quote([people])
        raise ValueError(self.said)


@contextmanager
def crashing(module: Any, name: str, instead: Callable[..., None]) -> Iterator[None]:
    """Let a function of a module crash."""
    real = getattr(module, name)
    setattr(module, name, instead)
    try:
        yield
    finally:
        setattr(module, name, real)


# --- scenarios ------------------------------------------------------------------------------------


def publishes() -> None:
    """A release."""
    expect(0, release.main(["--spec", write("passes"), *TO]), "release")


def crashes_in(module: Any, name: str) -> None:
    """A task that crashes; what it said is kept in the private workspace alone."""
    scenario = f"crash in {name}"
    spec = write(f"crash-{name}", imputation={"maxit": 3})
    error = PRIVATE / ERROR_FILE
    error.unlink(missing_ok=True)
    with crashing(module, name, crash):
        expect(1, release.main(["--spec", spec, *TO]), scenario)
    require_markers(error.read_bytes(), scenario)


def crashes_while_reading() -> None:
    """Sources that cannot be read: by the commands, and in the body of a flow."""
    spec, latest = write("unread"), str(SITE / "out" / "people" / "latest")
    ways: list[tuple[Any, Callable[[], int], int]] = [
        (release, lambda: release.main(["--spec", spec, *TO]), 2),
        (release, lambda: release.main(["--spec", spec, "--dry-run"]), 2),
        (command_line, lambda: study.main(["--spec", spec]), 2),
        (command_line, lambda: reproduce.main([latest, "--spec", spec]), 2),
        (frontier, lambda: frontier.main(["--spec", spec]), 2),
        (frontier, lambda: int(_run_frontier(spec).is_failed()), 1),
    ]
    for number, (module, run, code) in enumerate(ways, start=1):
        reader = Reader()
        with crashing(module, "load_source", reader):
            expect(code, run(), f"crash in load_source {number}")
        require_markers(reader.said.encode(), f"crash in load_source {number}")


def _run_frontier(spec: str) -> Any:
    return frontier.frontier(read_spec(spec), return_state=True)


def looks_first() -> None:
    """A draft, which is the steward's as the source is, and a dry run."""
    draft = ["--init", str(SITE / "people.csv"), "--to", str(PRIVATE / "draft")]
    expect(0, release.main(draft), "draft")
    expect(0, release.main(["--spec", write("dry"), "--dry-run"]), "dry run")


def reproduces() -> None:
    """The same release once more."""
    latest = str(SITE / "out" / "people" / "latest")
    expect(0, reproduce.main([latest, "--spec", write("passes")]), "reproduced")


def decides() -> None:
    """Releases that are refused, rejected and approved."""
    refused = write("refused", policy={"suite": "fails.json"})
    expect(1, release.main(["--spec", refused, *TO]), "gate")
    waits = write("waits", policy={"suite": "warns.json"})
    expect(3, release.main(["--spec", waits, *TO]), "waits for approval")
    refuses = ["--reject", "Ada", "--reason", "too close"]
    expect(1, release.main(["--spec", waits, *TO, *refuses]), "rejected")
    decided = ["--approve", "Ada", "--reason", "understood"]
    expect(0, release.main(["--spec", waits, *TO, *decided]), "approved")
    bad = write("bad", analysis=[{"model": "ols", "formula": "log(weight - 1e9) ~ income"}])
    expect(2, release.main(["--spec", bad, *TO]), "bad expression")


def divides() -> None:
    """A release in parts; it merges no levels, so that the rare ones are not among its columns."""
    content = people_content()
    variables = {name: v for name, v in content["variables"].items() if name != "town"}
    divided = write(
        "divided",
        dataset=content["dataset"] | {"drop": ["name", "town", "quarter"]},
        variables=variables,
        synthesis=content["synthesis"] | {"strata": ["stage"], "min_stratum_size": 20},
        sdc=[],
        disclosure={"keys": ["income"], "targets": ["weight"], "cross_fit": False},
        partition={"sample_rows": 1000},
    )
    expect(0, release.main(["--spec", divided, *TO]), "release in parts")


def is_worked_on_by_processes() -> None:
    """A release whose tasks are sent to other processes."""
    spec = write("processes", imputation={"maxit": 4}, run={"runner": "processes", "workers": 2})
    expect(0, release.main(["--spec", spec, *TO]), "release by processes")


def proves() -> None:
    """A study and a frontier."""
    expect(0, study.main(["--spec", write("study")]), "study")
    expect(0, frontier.main(["--spec", write("frontier")]), "frontier")


SCENARIOS: dict[str, Callable[[], None]] = {
    "publish": publishes,
    "crash": partial(crashes_in, synthesize, "fit_synthesizer"),
    "crash-later": partial(crashes_in, assess, "assess_disclosure"),
    "unread": crashes_while_reading,
    "look": looks_first,
    "reproduce": reproduces,
    "decide": decides,
    "parts": divides,
    "processes": is_worked_on_by_processes,
    "prove": proves,
}

if __name__ == "__main__":
    # What follows is meant for `flows.release`, in whose place this is run.
    named = takewhile(lambda argument: not argument.startswith("--"), sys.argv[2:])
    for chosen in list(named) or SCENARIOS:
        SCENARIOS[chosen]()
    sys.stdout.write("all scenarios ended as they should\n")

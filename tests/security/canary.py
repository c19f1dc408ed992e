"""Runs every flow on data whose cells carry markers; started as a process of its own.

Arguments: folder of the site, with people.csv and its policies; more is not needed, see `Place.run`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from flows import frontier, release, reproduce, study
from synth_tasks.tasks import assess, synthesize
from tests.security.markers import people_content

SITE = Path(sys.argv[1])


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


def crash(*args: object, **_: object) -> None:
    """Fail as a library does that quotes the values it chokes on."""
    raise ValueError(f"cannot handle {args!r}")


def main() -> None:
    """Run all scenarios, one after the other, on one embedded server."""
    to = ["--to", str(SITE / "out")]
    passes = write("passes")
    expect(0, release.main(["--spec", passes, *to]), "release")
    latest = str(SITE / "out" / "people" / "latest")
    expect(0, reproduce.main([latest, "--spec", passes]), "reproduced")
    refused = write("refused", policy={"suite": "fails.json"})
    expect(1, release.main(["--spec", refused, *to]), "gate")
    waits = write("waits", policy={"suite": "warns.json"})
    expect(3, release.main(["--spec", waits, *to]), "waits for approval")
    refuses = ["--reject", "Ada", "--reason", "too close"]
    expect(1, release.main(["--spec", waits, *to, *refuses]), "rejected")
    decided = ["--approve", "Ada", "--reason", "understood"]
    expect(0, release.main(["--spec", waits, *to, *decided]), "approved")

    bad = write("bad", analysis=[{"model": "ols", "formula": "log(weight - 1e9) ~ income"}])
    expect(2, release.main(["--spec", bad, *to]), "bad expression")
    for module, name in ((synthesize, "fit_synthesizer"), (assess, "assess_disclosure")):
        real = getattr(module, name)
        setattr(module, name, crash)
        crashing = write(f"crash-{name}", imputation={"maxit": 3})
        expect(1, release.main(["--spec", crashing, *to]), f"crash in {name}")
        setattr(module, name, real)
    expect(0, study.main(["--spec", write("study")]), "study")
    expect(0, frontier.main(["--spec", write("frontier")]), "frontier")


if __name__ == "__main__":
    main()

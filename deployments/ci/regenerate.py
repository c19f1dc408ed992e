"""Make a release of public data anew and say what has changed since it was published.

From the root of a checkout:

    python -m deployments.ci.regenerate --published releases
    python -m deployments.ci.regenerate --spec my.yaml --published releases --publish

The release is made in a temporary folder and compared with the latest one under --published; the
differences are written as Markdown. Only with --publish does a changed release appear there. It never
touches confidential data: a specification without a public seed is refused.

Exit code: 0 nothing changed, or what changed was published; 1 it changed, and was not published; 2 the
release failed or was refused.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from flows.parsers import make_parser
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.release.comparison import compare_releases
from synth_tasks.release.contents import read_contents
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.spec_files import read_spec
from synth_tasks.tasks.context import SEED_VARIABLE

UNCHANGED, CHANGED, FAILED = 0, 1, 2
ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Regenerate and compare; see the top of this file for the exit codes."""
    options = _parse(arguments)
    try:
        spec = _read_public_spec(options.spec)
        changed, text = regenerate(spec, options.spec, options.published)
        _write(text, options.report)
        if changed and options.publish:
            publish(spec, options.spec, options.published)
            return UNCHANGED
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    return CHANGED if changed else UNCHANGED


def regenerate(spec: ReleaseSpec, file: Path, published: Path) -> tuple[bool, str]:
    """Make a release in a temporary folder and compare it with the published one.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    file : Path
        The file that holds it.
    published : Path
        Folder of all published releases.

    Returns
    -------
    bool
        Whether it has changed; so has a release that was never published.
    str
        The differences, as Markdown.
    """
    name = spec.dataset.name
    latest = published / name / "latest"
    with tempfile.TemporaryDirectory(prefix="synth-regenerate-") as folder:
        _release(file, Path(folder))
        made = read_contents(Path(folder) / name / "latest")
        if not latest.exists():
            return True, f"# The release of {name} is new\n\nNothing is published in {latest}.\n"
        comparison = compare_releases(read_contents(latest), made)
    return comparison.changed, comparison.to_markdown()


def publish(spec: ReleaseSpec, file: Path, published: Path) -> None:
    """Publish a release that has changed.

    Parameters
    ----------
    spec, file, published
        As for `regenerate`.

    Raises
    ------
    SynthError
        If the release fails, or if data, specification and engine are those of the published one: then
        other packages have changed it, and a release is not replaced for their sake.
    """
    latest = published / spec.dataset.name / "latest"
    before = latest.resolve()
    _release(file, published)
    if latest.resolve() == before:
        raise SynthError(
            f"{before} has the same data, specification and engine and stays as it is: what differs "
            "comes from other packages; install those of its manifest, or move that version away"
        )


def _read_public_spec(file: Path) -> ReleaseSpec:
    spec = read_spec(file)
    if spec.publish.seed is None:
        raise SpecError(
            f"{file}: publish.seed is not given, so the data are confidential and are not released "
            "here; give a seed if they are public"
        )
    return spec


def _release(file: Path, target: Path) -> None:
    """Run the command that a user runs, in a workspace that vanishes."""
    command = [sys.executable, "-m", "flows.release", "--spec", str(file), "--to", str(target)]
    with tempfile.TemporaryDirectory(prefix="synth-workspace-") as workspace:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "SYNTH_WORKSPACE": workspace, "PYTHONPATH": path}
        environment.pop(SEED_VARIABLE, None)  # the seed of the specification decides
        done = subprocess.run(command, env=environment, stdout=sys.stderr.fileno())  # noqa: S603
    if done.returncode:
        raise SynthError("the release failed or was refused, for the reason above")


def _write(text: str, report: Path | None) -> None:
    sys.stdout.write(text)
    if report is not None:
        with report.open("a", encoding="utf-8") as file:
            file.write(text)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "deployments.ci.regenerate",
        "Make a release of public data anew and say what has changed.",
        {
            "compare with what is published": "--published releases",
            "and publish what has changed": "--spec my.yaml --published releases --publish",
        },
        "0 nothing changed, or what changed was published; 1 it changed, and was not published; "
        "2 the release failed or was refused",
    )
    parser.add_argument(
        "--spec", metavar="FILE", type=Path, default=ROOT / "deployments" / "boys.yaml",
        help="specification (default: boys)",
    )  # fmt: skip
    parser.add_argument(
        "--published", metavar="DIR", type=Path, default=Path("releases"),
        help="folder of all published releases (default: releases)",
    )  # fmt: skip
    parser.add_argument(
        "--publish", action="store_true", help="publish a release that has changed, after the gate"
    )
    parser.add_argument(
        "--report", metavar="FILE", type=Path, help="append the differences here too"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

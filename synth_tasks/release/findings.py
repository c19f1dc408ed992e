"""Telling in a few lines what a draft holds and what to do next."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from synth_tasks.errors import SynthError
from synth_tasks.release.drafting import Draft
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import load_source

MOST_NAMED = 8


def describe_draft(draft: Draft, written: list[Path]) -> list[str]:
    """Say what was found, what was written and what comes next.

    Parameters
    ----------
    draft : Draft
        What was found.
    written : list of Path
        The specification and its suites.

    Returns
    -------
    list of str
        Three to six lines of names and counts.
    """
    kinds = Counter(str(variable.kind) for variable in draft.schema)
    counted = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    holes = sum(p.n_missing for p in draft.profiles if p.variable is not None)
    lines = [f"found {draft.n_rows} rows; {counted} columns; {holes} missing values"]
    if draft.relations:
        formulas = [f"{r.target} = {r.formula.removeprefix('~ ')}" for r in draft.relations]
        lines.append(f"computed: {_shorten(formulas, '; ')}")
    dropped = [p.name for p in draft.profiles if p.problem]
    if dropped:
        lines.append(f"left out, for reasons given in the file: {_shorten(dropped)}")
    doubtful = [p.name for p in draft.profiles if p.doubts]
    if doubtful:
        lines.append(f"doubtful, marked in the file: {_shorten(doubtful)}")
    spec = written[0]
    suites = {str(path.parent) for path in written[1:]}
    lines.append(f"wrote {spec} and {len(written) - 1} suites in {', '.join(sorted(suites))}")
    lines.append(f"next: read and correct it, then python -m flows.release --spec {spec} --dry-run")
    return lines


def remaining_problem(spec: Path) -> str:
    """Return why a release from a drafted specification cannot start yet; empty if it can."""
    try:
        load_source(read_spec(spec))
    except SynthError as error:
        return str(error)
    return ""


def _shorten(names: list[str], separator: str = ", ") -> str:
    more = len(names) - MOST_NAMED
    return separator.join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

"""What a newcomer does before the first release: draft a specification, and try it dry."""

from __future__ import annotations

from pathlib import Path

from expectations.drafting import draft_files
from synth_tasks.errors import printable
from synth_tasks.release.drafting import draft_release, write_draft
from synth_tasks.release.findings import describe_draft, remaining_problem
from synth_tasks.tasks.boundary import redacted


@redacted
def draft(data: str, to: str | None, dry: bool = False) -> str:
    """Draft specification and suites of a release from a file of data.

    Args:
        data: The file.
        to: Folder of the draft; the current one if not given.
        dry: Write nothing, show the specification.

    Returns:
        A few lines: what was found, what was written, what to do next; or the specification.
    """
    folder = Path(to or ".")
    found = draft_release(Path(data), folder)
    if dry:
        return found.text
    written = write_draft(folder, draft_files(found))
    lines = describe_draft(found, written)
    if problem := remaining_problem(written[0]):
        lines.insert(-1, f"to mend first: {problem}")
    return "".join(f"{printable(line)}\n" for line in lines)

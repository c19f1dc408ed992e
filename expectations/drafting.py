"""The suites with which a new data set begins."""

from __future__ import annotations

import json
from importlib import resources

from expectations.derive import completed_suite, source_suite, synthetic_suite
from expectations.suites import Suite
from synth_tasks.release.drafting import Draft

DEFAULT_GATE = ("default", "gate.json")


def draft_suites(draft: Draft) -> dict[str, Suite]:
    """Make the suites of all stages from a draft.

    Parameters
    ----------
    draft : Draft
        Tells columns, categories and relations.

    Returns
    -------
    dict of str to Suite
        source, completed, synthetic, and gate: the default policy, to be made one's own.
    """
    gate = resources.files("expectations").joinpath(*DEFAULT_GATE).read_text(encoding="utf-8")
    return {
        "source": source_suite(draft.schema),
        "completed": completed_suite(draft.schema, draft.imputed_formulas),
        "synthetic": synthetic_suite(draft.schema, draft.formulas),
        "gate": json.loads(gate),
    }


def draft_files(draft: Draft) -> dict[str, str]:
    """Return the files of a draft: the specification and its suites, by path."""
    suites = {
        f"expectations/{draft.name}/{stage}.json": json.dumps(suite, indent=2, ensure_ascii=False)
        + "\n"
        for stage, suite in draft_suites(draft).items()
    }
    return {f"{draft.name}.yaml": draft.text, **suites}

"""Everything that a release in parts is published from: a part in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from synth_tasks.data import decode
from synth_tasks.engine import ImputationPlan, Provenance
from synth_tasks.files import write_atomically
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.formats.parts import PartedSet, write_parted
from synth_tasks.release.limits import safe_csv
from synth_tasks.release.plans import plan_all_strata, provenance_of
from synth_tasks.release.results import Check, SuiteResult
from synth_tasks.release.stages import shuffle
from synth_tasks.seeding import generator
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.made import Made, Tables
from synth_tasks.tasks.part_assess import StratumFigures
from synth_tasks.tasks.part_ingest import IngestedParts
from synth_tasks.tasks.part_models import CompletedStratum, DrawnStratum
from synth_tasks.tasks.part_whole import read_parts
from synth_tasks.tasks.pool import AnalysisRef

UNEXPECTED = re.compile(r"(\d+) of (\d+) unexpected")


@dataclass(frozen=True)
class MadeParts(Made):
    """A release of a table that was worked on stratum by stratum.

    Parameters
    ----------
    ingested : IngestedParts
        The data as they arrived.
    completed : list of CompletedStratum
        Without holes.
    drawn : list of DrawnStratum
        The sets.
    figures : list of StratumFigures
        With samples of real and synthetic rows, for pictures.
    ledger, suites, analyses
        See `Made`; verdicts on strata are put together by `join_results`.
    """

    ingested: IngestedParts
    completed: list[CompletedStratum]
    drawn: list[DrawnStratum]
    figures: list[StratumFigures]
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisRef]

    @property
    def set_rows(self) -> list[int]:
        """Rows of each set."""
        by_stratum = [[each.ref.rows for each in own.controlled] for own in self.drawn]
        return [sum(rows) for rows in zip(*by_stratum, strict=True)]

    @property
    def set_digests(self) -> list[str]:
        """Digests of the files of all sets."""
        return [each.ref.sha256 for own in self.drawn for each in own.controlled]

    @property
    def changes(self) -> list[list[dict[str, Any]]]:
        """For each set what each step of disclosure control changed, with the stratum named."""
        return [
            [
                {"stratum": own.stratum.number + 1, **change}
                for own in self.drawn
                for change in own.controlled[number].changes
            ]
            for number in range(len(self.drawn[0].controlled))
        ]

    @property
    def facts(self) -> dict[str, Any]:
        """Number of strata."""
        return {"strata": len(self.drawn)}

    @property
    def sampled_rows(self) -> tuple[int, ...]:
        """Rows of each set, of which `tables` holds samples."""
        return tuple(self.set_rows)

    def tables(self, context: RunContext) -> Tables:
        """Read samples of the real rows and of each set, in random order."""
        schema = context.workspace().read_schema(self.figures[0].samples[0][0])
        both = []
        for number in range(1, context.spec.n_sets + 1):
            rng = generator(context.seed(), "shuffle", number, "sample")
            real, drawn = zip(*(each.samples[number - 1] for each in self.figures), strict=True)
            shuffled = [shuffle(read_parts(context, refs), rng) for refs in (real, drawn)]
            both.append([decode(matrix, schema) for matrix in shuffled])
        return Tables(schema, [drawn for _, drawn in both], both[0][0])

    def plan(self, context: RunContext) -> tuple[ImputationPlan, Provenance]:
        """Say how the sets were made, as far as it holds for all strata."""
        spec, rows = context.spec, self.ingested.rows
        plan = plan_all_strata(spec, self.ingested.schema)
        return plan, replace(provenance_of(spec, plan), n=rows, k=spec.synthesis.k or rows)

    def write_sets(
        self, draft: Path, context: RunContext, tables: Tables, codebook: Codebook
    ) -> list[str | list[str]]:
        """Write the sets into a bundle, a stratum in memory at a time; return their paths in it."""
        spec = context.spec
        sets = [
            PartedSet(len(self.drawn), partial(_shuffled_part, context, self.drawn, number))
            for number in range(1, spec.n_sets + 1)
        ]
        return write_parted(draft, spec.dataset.name, sets, spec.publish.formats)

    def write_notes(self, folder: Path) -> None:
        """Write what the numbers of the strata stand for."""
        strata = [own.stratum for own in self.drawn]
        table = pd.DataFrame(
            {
                "stratum": [s.number + 1 for s in strata],
                "label": [s.label for s in strata],
                "rows": [s.rows for s in strata],
                "holes": [s.holes for s in strata],
            }
        )
        text = safe_csv(table).encode()
        write_atomically(folder / "strata.csv", lambda file: file.write(text))


def _shuffled_part(
    context: RunContext, drawn: Sequence[DrawnStratum], number: int, i: int
) -> pd.DataFrame:
    matrix, schema = context.workspace().read_table(drawn[i].controlled[number - 1].ref)
    rng = generator(context.secrets().seed, "shuffle", number, "stratum", drawn[i].stratum.number)
    return decode(shuffle(matrix, rng), schema)


def join_results(results: Sequence[SuiteResult], subject: str) -> SuiteResult:
    """Put the verdicts on all strata together: a check is met if it is met in each.

    Parameters
    ----------
    results : sequence of SuiteResult
        Of one suite, one for each stratum; their subjects name the strata.
    subject : str
        What they are parts of.

    Returns
    -------
    SuiteResult
    """
    checks = zip(*(result.checks for result in results), strict=True)
    subjects = [result.subject for result in results]
    return SuiteResult(results[0].suite, subject, tuple(_join(each, subjects) for each in checks))


def _join(checks: Sequence[Check], subjects: Sequence[str]) -> Check:
    failed = [i for i, check in enumerate(checks) if not check.success]
    counts = [UNEXPECTED.fullmatch(check.detail) for check in checks]
    details = {check.detail for check in checks}
    detail = details.pop() if len(details) == 1 else ""
    if all(counts):
        unexpected, rows = (sum(int(c[i]) for c in counts if c) for i in (1, 2))
        detail = f"{unexpected} of {rows} unexpected"
    if failed:
        first = checks[failed[0]]
        also = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        detail = f"{detail or first.detail}; failed in {subjects[failed[0]]}{also}".lstrip("; ")
    return replace(checks[0], success=not failed, detail=detail)

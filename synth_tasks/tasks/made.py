"""Everything that a release is published from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synth_tasks.data import Schema, decode
from synth_tasks.engine import ImputationPlan, Provenance
from synth_tasks.engine.portable import to_json
from synth_tasks.files import write_atomically
from synth_tasks.release.bundle import write_public
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.formats import write_data
from synth_tasks.release.plans import plan_synthesis, provenance_of
from synth_tasks.release.readme import SYNTHESIZER_FILE
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.stages import shuffle
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.control import ControlledSet
from synth_tasks.tasks.impute import TRACE_FILE, CompletedData
from synth_tasks.tasks.ingest import Ingested
from synth_tasks.tasks.part_ingest import IngestedParts
from synth_tasks.tasks.pool import AnalysisRef


@dataclass(frozen=True)
class Tables:
    """What reports and pictures show.

    Parameters
    ----------
    schema : Schema
        The variables of the sets.
    sets : list of DataFrame
        The synthetic sets, or random samples of them, in random order.
    real : DataFrame
        The real rows, likewise; for private reports only.
    """

    schema: Schema
    sets: list[pd.DataFrame]
    real: pd.DataFrame


class Made(ABC):
    """What the tasks of a release have returned, for a steward, the bundle and the quarantine.

    Attributes
    ----------
    ingested : Ingested or IngestedParts
        The data as they arrived.
    ledger : DataFrame
        All metrics.
    suites : list of SuiteResult
        Verdicts on tables and ledger; the last one is that of the gate.
    analyses : list of AnalysisRef
        Pooled analyses.
    """

    ingested: Ingested | IngestedParts
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisRef]

    @property
    @abstractmethod
    def set_rows(self) -> list[int]:
        """Rows of each set."""

    @property
    @abstractmethod
    def set_digests(self) -> list[str]:
        """Digests of the files of all sets."""

    @property
    @abstractmethod
    def changes(self) -> list[list[dict[str, Any]]]:
        """For each set what each step of disclosure control changed, in counts."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest tells beside what every manifest tells."""
        return {}

    @property
    def sampled_rows(self) -> tuple[int, ...] | None:
        """Rows of each set, where `tables` holds samples of them."""
        return None

    @abstractmethod
    def tables(self, context: RunContext) -> Tables:
        """Read what reports and pictures show."""

    @abstractmethod
    def plan(self, context: RunContext) -> tuple[ImputationPlan, Provenance]:
        """Say how the sets were made."""

    @abstractmethod
    def write_sets(
        self, draft: Path, context: RunContext, tables: Tables, codebook: Codebook
    ) -> Sequence[str | list[str]]:
        """Write the sets into a bundle; return their paths in it, a list for a set in parts."""

    @abstractmethod
    def write_notes(self, folder: Path) -> None:
        """Write what stands beside the private report."""


@dataclass(frozen=True)
class MadeTable(Made):
    """A release of a table that was worked on as a whole.

    Parameters
    ----------
    ingested : Ingested
        The data as they arrived.
    completed : CompletedData
        The completed data, for the private report only.
    synthesizers : list of DatasetRef
        What the sets were drawn from; published only if `publish.synthesizer` says so.
    controlled : list of ControlledSet
        All sets, in source order; they are shuffled when they are published.
    ledger, suites, analyses
        See `Made`.
    """

    ingested: Ingested
    completed: CompletedData
    synthesizers: list[DatasetRef]
    controlled: list[ControlledSet]
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisRef]

    @property
    def set_rows(self) -> list[int]:
        """Rows of each set."""
        return [each.ref.rows for each in self.controlled]

    @property
    def set_digests(self) -> list[str]:
        """Digests of the files of all sets."""
        return [each.ref.sha256 for each in self.controlled]

    @property
    def changes(self) -> list[list[dict[str, Any]]]:
        """For each set what each step of disclosure control changed, in counts."""
        return [each.changes for each in self.controlled]

    def tables(self, context: RunContext) -> Tables:
        """Read all sets, each in a random order of its own."""
        workspace, seed = context.workspace(), context.secrets().seed
        sets = []
        for number, each in enumerate(self.controlled, start=1):
            matrix, schema = workspace.read_table(each.ref)
            sets.append(decode(shuffle(matrix, generator(seed, "shuffle", number)), schema))
        return Tables(schema, sets, workspace.read_frame(self.controlled[0].real))

    def plan(self, context: RunContext) -> tuple[ImputationPlan, Provenance]:
        """Say how the sets were made."""
        matrix, schema = context.workspace().read_table(self.completed.refs[0])
        plan = plan_synthesis(context.spec, schema, matrix)
        return plan, provenance_of(context.spec, plan)

    def write_sets(
        self, draft: Path, context: RunContext, tables: Tables, codebook: Codebook
    ) -> list[str]:
        """Write the sets, and the models if they are to be published; return the paths of the sets."""
        if context.spec.publish.synthesizer:
            models = to_json(context.workspace().read_object(self.synthesizers[0]))
            write_public(draft / SYNTHESIZER_FILE, models)
        name, formats = context.spec.dataset.name, context.spec.publish.formats
        return write_data(draft, name, tables.sets, formats, tables.schema, codebook)

    def write_notes(self, folder: Path) -> None:
        """Write the trace of the imputation."""
        if self.completed.trace is not None:
            picture = Path(self.completed.trace).read_bytes()
            write_atomically(folder / TRACE_FILE, lambda file: file.write(picture))

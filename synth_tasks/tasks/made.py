"""Everything that a release is published from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synth_tasks.release.results import SuiteResult
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.control import ControlledSet
from synth_tasks.tasks.impute import CompletedData
from synth_tasks.tasks.ingest import Ingested
from synth_tasks.tasks.pool import AnalysisRef


@dataclass(frozen=True)
class Made:
    """What the tasks of a release have returned, for a steward, the bundle and the quarantine.

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
    ledger : DataFrame
        All metrics.
    suites : list of SuiteResult
        Verdicts on tables and ledger.
    analyses : list of AnalysisRef
        Pooled analyses.
    """

    ingested: Ingested
    completed: CompletedData
    synthesizers: list[DatasetRef]
    controlled: list[ControlledSet]
    ledger: pd.DataFrame
    suites: list[SuiteResult]
    analyses: list[AnalysisRef]

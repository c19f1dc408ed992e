"""The results of a study as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synth_tasks import __version__
from synth_tasks.release.report import StudyContent, render_study
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.study.files import write_files
from synth_tasks.study.population import Population
from synth_tasks.study.replicate import FIGURES, SOURCES, Replicates
from synth_tasks.study.summary import tabulate_coverage, tabulate_linkage, tabulate_statistics

COVERAGE = "coverage.parquet"
REPORT = "report.html"
SUMMARY = "study.json"


@dataclass(frozen=True, eq=False)
class StudyResults:
    """A study, summed up.

    Parameters
    ----------
    population : Population
        What was sampled.
    replicates : Replicates
        What the samples gave.
    coverage, statistics, linkage : DataFrame
        See `synth_tasks.study.summary`.
    """

    population: Population
    replicates: Replicates
    coverage: pd.DataFrame
    statistics: pd.DataFrame
    linkage: pd.DataFrame

    @classmethod
    def of(cls, population: Population, replicates: Replicates) -> StudyResults:
        """Sum the replicates of a study up."""
        return cls(
            population,
            replicates,
            tabulate_coverage(population, replicates),
            tabulate_statistics(population, replicates),
            tabulate_linkage(population, replicates),
        )

    def content(self, spec: ReleaseSpec, private: bool) -> StudyContent:
        """Return what the report tells."""
        plan = self.population.plan
        true = self.coverage["true"].to_numpy()
        ends = self.replicates.estimates[:, SOURCES.index("synthetic"), :, 2:]
        return StudyContent(
            name=spec.dataset.name,
            title=spec.dataset.title,
            coverage=self.coverage,
            statistics=self.statistics,
            linkage=self.linkage,
            intervals=ends - true[:, None],
            replicates=len(self.replicates.numbers),
            m=plan.m,
            n=plan.n_rows,
            conditioning=plan.conditioning,
            rule=self.population.rule,
            private=private,
        )

    def estimates(self) -> pd.DataFrame:
        """Return every estimate: columns replicate, source, analysis, term and `FIGURES`."""
        terms, numbers = self.population.terms, self.replicates.numbers
        flat = self.replicates.estimates.reshape(-1, len(FIGURES))
        table = pd.DataFrame(flat, columns=list(FIGURES))
        table.insert(0, "replicate", np.repeat(numbers, len(SOURCES) * len(terms)))
        source = np.tile(np.repeat(SOURCES, len(terms)), len(numbers))
        table.insert(1, "source", source)
        for position, column in enumerate(["analysis", "term"], start=2):
            table.insert(position, column, np.tile(terms[column], len(SOURCES) * len(numbers)))
        return table


def write_results(folder: Path, results: StudyResults, spec: ReleaseSpec, private: bool) -> None:
    """Write tables, report and summary; the files appear when all of them are written.

    Parameters
    ----------
    folder : Path
        Where they are to be; files of an earlier study are replaced.
    results : StudyResults
        The study.
    spec : ReleaseSpec
        What was studied.
    private : bool
        Whether the population is confidential: the estimates of it are written too.
    """
    linkage = pd.DataFrame(
        {"replicate": results.replicates.numbers, "self_linkage": results.replicates.linkage}
    )
    tables = {
        COVERAGE: results.coverage,
        "statistics.parquet": results.statistics,
        "estimates.parquet": results.estimates(),
        "linkage.parquet": linkage,
        "failures.parquet": results.replicates.failures,
    }
    texts = {
        REPORT: render_study(results.content(spec, private)),
        SUMMARY: json.dumps(summarise(results, spec), indent=2, sort_keys=True) + "\n",
    }
    write_files(folder, tables, texts)


def summarise(results: StudyResults, spec: ReleaseSpec) -> dict[str, Any]:
    """Return what was studied and the extremes of what was found, ready for JSON."""
    plan, table = results.population.plan, results.coverage
    correlations = table.loc[table["model"] == "correlation", "synthetic_bias"].abs()
    return {
        "dataset": spec.dataset.name,
        "engine": __version__,
        "replicates": len(results.replicates.numbers),
        "rows": plan.n_rows,
        "synthesis": {
            "m": plan.m,
            "k": plan.k,
            "proper": plan.proper,
            "conditioning": plan.conditioning,
            "methods": plan.effective_methods(),
            "options": spec.synthesis.options,
        },
        "pooling_rule": results.population.rule,
        "failed_fits": len(results.replicates.failures),
        "found": {
            "largest_correlation_bias": _plain(correlations.max()),
            "lowest_coverage": _plain(table["synthetic_coverage"].min()),
            "largest_loss_of_coverage": _plain(-table["coverage_difference"].min()),
            "mean_interval_overlap": _plain(table["interval_overlap"].mean()),
            "self_linkage": _plain(results.linkage["self_linkage"].iloc[0]),
            "self_linkage_by_chance": _plain(results.linkage["null"].iloc[0]),
        },
    }


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None

"""The report of a simulation study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synth_tasks.inference import RULES
from synth_tasks.release import pictures
from synth_tasks.release.report._page import place_picture, render_template
from synth_tasks.release.report._summary import Light

ZIPPED = 6
# Two coverages of .95 estimated from the same thousand samples differ by so much by chance at most.
NEAR = 0.03


@dataclass(frozen=True, eq=False)
class StudyContent:
    """What the report of a study tells.

    Parameters
    ----------
    name, title : str
        The data set.
    coverage, statistics, linkage : DataFrame
        See `synth_tasks.study`.
    intervals : ndarray of shape (R, k, 2)
        Ends of the synthetic intervals, minus the truth.
    replicates, m, n : int
        Samples, synthetic sets of each, rows of a sample.
    conditioning : str
        What synthetic values were drawn given.
    rule : str
        How estimates were pooled.
    private : bool
        Whether the population is confidential.
    """

    name: str
    title: str
    coverage: pd.DataFrame
    statistics: pd.DataFrame
    linkage: pd.DataFrame
    intervals: np.ndarray
    replicates: int
    m: int
    n: int
    conditioning: str
    rule: str
    private: bool


def render_study(content: StudyContent) -> str:
    """Write the report of a study: one HTML file; the same content gives the same text."""
    table = content.coverage
    drawn = [
        ("coverage", "Coverage of 95 % intervals", pictures.coverage(table)),
        ("bias", "Bias", pictures.bias(table)),
        ("zip", "Intervals of all replicates", _zip_worst(content)),
    ]
    return render_template(
        "study.html.j2",
        name=content.name,
        title=content.title or content.name,
        private=content.private,
        facts=f"{content.replicates:,} samples · {content.m} synthetic sets each · drawn given "
        f"{'synthetic' if content.conditioning == 'synthetic' else 'the real'} values",
        n=content.n,
        m=content.m,
        rule=RULES[content.rule].wording.name,
        lights=judge_study(content),
        pictures=[place_picture(name, title, "", figure) for name, title, figure in drawn],
        analyses=[
            (caption, [_write_row(row) for row in part.to_dict("records")])
            for caption, part in table.groupby("analysis", sort=False)
        ],
        coverage_se=f"{np.sqrt(0.95 * 0.05 / content.replicates):.3f}".removeprefix("0"),
        statistics=list(content.statistics["statistic"].unique()),
        variables=[
            (variable, [_write_statistic(row) for row in part.to_dict("records")])
            for variable, part in content.statistics.groupby("variable", sort=False)
        ],
    )


def judge_study(content: StudyContent) -> list[Light]:
    """Say in three sentences what the study found."""
    return [
        _judge_coverage(content.coverage),
        _judge_bias(content.coverage),
        _judge_linkage(content.linkage),
    ]


def _judge_coverage(table: pd.DataFrame) -> Light:
    gap, se = table["coverage_difference"], table["coverage_difference_se"]
    lost = table[gap < -NEAR - 1.645 * se]
    worst = f"{gap.min():+.3f}".replace("-", "\N{MINUS SIGN}")
    if len(lost):
        names = ", ".join(dict.fromkeys(lost["term"].astype(str)))
        return Light(
            "warning",
            "Coverage",
            f"{len(lost)} of {len(table)} intervals cover less often than those from real samples by "
            f"more than {NEAR} (largest difference {worst}): {names}.",
        )
    return Light(
        "good",
        "Coverage",
        f"No interval covers surely less often than that from a real sample by more than {NEAR} "
        f"(largest difference {worst}).",
    )


def _judge_bias(table: pd.DataFrame) -> Light:
    size = table["std_bias"].abs()
    worst = table.loc[size.idxmax()] if size.notna().any() else None
    if worst is None:
        return Light("bad", "Bias", "No estimand was estimated.")
    level = "good" if size.max() < 0.5 else "warning"
    return Light(
        level,
        "Bias",
        f"At most {size.max():.2f} standard deviations of an estimate from a real sample "
        f"({worst['term']} in {worst['analysis']}).",
    )


def _judge_linkage(linkage: pd.DataFrame) -> Light:
    found = linkage.iloc[0]
    share, null = found["self_linkage"], found["null"]
    sentence = (
        f"The nearest real row of a synthetic row is the one it stands for in {100 * share:.2f} % "
        f"(chance: {100 * null:.2f} %)."
    )
    return Light("good" if found["lower"] <= 2 * null else "bad", "Linkage", sentence)


def _zip_worst(content: StudyContent) -> Figure:
    """Draw the estimands whose coverage differs most from what it should be."""
    away = (content.coverage["synthetic_coverage"] - 0.95).abs().fillna(-1)
    chosen = away.sort_values(ascending=False, kind="stable").index[:ZIPPED]
    rows = content.coverage.loc[chosen]
    titles = [f"{row.term}: {row.synthetic_coverage:.3f}" for row in rows.itertuples()]
    return pictures.zip_plot(titles, [content.intervals[:, i] for i in chosen])


def _write_row(row: dict[str, float]) -> dict[str, str]:
    digits = _digits(row["bootstrap_bias_se"], row["true"])
    write = pictures.format_fixed
    return {
        "term": str(row["term"]),
        "true": write(row["true"], digits),
        "bootstrap_bias": write(row["bootstrap_bias"], digits),
        "synthetic_bias": write(row["synthetic_bias"], digits),
        "bootstrap_coverage": write(row["bootstrap_coverage"], 3),
        "synthetic_coverage": write(row["synthetic_coverage"], 3),
        "difference": f"{write(row['coverage_difference'], 3)} "
        f"({write(row['coverage_difference_se'], 3)})",
        "width_ratio": write(row["width_ratio"], 2),
        "overlap": write(row["interval_overlap"], 2),
        "failed": f"{int(row['bootstrap_failed'])} / {int(row['synthetic_failed'])}",
    }


def _write_statistic(row: dict[str, float]) -> dict[str, str]:
    digits = _digits(row["bootstrap_bias_se"], row["true"])
    return {
        "true": pictures.format_fixed(row["true"], digits),
        "synthetic": pictures.format_fixed(row["synthetic_mean"], digits),
    }


def _digits(error: float, value: float) -> int:
    """Return the decimals that a Monte Carlo error leaves, three at most for numbers above 1."""
    if not np.isfinite(error) or error <= 0:
        return 2
    return int(np.clip(np.ceil(-np.log10(error)), 0, 3 if abs(value) > 1 else 4))

"""Pages made from templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from synth_tasks.inference import RULES
from synth_tasks.release import pictures
from synth_tasks.release.manifest import describe_partial
from synth_tasks.release.report._content import (
    ReportContent,
    of_the_whole,
    withhold_real,
)
from synth_tasks.release.report._summary import group_checks, summarise
from synth_tasks.release.report._tables import (
    describe_provenance,
    describe_variables,
    tabulate_estimates,
    tabulate_measures,
)
from synth_tasks.release.results import SEVERITIES, SuiteResult


def render_report(content: ReportContent, private: bool) -> str:
    """Write the report of a release as HTML.

    Parameters
    ----------
    content : ReportContent
        What to tell.
    private : bool
        Whether to show aggregates of the real data. Without, the result does not depend on them.

    Returns
    -------
    str
        One HTML file; the same content gives the same text.
    """
    content = of_the_whole(content if private else withhold_real(content))
    rules = list(dict.fromkeys(a.rule for a in content.analyses))
    rule = RULES.get(content.manifest.get("pooling_rule") or next(iter(rules), ""))
    return render_template(
        "report.html.j2",
        content=content,
        private=private,
        m=len(content.sets),
        sampled=content.rows and len(content.sets[0]),
        size=_describe_size(content.rows or [len(frame) for frame in content.sets]),
        lights=summarise(content.suites),
        contents=_list_contents(content),
        pictures=_draw_pictures(content, private),
        estimates=[tabulate_estimates(a, private) for a in content.analyses],
        rule_names=", ".join(RULES[r].wording.name if r in RULES else r for r in rules),
        rule=rule.wording if rule else None,
        partial=describe_partial(content.manifest),
        resized=_another_size(content.manifest) if rule and rule.uses_sample_size else None,
        checks=group_checks(content.suites),
        measures=tabulate_measures(content.ledger),
        dictionary=describe_variables(content),
        with_spmse=bool((content.ledger["metric"] == "spmse_marginal").any()),
        provenance=describe_provenance(content.manifest),
        packages=sorted(content.manifest.get("packages", {}).items()),
    )


def _another_size(manifest: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the rows of a set and of the real data, where they differ."""
    synthesis = manifest.get("synthesis", {})
    k, n = synthesis.get("k"), synthesis.get("n")
    return (k, n) if k != n else None


def render_validation(suites: Sequence[SuiteResult], title: str) -> str:
    """Write the outcome of all suites as HTML.

    Parameters
    ----------
    suites : sequence of SuiteResult
        Verdicts, in the order in which they are shown.
    title : str
        Heading of the page.

    Returns
    -------
    str
        One HTML file; the same verdicts give the same text.
    """
    sections = [
        {
            "anchor": f"suite-{number}",
            "suite": suite.suite,
            "subject": suite.subject,
            "passed": suite.passed,
            "checks": suite.checks,
            "met": sum(check.success for check in suite.checks),
            "failed": [len(suite.failures(severity)) for severity in SEVERITIES],
        }
        for number, suite in enumerate(suites, start=1)
    ]
    return render_template(
        "validation.html.j2",
        title=title,
        lights=summarise(suites),
        suites=sections,
        severities=SEVERITIES,
    )


def render_template(template: str, **values: Any) -> str:
    """Fill a template in; a value that it names and does not get is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("synth_tasks", "release/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _draw_pictures(content: ReportContent, private: bool) -> list[dict[str, Any]]:
    version = "_real" if private and content.real is not None else ""
    coefficient_version = "_real" if private else ""
    drawn = [
        ("marginals", "Distributions", version,
         pictures.marginals(content.schema, content.sets, content.real)),
        ("correlations", "Correlations", version,
         pictures.correlations(content.schema, content.sets, content.real)),
    ]  # fmt: skip
    if content.analyses:
        figure = pictures.coefficients(content.analyses, with_real=private)
        drawn.append(("coefficients", "Coefficients", coefficient_version, figure))
    if content.ledger["metric"].isin(["spmse_pair", "spmse_marginal"]).any():
        figure = pictures.pair_utility(content.ledger, content.schema)
        drawn.append(("pair_utility", "Pairs of variables", "", figure))
    if content.ledger["control"].notna().any():
        figure = pictures.controlled(content.ledger)
        drawn.append(("controlled", "Disclosure with a control", "", figure))
    if (content.ledger["family"] == "disclosure").any():
        drawn.append(("disclosure", "Disclosure", "", pictures.disclosure(content.ledger)))
    return [place_picture(*item) for item in drawn]


def place_picture(name: str, title: str, version: str, figure: Figure) -> dict[str, Any]:
    """Return what a template needs to show a picture and how it is to be read."""
    reading = _readings()[name + version]
    # Made by us from text that the SVG writer has escaped.
    svg = Markup(pictures.to_svg(figure, reading))  # noqa: S704
    return {"anchor": f"picture-{name}", "title": title, "reading": reading, "svg": svg}


@cache
def _readings() -> dict[str, str]:
    file = resources.files("synth_tasks").joinpath("release", "templates", "readings.yaml")
    readings: dict[str, str] = yaml.safe_load(file.read_text("utf-8"))
    return readings


def _describe_size(sizes: Sequence[int]) -> str:
    lengths = sorted(set(sizes))
    rows = f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"
    noun = "set" if len(sizes) == 1 else "sets"
    return f"{len(sizes)} synthetic {noun} of {rows} rows"


def _list_contents(content: ReportContent) -> list[tuple[str, str]]:
    entries = [
        ("pictures", "Pictures", True),
        ("estimates", "Pooled estimates", bool(content.analyses)),
        ("checks", "Checks", bool(content.suites)),
        ("measures", "Measures", bool(len(tabulate_measures(content.ledger)))),
        ("dictionary", "Data dictionary", True),
        ("use", "Use and limits", True),
        ("provenance", "Provenance", True),
    ]
    return [(anchor, name) for anchor, name, present in entries if present]

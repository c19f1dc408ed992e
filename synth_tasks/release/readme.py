"""The README of a release: what it is and how to analyse it, in Python and in R."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synth_tasks.data import Kind, Schema
from synth_tasks.release.spec import ReleaseSpec

TEMPLATE = """# {title}

{description}

{m} synthetic data sets of {k} rows each, version {version}{licence}. They were drawn from models of
the real data; no row belongs to a person. Analyse every set, then pool: with q̄ the mean estimate, ū the
mean variance and b the variance between the {m} estimates, the total variance is T = ū + b/m, with
(m - 1)(1 + ū/(b/m))² degrees of freedom (Reiter 2003, Survey Methodology 29, 181-188).

The figures describe models of a sample, not the sample itself: check a surprising finding with the
holder of the real data. There is no formal privacy guarantee; `report.html` shows what was checked.
{completed}
## Python

```python
{python}
```

## R

```r
{r}
```

## Files

- `data/`: the sets; `datapackage.json` describes their columns
- `inference/`: pooled estimates from the synthetic sets
- `validation/`: what was checked before publication
- `report.html`: pictures and tables, opens offline
- `manifest.json`: how the sets were made, and the SHA-256 of every file
"""

PYTHON = """import pandas as pd
import statsmodels.formula.api as smf

sets = [pd.{reader}(f"data/{name}-{{i{pad}}}.{suffix}") for i in range(1, {m} + 1)]
fits = [smf.ols("{formula}", data=s).fit() for s in sets]
q = pd.concat([fit.params for fit in fits], axis=1)
u = pd.concat([fit.bse**2 for fit in fits], axis=1)
estimate = q.mean(axis=1)
std_error = (u.mean(axis=1) + q.var(axis=1) / {m}) ** 0.5
print(pd.DataFrame({{"estimate": estimate, "std_error": std_error}}))

# The same with prefect-synth, degrees of freedom and intervals included:
# from synth_tasks import fit_model, pool
# print(pool([fit_model(s, "ols", "{formula}") for s in sets]).table)"""

R_CSV = """sets <- lapply(1:{m}, function(i) {{
  s <- read.csv(sprintf("data/{name}-{digits}.csv", i), stringsAsFactors = TRUE)
{factors}  s
}})
"""
R_PARQUET = """sets <- lapply(1:{m}, function(i)
  as.data.frame(arrow::read_parquet(sprintf("data/{name}-{digits}.parquet", i))))
"""
R = """fits <- lapply(sets, function(s) lm({formula}, data = s))
q <- do.call(cbind, lapply(fits, coef))
u <- do.call(cbind, lapply(fits, function(f) diag(vcov(f))))
b <- apply(q, 1, var)
estimate <- rowMeans(q)
total <- rowMeans(u) + b / {m}
print(cbind(estimate, std_error = sqrt(total), df = ({m} - 1) * (1 + rowMeans(u) / (b / {m}))^2))"""


def make_readme(spec: ReleaseSpec, schema: Schema, manifest: Mapping[str, Any]) -> str:
    """Write the README of a release.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        Variables of the published sets.
    manifest : mapping
        Its manifest.

    Returns
    -------
    str
        Markdown.
    """
    m, name = manifest["synthesis"]["m"], spec.dataset.name
    formula, width = _example_formula(spec, schema), len(str(m))
    digits = f"%0{width}d" if width > 1 else "%d"
    as_csv = "csv" in spec.publish.formats
    suffix = "parquet" if "parquet" in spec.publish.formats else "csv"
    values: dict[str, Any] = {"m": m, "name": name, "formula": formula, "digits": digits}
    python = PYTHON.format(
        **values,
        reader=f"read_{suffix}",
        suffix=suffix,
        pad=f":0{width}d" if width > 1 else "",
    )
    read_r = R_CSV if as_csv else R_PARQUET
    return TEMPLATE.format(
        title=spec.dataset.title or name,
        description=spec.dataset.description,
        licence=f", licence {spec.dataset.licence}" if spec.dataset.licence else "",
        version=manifest["version"],
        m=m,
        k=manifest["synthesis"]["k"],
        completed=_completion_note(manifest),
        python=python,
        r=read_r.format(**values, factors=_ordered_factors(schema)) + R.format(**values),
    )


def _completion_note(manifest: Mapping[str, Any]) -> str:
    missing = {name: s for name, s in manifest["imputation"]["missing_shares"].items() if s > 0}
    if not missing:
        return ""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in missing.items())
    return (
        f"\nThe real data had holes ({shares}); they were imputed once before synthesis.\n"
        "Intervals do not include the uncertainty of that imputation.\n"
    )


def _example_formula(spec: ReleaseSpec, schema: Schema) -> str:
    """Choose a model that runs in every language: an ols of the spec, or a mean."""
    plain = re.compile(r"^[\w\s~+.]+$")
    for analysis in spec.analysis:
        if analysis.model == "ols" and analysis.formula and plain.match(analysis.formula):
            return analysis.formula
    numbers = [v.name for v in schema if v.kind in (Kind.NUMERIC, Kind.INTEGER)]
    return f"{numbers[0] if numbers else schema.names[0]} ~ 1"


def _ordered_factors(schema: Schema) -> str:
    lines = []
    for variable in schema:
        if variable.kind is Kind.ORDINAL:
            levels = ", ".join(f'"{label}"' for label in variable.categories)
            lines.append(
                f"  s${variable.name} <- factor(s${variable.name}, levels = c({levels}), "
                "ordered = TRUE)\n"
            )
    return "".join(lines)

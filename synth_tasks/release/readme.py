"""The README of a release: what it is and how to analyse it, in Python and in R."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synth_tasks.data import Schema
from synth_tasks.inference import RULES
from synth_tasks.release.example_formula import ExampleFormula, choose_example
from synth_tasks.release.formats import LONG, long_file
from synth_tasks.release.integrity import SIGNATURE
from synth_tasks.release.manifest import describe_partial
from synth_tasks.release.r_code import (
    make_factors,
    mice_knows_names,
    pool_with_mice,
    quote,
    read_classes,
)
from synth_tasks.release.signing import PUBLIC_KEY
from synth_tasks.release.spec import ReleaseSpec

TEMPLATE = """# {title}

{description}

{sets}, version {version}{licence}. {drawn} from models
of the real data; {rows}. {pooling}

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

{further}## Files

- `data/`: the sets; `datapackage.json` describes their columns
{long_files}- `inference/`: pooled estimates from the synthetic sets
- `validation/`: what was checked before publication
- `report.html`: pictures and tables, opens offline
- `manifest.json`: how the sets were made, and the SHA-256 of every file
- `{signature}`, if the release is signed: Ed25519 signature of the manifest by the key
  `{public_key}`; compare the key with the publisher's

`python -m flows.verify FOLDER` of prefect-synth checks that no byte was changed.
"""

SYNTHESIZER_FILE = "synthesizer.json"
FURTHER_SETS = f"""## Further sets

The models are published too: parameters, and statistics of groups of three people or more. They draw as
many sets as you like:

```python
from synth_tasks import load_portable

print(load_portable("{SYNTHESIZER_FILE}").draw_table(seed=1))
```

"""
PYTHON = """import pandas as pd
import statsmodels.formula.api as smf

sets = [pd.{reader}(f"data/{name}-{{i{pad}}}{ending}") for i in range(1, {n_sets} + 1)]
fits = [smf.ols({formula}, data=s).fit() for s in sets]
q = pd.concat([fit.params for fit in fits], axis=1)
u = pd.concat([fit.bse**2 for fit in fits], axis=1){scale}
estimate = q.mean(axis=1)
{python_total}
std_error = total**0.5
print(pd.DataFrame({{"estimate": estimate, "std_error": std_error}})){own}"""
OWN = """

# The same with prefect-synth, degrees of freedom and intervals included:
# from synth_tasks import fit_model, pool
# print(pool([fit_model(s, "ols", {formula}) for s in sets]{rule}{size}).table)"""

R_CSV = """sets <- lapply(1:{n_sets}, function(i) {{
  s <- read.csv(sprintf("data/{name}-{digits}.csv", i), check.names = FALSE,
    na.strings = {missing}{classes})
{factors}  s
}})
"""
R_PARQUET = """sets <- lapply(1:{n_sets}, function(i)
  as.data.frame(arrow::read_parquet(sprintf("data/{name}-{digits}.parquet", i))))
"""
R_PARTS = """sets <- lapply(1:{n_sets}, function(i) {{
  parts <- list.files(sprintf("data/{name}-{digits}", i), full.names = TRUE)
  as.data.frame(do.call(rbind, lapply(parts, arrow::read_parquet)))
}})
"""
R = """fits <- lapply(sets, function(s) lm({r_formula}, data = s))
q <- do.call(cbind, lapply(fits, coef))
u <- do.call(cbind, lapply(fits, function(f) diag(vcov(f)))){scale}
estimate <- rowMeans(q)
{r_total}
print(cbind(estimate, std_error = sqrt(total), df))"""
LONG_FILES = """- `{long_file}`: all sets in one file, for `mice::as.mids` of R; set 0 is empty{rule}
"""
NO_RULE = ", and\n  `pool.syn` has no rule for these sets: pool as above"


@dataclass(frozen=True, slots=True)
class PoolingText:
    """How a rule is explained, and how its total variance is computed in Python and R."""

    words: str
    python: str
    r: str
    rule: str = ""


ONE_STAGE = PoolingText(
    """Analyse every set, then pool: with q̄ the mean estimate, ū the
mean variance and b the variance between the {m} estimates, the total variance is T = ū + b/m, with
(m - 1)(1 + ū/(b/m))² degrees of freedom (Reiter 2003, Survey Methodology 29, 181-188).""",
    "total = u.mean(axis=1) + q.var(axis=1) / {m}",
    """b <- apply(q, 1, var)
total <- rowMeans(u) + b / {m}
df <- ({m} - 1) * (1 + rowMeans(u) / (b / {m}))^2""",
)
NESTED = PoolingText(
    """The real data had holes: they were imputed M = {m}
times, and each completed version was synthesised r = {r} times (sets 1 to {r} belong to the first, and
so on). Analyse every set, then pool: with q̄ the mean estimate, ū the mean variance, B the variance
between the means of the imputations and b̄ the mean variance within them, the total variance is
T = (1 + 1/M) B - b̄/r + ū (Reiter 2004, Survey Methodology 30, 235-242). Where that is negative, or has
fewer than M - 1 degrees of freedom, b̄/r is left out.""",
    """nest = [i // {r} for i in range({n_sets})]
q.columns = nest
means = q.T.groupby(level=0).mean().T
within = q.T.groupby(level=0).var().mean()
between = (1 + 1 / {m}) * means.var(axis=1)
total = between - within / {r} + u.mean(axis=1)
spread = between**2 / ({m} - 1) + (within / {r}) ** 2 / ({m} * ({r} - 1))  # total**2 / df
steady = (total > 0) & (total**2 >= ({m} - 1) * spread)
total = total.where(steady, between + u.mean(axis=1))""",
    """nest <- rep(1:{m}, each = {r})
B <- apply(q, 1, function(row) var(tapply(row, nest, mean)))
w <- apply(q, 1, function(row) mean(tapply(row, nest, var)))
between <- (1 + 1 / {m}) * B
total <- between - w / {r} + rowMeans(u)
df <- total^2 / (between^2 / ({m} - 1) + (w / {r})^2 / ({m} * ({r} - 1)))
negative <- total <= 0
total <- ifelse(negative | df < {m} - 1, between + rowMeans(u), total)
df <- ifelse(negative, ({m} - 1) * (1 + rowMeans(u) / between)^2, pmax(df, {m} - 1))""",
    ', rule="reiter2004", r={r}',
)

FOUND = "with q̄ the mean estimate, ū the mean variance"
POOLING = {
    "reiter2003": ONE_STAGE,
    "reiter2004": NESTED,
    "rrr2003": PoolingText(
        f"""Analyse every set, then pool: {FOUND} and b the variance between
the {{m}} estimates, the total variance is T = (1 + 1/m) b - ū, or (k/n) ū where that is negative, with
(m - 1)(1 - ū/((1 + 1/m) b))² degrees of freedom (Raghunathan, Reiter & Rubin 2003, Journal of Official
Statistics 19, 1-16).""",
        """between = (1 + 1 / {m}) * q.var(axis=1)
total = between - u.mean(axis=1)
total = total.where(total > 0, u.mean(axis=1) * {k} / {n})""",
        """between <- (1 + 1 / {m}) * apply(q, 1, var)
total <- between - rowMeans(u)
total <- ifelse(total > 0, total, rowMeans(u) * {k} / {n})
df <- ({m} - 1) * (1 - rowMeans(u) / between)^2""",
        ', rule="rrr2003"',
    ),
    "raab2016": PoolingText(
        f"""Analyse every set, then pool: {FOUND}, the total
variance is T = ū (1 + (n/k)/m) and estimates are normal (Raab, Nowok & Dibben 2016, Journal of Privacy
and Confidentiality 7(3), 67-97).""",
        "total = u.mean(axis=1) * (1 + {n} / {k} / {m})",
        "total <- rowMeans(u) * (1 + {n} / {k} / {m})\ndf <- Inf",
        ', rule="raab2016"',
    ),
    "raab2016_proper": PoolingText(
        f"""Analyse every set, then pool: {FOUND}, the total
variance is T = ū (1 + (1 + n/k)/m) and estimates are normal (Raab, Nowok & Dibben 2016, Journal of
Privacy and Confidentiality 7(3), 67-97).""",
        "total = u.mean(axis=1) * (1 + (1 + {n} / {k}) / {m})",
        "total <- rowMeans(u) * (1 + (1 + {n} / {k}) / {m})\ndf <- Inf",
        ', rule="raab2016_proper"',
    ),
    "population_synthetic": PoolingText(
        """The real data are a whole population. Analyse every set, then
pool: with b the variance between the {m} estimates, the total variance is T = b/m, with m - 1 degrees
of freedom.""",
        "total = q.var(axis=1) / {m}",
        "total <- apply(q, 1, var) / {m}\ndf <- {m} - 1",
        ', rule="population_synthetic"',
    ),
}

RESIZED = """
The sets have {k} rows, the real sample had {n}: multiply the variances within sets by {k}/{n} first,
for the sets know no more than the sample (Raab, Nowok & Dibben 2016)."""


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
    synthesis, name = manifest["synthesis"], spec.dataset.name
    numbers = {key: synthesis[key] for key in ("m", "r", "n", "k")} | {"n_sets": synthesis["sets"]}
    pooling, rule = POOLING[manifest["pooling_rule"]], RULES[manifest["pooling_rule"]]
    example, width = choose_example(spec, schema), len(str(synthesis["sets"]))
    digits = f"%0{width}d" if width > 1 else "%d"
    as_csv = "csv" in spec.publish.formats
    suffix = "parquet" if "parquet" in spec.publish.formats else "csv"
    in_parts = spec.partition is not None and suffix == "parquet"
    # Empty cells are missing values only where the data have any: a category may be an empty text.
    keeps_missing = any(variable.keep_missing for variable in schema)
    missing = '""' if keeps_missing else "character()"
    n, k = synthesis["n"], synthesis["k"]
    resized = n != k
    sized = {
        "scale": f" * {k} / {n}" if resized and rule.uses_sample_size else "",
        "size": f", n={n}" if resized else "",
    }
    values: dict[str, Any] = {
        **numbers,
        **sized,
        "name": name,
        "digits": digits,
        "missing": missing,
        "classes": read_classes(schema),
        "long_file": long_file(name),
        "r_formula": example.r,
    }
    is_long = LONG in spec.publish.formats
    has_rule = pooling is ONE_STAGE and not resized
    with_mice = is_long and has_rule and mice_knows_names(schema)
    python = PYTHON.format(
        **values,
        formula=quote(example.statsmodels),
        reader=f"read_{suffix}",
        ending="" if in_parts else f".{suffix}",
        pad=f":0{width}d" if width > 1 else "",
        python_total=pooling.python.format(**numbers),
        own=_own_code(example, pooling.rule.format(**numbers), sized["size"]),
    )
    read_r = R_CSV if as_csv else R_PARTS if in_parts else R_PARQUET
    return TEMPLATE.format(
        title=spec.dataset.title or name,
        description=spec.dataset.description,
        licence=f", licence {spec.dataset.licence}" if spec.dataset.licence else "",
        version=manifest["version"],
        sets=f"One synthetic data set of {k} rows"
        if synthesis["sets"] == 1
        else f"{synthesis['sets']} synthetic data sets of {k} rows each",
        drawn="It was drawn" if synthesis["sets"] == 1 else "They were drawn",
        rows=describe_partial(manifest) or "no row belongs to a person",
        pooling=pooling.words.format(**numbers)
        + (RESIZED.format(n=n, k=k) if sized["scale"] else ""),
        completed=_completion_note(manifest),
        signature=SIGNATURE,
        public_key=PUBLIC_KEY,
        further=FURTHER_SETS if spec.publish.synthesizer else "",
        python=python,
        r=read_r.format(**values, factors=make_factors(schema))
        + R.format(**values, r_total=pooling.r.format(**numbers))
        + (pool_with_mice(schema, name, example.r) if with_mice else ""),
        long_files=LONG_FILES.format(**values, rule="" if has_rule else NO_RULE) if is_long else "",
    )


def _own_code(example: ExampleFormula, rule: str, size: str) -> str:
    if example.own is None:
        return ""
    return OWN.format(formula=quote(example.own), rule=rule, size=size)


def _completion_note(manifest: Mapping[str, Any]) -> str:
    missing = {name: s for name, s in manifest["imputation"]["missing_shares"].items() if s > 0}
    if not missing:
        return ""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in missing.items())
    if manifest["synthesis"]["r"] > 1:
        return f"\nShares of the holes that were imputed: {shares}.\n"
    return (
        f"\nThe real data had holes ({shares}); they were imputed once before synthesis.\n"
        "Intervals do not include the uncertainty of that imputation.\n"
    )

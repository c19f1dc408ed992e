"""R code for the reader of a release: reading categories, and pooling with mice."""

from __future__ import annotations

import json
import re

from synth_tasks.data import Kind, Schema
from synth_tasks.release.formats import long_file

MICE = """

# The same with mice. Set 0 of the file is empty, as mice wants the original data there:
# every value that mice takes comes from the synthetic sets.
library(mice)
long <- read.csv("{long_file}", check.names = FALSE{classes})
{rename}imp <- as.mids(long)
categories <- list({levels})
for (name in names(categories)) {{  # only now, for mice cannot begin with an empty factor
  order <- name %in% c({ordered})
  as_factor <- function(x) factor(x, levels = categories[[name]], ordered = order)
  imp$data[[name]] <- as_factor(imp$data[[name]])
  imp$imp[[name]][] <- lapply(imp$imp[[name]], as_factor)
}}
print(summary(pool.syn(with(imp, lm({formula})))))"""
RENAME = """names(long) <- make.names(names(long))  # mice cannot use other names
"""
R_RESERVED = {
    "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf",
    "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_", "in",
}  # fmt: skip


def read_classes(schema: Schema) -> str:
    """Let R read categories as texts, which it would take for numbers or truth values (01, T)."""
    names = [v.name for v in schema if v.is_categorical and v.kind is not Kind.BOOLEAN]
    if not names:
        return ""
    classes = ", ".join(f'{quote(name)} = "character"' for name in names)
    return f",\n    colClasses = c({classes})"


def mice_knows_names(schema: Schema) -> bool:
    """Tell whether the columns still have different names where mice needs them changed."""
    return len({_made(name) for name in schema.names}) == len(schema)


def pool_with_mice(schema: Schema, name: str, formula: str) -> str:
    """Write code that reads the long file of a data set with mice, fits a formula and pools."""
    factors = [v for v in schema if v.is_categorical and v.kind is not Kind.BOOLEAN]
    levels = (
        f"{quote(_made(v.name))} = c({', '.join(quote(str(label)) for label in v.categories)})"
        for v in factors
    )
    ordered = (quote(_made(v.name)) for v in factors if v.kind is Kind.ORDINAL)
    return MICE.format(
        long_file=long_file(name),
        classes=read_classes(schema),
        levels=", ".join(levels),
        ordered=", ".join(ordered),
        rename=RENAME if any(_made(name) != name for name in schema.names) else "",
        formula=re.sub("`([^`]*)`", lambda found: _made(found[1]), formula),
    )


def _made(name: str) -> str:
    """Return a name as R's make.names does."""
    made = re.sub(r"[^\w.]", ".", name)
    if not re.match(r"[^\W\d_]|\.(?!\d)", made):
        made = f"X{made}"
    return f"{made}." if made in R_RESERVED else made


def make_factors(schema: Schema) -> str:
    """Give every category its place, so that R takes the same one as reference."""
    lines = []
    for variable in schema:
        column = f"s[[{quote(variable.name)}]]"
        if variable.kind is Kind.BOOLEAN:
            lines.append(f'  {column} <- toupper({column}) == "TRUE"\n')
        elif variable.is_categorical:
            levels = ", ".join(quote(str(label)) for label in variable.categories)
            ordered = ", ordered = TRUE" if variable.kind is Kind.ORDINAL else ""
            lines.append(f"  {column} <- factor({column}, levels = c({levels}){ordered})\n")
    return "".join(lines)


def quote(value: object) -> str:
    """Write a text or number as both languages do."""
    return json.dumps(value, ensure_ascii=False)

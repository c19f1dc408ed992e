"""How pooling rules are explained to people."""

from __future__ import annotations

from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Wording:
    """A rule in words and formulas.

    Parameters
    ----------
    name : str
        What it is called, after "the rule".
    condition : str
        When it holds, after "because".
    between : str
        What it needs beside the mean estimate and the mean variance within sets.
    total : str
        Total variance.
    df : str
        Degrees of freedom.
    source : str
        Where it comes from.
    """

    name: str
    condition: str
    between: str
    total: str
    df: str
    source: str


BETWEEN_SETS = f"the variance b = Σ (q {MINUS} q̄)² / (m {MINUS} 1) between the sets"
SIZES = "the share n / k of real rows to rows of a set"
RAAB = "Journal of Privacy and Confidentiality 7(3), 67-97"

WORDINGS = {
    "reiter2003": Wording(
        "of Reiter (2003)",
        "synthetic values were drawn from models fitted to the real sample",
        BETWEEN_SETS,
        "T = ū + b / m",
        f"(m {MINUS} 1) (1 + ū / (b / m))²",
        "Reiter (2003), for synthetic sets; parameters need not be drawn anew for every set"
        " (Reiter & Kinney 2012)",
    ),
    "rubin1987": Wording(
        "of Rubin (1987)",
        "missing values were imputed and observed ones are real",
        BETWEEN_SETS,
        "T = ū + (1 + 1 / m) b",
        "as of Barnard & Rubin (1999)",
        "Rubin (1987), for imputed sets",
    ),
    "reiter2004": Wording(
        "of Reiter (2004)",
        "incomplete data were imputed several times, and each version synthesised",
        "the variance B between the means of the M imputations and the mean variance b̄ within them (the"
        " first r sets belong to the first imputation, and so on)",
        f"T = (1 + 1 / M) B {MINUS} b̄ / r + ū, without b̄ / r where chance makes that small or negative",
        f"1 / {{ ((1 + 1 / M) B)² / ((M {MINUS} 1) T²) + (b̄ / r)² / (M (r {MINUS} 1) T²) }}, at least"
        f" M {MINUS} 1",
        "Reiter (2004), for syntheses of imputed data, Survey Methodology 30, 235-242",
    ),
    "rrr2003": Wording(
        "of Raghunathan, Reiter & Rubin (2003)",
        "sets are fully synthetic, from parameters drawn anew",
        BETWEEN_SETS,
        f"T = (1 + 1 / m) b {MINUS} ū, or (k / n) ū where that is negative (Reiter 2002)",
        f"(m {MINUS} 1) (1 {MINUS} ū / ((1 + 1 / m) b))²",
        "Raghunathan, Reiter & Rubin (2003), for many completely synthetic sets, Journal of Official"
        " Statistics 19, 1-16",
    ),
    "raab2016": Wording(
        "of Raab, Nowok & Dibben (2016), fitted parameters",
        "sets are completely synthetic, from fitted parameters, and the sample is large",
        SIZES,
        "T = ū (1 + (n / k) / m)",
        "∞",
        f"Raab, Nowok & Dibben (2016), for completely synthetic sets of large samples, {RAAB}",
    ),
    "raab2016_proper": Wording(
        "of Raab, Nowok & Dibben (2016), drawn parameters",
        "sets are completely synthetic, from drawn parameters, and the sample is large",
        SIZES,
        "T = ū (1 + (1 + n / k) / m)",
        "∞",
        f"Raab, Nowok & Dibben (2016), for completely synthetic sets of large samples, {RAAB}",
    ),
    "population_imputed": Wording(
        "of Vink & van Buuren (2014)",
        "the data are the population, so only missing values are uncertain",
        BETWEEN_SETS,
        "T = (1 + 1 / m) b",
        f"m {MINUS} 1",
        "Vink & van Buuren (2014), for imputed populations, arXiv:1409.8542",
    ),
    "population_synthetic": Wording(
        "for synthetic populations",
        "the data are the population, so only the synthesis is uncertain",
        BETWEEN_SETS,
        "T = b / m",
        f"m {MINUS} 1",
        "what Vink & van Buuren (2014, arXiv:1409.8542) say of imputed populations, for synthetic ones",
    ),
}

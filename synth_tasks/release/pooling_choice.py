"""Which pooling rule the sets of a release need."""

from __future__ import annotations

from dataclasses import dataclass

from synth_tasks.errors import PoolingError
from synth_tasks.inference import RULES, choose_rule

# They take every value of an analysis to be synthetic.
COMPLETE_ONLY = ("raab2016", "raab2016_proper", "rrr2003")


@dataclass(frozen=True)
class _Planned:
    """How sets will be made; see `synth_tasks.inference.choice.Origin`."""

    stage: str
    m: int
    r: int
    proper: bool
    n: int = 0
    k: int = 0


def choose_pooling_rule(
    rule: str, imputations: int, syntheses: int, proper: bool, leaves_real_values: bool
) -> str:
    """Choose the rule for the sets of a release, or check the one asked for.

    Parameters
    ----------
    rule : str
        "auto", or a name in `synth_tasks.inference.RULES`.
    imputations, syntheses : int
        ``imputation.m`` and ``synthesis.m``.
    proper : bool
        Whether the parameters of a synthesis are drawn.
    leaves_real_values : bool
        Whether columns or rows are published as they are.

    Returns
    -------
    str

    Raises
    ------
    PoolingError
        If the rule is unknown or does not hold.
    """
    if rule != "auto" and rule not in RULES:
        raise PoolingError(f"unknown pooling rule '{rule}': use auto or one of {list_rules()}")
    if imputations > 1:
        planned = _Planned("imputation and synthesis", imputations, syntheses, proper)
    else:
        planned = _Planned("synthesis", syntheses, 1, proper)
    chosen = choose_rule(planned, rule)[0]
    if chosen in COMPLETE_ONLY and leaves_real_values:
        raise PoolingError(
            f"the rule {chosen} does not hold: it is for when every value was synthesised, and "
            "synthesis.keep or synthesis.rows leave real ones; use reiter2003"
        )
    return chosen


def list_rules() -> str:
    """Return the names of all rules with their explanations, in one line."""
    return ", ".join(f"{name} ({rule.wording.name})" for name, rule in RULES.items())

"""Which pooling rule holds for sets, by how they were made."""

from __future__ import annotations

from typing import Protocol

from synth_tasks.errors import PoolingError
from synth_tasks.inference.wording import WORDINGS

IMPUTED, SYNTHETIC, NESTED = "imputation", "synthesis", "imputation and synthesis"


class Origin(Protocol):
    """How sets were made, as `synth_tasks.engine.Provenance` tells."""

    @property
    def stage(self) -> str:
        """One of "imputation", "synthesis" and "imputation and synthesis"."""
        ...

    @property
    def m(self) -> int:
        """Imputations, or synthetic sets."""
        ...

    @property
    def r(self) -> int:
        """Syntheses of each imputation."""
        ...

    @property
    def proper(self) -> bool:
        """Whether parameters were drawn for every set."""
        ...

    @property
    def n(self) -> int:
        """Rows of the real data."""
        ...

    @property
    def k(self) -> int:
        """Rows of each set."""
        ...


# Rules for a stage, the one that is chosen first.
_HOLDS = {
    IMPUTED: ("rubin1987", "population_imputed"),
    SYNTHETIC: ("reiter2003", "raab2016", "raab2016_proper", "rrr2003", "population_synthetic"),
    NESTED: ("reiter2004",),
}


def choose_rule(origin: Origin, rule: str = "auto") -> tuple[str, str]:
    """Choose the rule for sets, or check the one asked for.

    Parameters
    ----------
    origin : Origin
        How the sets were made.
    rule : str, default "auto"
        "auto", or a rule that must hold.

    Returns
    -------
    rule : str
    why : str
        Why it holds.

    Raises
    ------
    PoolingError
        If no rule holds, or not the one asked for; the message says why and what to do.
    """
    chosen = _HOLDS[origin.stage][0] if rule == "auto" else rule
    if chosen not in WORDINGS:
        raise PoolingError(f"unknown pooling rule '{chosen}': use one of {', '.join(WORDINGS)}")
    if chosen not in _HOLDS[origin.stage]:
        raise PoolingError(
            f"the rule {chosen} does not hold: it is for when {WORDINGS[chosen].condition}, "
            f"and these sets come from {origin.stage}; use {' or '.join(_HOLDS[origin.stage])}"
        )
    if chosen == "reiter2004" and min(origin.m, origin.r) < 2:
        raise PoolingError(
            "incomplete data that were synthesised are pooled from 2 or more imputations of 2 or more "
            "syntheses each: set m and r, or impute once (m = 1) and synthesise the completed data"
        )
    if chosen == "reiter2003" and origin.m < 2:
        raise PoolingError(
            "a single synthetic set does not tell how much the synthesis adds to the variance: raise m "
            "(synthesis.m) to 2 or more; or, if every value of the variables analysed was synthesised, "
            f"ask for the rule {'raab2016_proper' if origin.proper else 'raab2016'}"
        )
    if chosen in ("raab2016", "raab2016_proper", "rrr2003"):
        drawn = chosen != "raab2016"
        if drawn != origin.proper:
            said = "drawn for every set" if origin.proper else "fitted once, not drawn"
            raise PoolingError(
                f"the rule {chosen} does not hold: parameters were {said}; use reiter2003, or "
                f"{'raab2016_proper' if origin.proper else 'raab2016'}"
            )
    return chosen, WORDINGS[chosen].condition

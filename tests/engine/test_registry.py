"""The imputation methods and how to add one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine import mice, registry
from synth_tasks.engine.registry import (
    NUMBERS,
    Context,
    check_suits,
    find_method,
    make_options,
    method,
    require_whole,
)
from synth_tasks.errors import PlanError
from tests.engine.builders import category, number

BUILT_IN = [
    "cart",
    "catall",
    "cubertnorm",
    "derived",
    "ipf",
    "lda",
    "lognorm",
    "logreg",
    "logreg.boot",
    "mean",
    "midastouch",
    "nested",
    "norm",
    "norm.boot",
    "norm.nob",
    "norm.predict",
    "normrank",
    "pmm",
    "polr",
    "polyreg",
    "rf",
    "sample",
    "satcat",
    "sqrtnorm",
]


@dataclass(frozen=True)
class ShiftOptions:
    by: float = 1.0


@dataclass(frozen=True)
class Shift:
    value: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.full(len(x), self.value)


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @method("shift", kinds=NUMBERS, options=ShiftOptions)
    def fit_shift(y: np.ndarray, x: np.ndarray, context: Context) -> Shift:
        context.log("shifted")
        return Shift(float(y.max()) + context.options.by)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_methods_are_registered(name: str) -> None:
    assert find_method(name).name == name


@pytest.mark.parametrize(
    "name", ["norm", "norm.boot", "pmm", "midastouch", "logreg", "logreg.boot", "rf"]
)
def test_bayesian_methods_draw_their_parameters(name: str) -> None:
    assert find_method(name).draws_parameters


@pytest.mark.parametrize(
    "name", ["cart", "sample", "mean", "polr", "polyreg", "norm.nob", "normrank", "lda"]
)
def test_the_others_do_not(name: str) -> None:
    assert not find_method(name).draws_parameters


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        PlanError, match=f"unknown method 'forest'; use one of {', '.join(BUILT_IN)}"
    ):
        find_method("forest")


def test_a_method_must_suit_the_variable() -> None:
    check_suits("polr", category(3, Kind.ORDINAL))
    with pytest.raises(PlanError) as caught:
        check_suits("polr", number("hgt"))
    assert str(caught.value) == (
        "method 'polr' cannot be used for the numeric variable 'hgt'; "
        "use cart, cubertnorm, derived, lognorm, mean, midastouch, nested, norm, norm.boot, norm.nob, "
        "norm.predict, normrank, pmm, rf, sample, sqrtnorm or a formula"
    )


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        PlanError, match="'cart' has no option 'depth'; it has minbucket, cp, minsplit"
    ):
        make_options("cart", {"depth": 3})
    with pytest.raises(PlanError, match="'norm' has no option 'donors'; it has none"):
        make_options("norm", {"donors": 3})


def test_options_have_defaults() -> None:
    assert make_options("cart", None) == make_options("cart", {"minbucket": 5})


def test_whole_numbers_are_whole() -> None:
    require_whole("cart.minbucket", 3, least=3)
    with pytest.raises(
        PlanError, match=r"method_options.cart.minbucket must be a whole number of 3"
    ):
        require_whole("cart.minbucket", 2, least=3)


@pytest.mark.usefixtures("shift")
def test_a_new_method_works_like_a_built_in_one() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, None], "b": [1.0, 2.0, 3.0]})
    imputed = mice(
        frame, m=1, maxit=1, method={"a": "shift"}, method_options={"shift": {"by": 5.0}}, seed=1
    )
    assert imputed.complete(1)["a"].tolist() == [1.0, 2.0, 7.0]
    assert imputed.logged_events["event"].tolist() == ["shifted"]
    with pytest.raises(PlanError, match="method 'shift' cannot be used for the binary"):
        check_suits("shift", category(2, Kind.BINARY))


def test_plug_ins_are_loaded_when_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    class Entry:
        @staticmethod
        def load() -> None:
            method("plugged")(lambda y, x, context: Shift(1.0))

    def entries(group: str) -> list[type[Entry]]:
        assert group == "synth_tasks.methods"
        return [Entry]

    monkeypatch.setattr(registry, "entry_points", entries)
    registry._load_plugins.cache_clear()
    try:
        assert find_method("plugged").name == "plugged"
    finally:
        registry._load_plugins.cache_clear()

"""The file of a portable synthesizer."""

from __future__ import annotations

import copy
import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import AnySynthesizer, Synthesizer
from synth_tasks.engine.portable import (
    checking,
    from_json,
    load_portable,
    make_portable,
    records,
    save_portable,
    to_json,
)
from synth_tasks.engine.portable.records import from_record, register_type, to_record
from synth_tasks.engine.registry import Fitted
from synth_tasks.errors import PlanError, StorageError
from tests.engine.portable.builders import EVERY_METHOD, fitted, fitted_by, table


def same(first: AnySynthesizer, second: AnySynthesizer) -> bool:
    return all(
        first.draw(seed=3, set_number=i).tobytes() == second.draw(seed=3, set_number=i).tobytes()
        for i in (1, 2, 3)
    )


@pytest.mark.parametrize("settings", [{}, {"k": 77}, {"strata": ["g"]}], ids=str)
@pytest.mark.parametrize("name", EVERY_METHOD)
def test_what_is_read_draws_the_same_bytes(name: str, settings: dict[str, Any]) -> None:
    portable = make_portable(fitted_by(name, n_rows=400, **settings))
    text = to_json(portable)
    read = from_json(text)
    assert type(read) is type(portable)
    assert same(read, portable)
    assert to_json(read) == text


def test_formulas_rules_tables_and_derived_columns_are_kept() -> None:
    frame = table()[["x", "y", "g", "h", "o"]].assign(
        z=lambda t: 3 * t["x"] + 1, copy=lambda t: t["h"].cat.rename_categories(str.upper)
    )
    only = pd.DataFrame(1, index=frame.columns, columns=frame.columns)
    only.loc["o"] = [0, 0, 1, 1, 0, 0, 0]
    methods = {"x": "sample", "z": "~ 3 * x + 1", "o": "ipf", "copy": "derived"}
    portable = make_portable(
        fitted(
            frame,
            method=dict.fromkeys(frame, "cart") | methods,
            predictor_matrix=only,
            post={"y": "max(y, 0)"},
            rules={"g": {"x < 1": "v"}},
        )
    )
    assert same(from_json(to_json(portable)), portable)
    drawn = from_json(to_json(portable)).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(drawn[:, 6], drawn[:, 3])
    assert (drawn[:, 1] >= 0).all()


def test_a_file_is_for_everyone(tmp_path: Path) -> None:
    portable = make_portable(fitted_by("cart"))
    save_portable(portable, tmp_path / "s.json")
    assert same(load_portable(tmp_path / "s.json"), portable)
    assert stat.S_IMODE((tmp_path / "s.json").stat().st_mode) == 0o644


def test_what_is_not_portable_is_not_written() -> None:
    with pytest.raises(PlanError, match="use make_portable first"):
        to_json(fitted_by("cart"))
    with pytest.raises(PlanError, match='set conditioning to "synthetic"'):
        to_json(fitted_by("parametric", conditioning="observed"))


# --- files that are damaged, or made to harm -----------------------------------------------------

CART = json.loads(to_json(make_portable(fitted_by("cart"))))
NOMINAL = json.loads(to_json(make_portable(fitted(table()[["h", "y"]]))))
PARAMETRIC = json.loads(to_json(make_portable(fitted_by("parametric"))))
ESTIMATES = json.loads(to_json(make_portable(fitted_by("estimates"))))
STRATA = json.loads(to_json(make_portable(fitted_by("cart", n_rows=400, strata=["g"]))))


def refused(document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(StorageError, match="anew"):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", "NaN", "{", '"text"', "[" * 100_000, "\x00",
        json.dumps(CART).replace('"quantiles"', '"os.system"'),
        json.dumps(CART).replace('"threshold": {', '"more": 1, "threshold": {', 1),
        json.dumps(CART).replace('"k": 200', '"k": NaN'),
        json.dumps(CART).replace('"k": 200', '"k": ' + "9" * 5000),
    ],
    ids=range(13),
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    refused(text)


Place = tuple[str | int, ...]
TREE: Place = ("models", 0, 1, "model", "questions")
MARGIN: Place = ("models", 0, 0, "model", "distribution")
NORM: Place = ("models", 0, 1, "model", "model")
STATE: Place = ("models", 0, 2, "model")


@pytest.mark.parametrize(
    ("document", "place", "value"),
    [
        (CART, ("format",), "other"),
        (CART, ("k",), 0),
        (CART, ("k",), 10**12),
        (CART, ("k",), 2.5),
        (CART, ("sizes",), [200]),
        (CART, ("models",), []),
        (CART, ("models", 0), {}),
        (CART, ("models", 0, 0), "x"),
        (CART, ("models", 0, 0, "name"), "y"),
        (CART, ("models", 0, 0, "name"), ["x"]),
        (CART, ("models", 0, 1, "predictors"), ["y"]),
        (CART, ("models", 0, 1, "predictors"), []),
        (CART, ("models", 0, 1, "columns", "positions"), [99]),
        (CART, ("models", 0, 1, "columns", "positions"), [1]),
        (CART, ("models", 0, 1, "columns", "fillers"), [None]),
        (CART, ("models", 0, 1, "model"), None),
        (CART, ("models", 0, 1, "model"), CART["models"][0][0]["model"]["distribution"]),
        (CART, ("models", 0, 1, "model"), CART["models"][0][3]["model"]),
        (CART, (*TREE, "right", "values", 0), 0),  # a circle
        (CART, (*TREE, "right", "values", 0), -1),
        (CART, (*TREE, "right", "values", 0), 10**6),
        (CART, (*TREE, "right", "values", 0), 2**32 + 2),
        (CART, (*TREE, "right", "values", 0), 1),  # two parents
        (CART, (*TREE, "feature", "values", 0), 7),
        (CART, (*TREE, "feature", "values", 0), 0.5),
        (CART, (*TREE, "feature", "type"), "floats"),
        (CART, (*TREE, "threshold", "values", 0), None),
        (CART, (*TREE, "threshold", "values", 0), 1e999),
        (CART, (*TREE, "threshold", "values", 0), 10**400),
        (CART, (*TREE, "threshold", "values", 0), "1"),
        (CART, (*TREE, "threshold", "shape"), [-1]),
        (CART, (*TREE, "threshold", "shape"), [10**9]),
        (CART, ("models", 0, 1, "model", "group", "values"), []),
        (CART, (*TREE, "end_level", "values", 0), 1),  # levels of a number
        (CART, (*TREE, "first_level", "values", 0), -1),
        (NOMINAL, (*TREE, "levels", "shape"), [0]),
        (NOMINAL, (*TREE, "levels", "values"), []),
        (NOMINAL, (*TREE, "levels", "values", 0), 99),
        (NOMINAL, (*TREE, "levels", "values", 0), -1),
        (NOMINAL, (*TREE, "levels", "type"), "floats"),
        (CART, (*MARGIN, "start", "values", 1), 1),
        (CART, (*MARGIN, "ranks", "values", 1), 2.0),
        (CART, (*MARGIN, "ranks", "values", 0), 0.5),
        (CART, (*MARGIN, "values", "values", 3), None),
        (CART, (*STATE, "state"), CART["models"][0][2]["model"]),
        (CART, (*STATE, "parts", "variable", "spikes"), [1.0]),
        (CART, ("models", 0, 3, "model", "leaves", "shares", "values", 0), -0.5),
        (PARAMETRIC, (*NORM, "df"), 0),
        (PARAMETRIC, (*NORM, "rss"), -1.0),
        (PARAMETRIC, (*NORM, "coefficients", "values"), [1.0]),
        (PARAMETRIC, (*NORM, "design", "kept", "values", 0), 5),
        (PARAMETRIC, (*NORM, "design", "scale", "values", 0), 0.0),
        (PARAMETRIC, (*NORM, "design", "variables"), []),
        (PARAMETRIC, ("models", 0, 2, "model", "value", "scale"), "eval"),
        (PARAMETRIC, ("models", 0, 4, "model", "levels", "values", 0), 9.0),
        (PARAMETRIC, ("models", 0, 4, "model", "coefficients", "shape"), [1, 1]),
        (PARAMETRIC, ("models", 0, 5, "model", "model", "thresholds", "values", 0), 1e9),
        (ESTIMATES, ("models", 0, 4, "model", "distribution", "shares", "shape"), [4, 1]),
        (STRATA, ("sizes",), [1]),
        (STRATA, ("sizes",), [10**9, 1]),
        (STRATA, ("sizes",), [0, 1]),
        (STRATA, ("models",), STRATA["models"][:1]),
        (CART, ("plan",), "x"),
        (CART, ("plan", "n_rows"), 10**12),
        (CART, ("plan", "m"), "5"),
        (CART, ("plan", "methods"), []),
        (CART, ("plan", "methods", "x"), 5),
        (CART, ("plan", "methods", "x"), "~ __import__('os')"),
        (CART, ("plan", "methods", "x"), "~ y"),
        (CART, ("plan", "post"), {"x": "open('file')"}),
        (CART, ("plan", "rules"), {"x": {"y > 1": 0.0}}),
        (CART, ("plan", "rules"), {"nobody": {"y > 1": 0.0}}),
        (CART, ("plan", "conditioning"), "observed"),
        (CART, ("plan", "formulas"), {"y": "y ~ x"}),
        (CART, ("plan", "options"), {"cart": {"minbucket": {"deep": []}}}),
        (CART, ("plan", "predictors", "x"), 5),
        (CART, ("plan", "where"), 5),
        (CART, ("plan", "more"), 5),
        (CART, ("plan", "schema"), []),
        (CART, ("plan", "schema", 0, "kind"), "secret"),
        (CART, ("plan", "schema", 0, "decimals"), "1"),
        (CART, ("plan", "schema", 1, "name"), "x"),
        (CART, ("plan", "schema", 3, "categories"), [["u"], ["v"]]),
        (CART, ("plan", "strata"), ["g"]),
    ],
    ids=lambda value: str(value)[:50] if value is not CART else "cart",
)
def test_a_document_with_one_wrong_entry_is_refused(
    document: dict[str, Any], place: Place, value: Any
) -> None:
    changed = copy.deepcopy(document)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    assert place[-1] == "more" or inner[place[-1]] != value
    inner[place[-1]] = value
    refused(changed)


def test_every_entry_is_needed() -> None:
    def paths(item: Any, path: Place = ()) -> list[Place]:
        if not isinstance(item, dict):
            return []
        return [
            p for key, inner in item.items() for p in ((*path, key), *paths(inner, (*path, key)))
        ]

    step = CART["models"][0][1]
    for path in [(key,) for key in CART] + [("models", 0, 1, *p) for p in paths(step)]:
        if path[-1] == "version":  # has a message of its own
            continue
        changed = copy.deepcopy(CART)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        refused(changed)


def test_another_version_is_told() -> None:
    with pytest.raises(StorageError, match=r"not of version 2 .* that wrote it"):
        from_json(json.dumps(CART | {"version": 1}))


def chain(depth: int) -> dict[str, Any]:
    """Return a tree that goes right at every node."""
    document = copy.deepcopy(CART)
    n = 2 * depth + 1
    inner = [i % 2 == 0 and i < n - 1 for i in range(n)]
    columns = {
        "feature": [0 if i else -1 for i in inner],
        "right": [i + 2 if is_inner else -1 for i, is_inner in enumerate(inner)],
        "first_level": [0] * n,
        "end_level": [0] * n,
        "threshold": [0.0] * n,
    }
    tree = document["models"][0][1]["model"]
    for name, values in columns.items():
        tree["questions"][name] = tree["questions"][name] | {"shape": [n], "values": values}
    group = np.where(inner, -1, np.cumsum(~np.array(inner)) - 1).tolist()
    tree["group"] = tree["group"] | {"shape": [n], "values": group}
    start = {"type": "integers", "shape": [depth + 2], "values": list(range(0, 2 * depth + 4, 2))}
    pairs = {"type": "floats", "shape": [2 * depth + 2], "values": [0.0, 1.0] * (depth + 1)}
    tree["leaves"] = {"type": "quantiles", "start": start, "ranks": pairs, "values": pairs}
    return document


def test_a_tree_that_is_too_deep_is_refused() -> None:
    read = from_json(json.dumps(chain(500)))
    assert np.isfinite(read.draw(seed=1, set_number=1)).all()
    refused(chain(1001))


def test_levels_out_of_order_are_refused() -> None:
    changed = copy.deepcopy(NOMINAL)
    asked = changed["models"][0][1]["model"]["questions"]
    assert asked["levels"]["values"] == [3, 0, 2]
    assert (asked["first_level"]["values"][0], asked["end_level"]["values"][0]) == (0, 1)
    asked["end_level"]["values"][0] = 2
    refused(changed)
    asked["levels"]["values"][:2] = [0, 3]
    from_json(json.dumps(changed))


def test_models_nested_too_deep_are_refused() -> None:
    changed = copy.deepcopy(CART)
    for _ in range(100):
        changed["models"][0][2]["model"] = changed["models"][0][2]["model"] | {
            "value": changed["models"][0][2]["model"]
        }
    refused(changed)


def test_reading_a_document_of_many_rows_takes_no_memory() -> None:
    read = from_json(json.dumps(CART | {"k": 10**9}))
    assert read.plan.n_rows == 10**9


def test_random_damage_is_refused_or_harmless() -> None:
    """A changed digit may make a valid number; then the synthesizer must draw."""
    text, rng = json.dumps(CART), np.random.default_rng(1)
    digits = np.flatnonzero([character.isdigit() for character in text])
    anywhere, in_numbers = rng.integers(len(text), size=100), rng.choice(digits, size=100)
    n_refused = n_harmless = 0
    for position in [*anywhere.tolist(), *in_numbers.tolist()]:
        character = str(rng.choice(list('0123456789-{}[],:"ae.')))
        try:
            read = from_json(text[:position] + character + text[position + 1 :])
        except StorageError:
            n_refused += 1
            continue
        assert np.isfinite(read.draw(seed=1, set_number=1)).all()
        n_harmless += 1
    assert n_refused > 50
    assert n_harmless > 30


# --- methods of other packages -------------------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    level: float

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.full(len(x), self.level)


def test_other_packages_register_their_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlanError, match=r"a Shared cannot be written: .* register_type"):
        to_record(Shared(1.5))
    monkeypatch.setattr(records, "_TYPES", dict(records._TYPES))
    register_type("shared", Shared)
    assert from_record(to_record(Shared(1.5)), Fitted) == Shared(1.5)

    portable = make_portable(fitted(table()[["x", "y"]]))
    assert isinstance(portable, Synthesizer)
    assert portable.steps[1].fitted is not None
    object.__setattr__(portable.steps[1].fitted, "model", Shared(1.5))
    text = to_json(portable)
    refused(text)  # nobody says how to check it
    checking.check_model.register(Shared, lambda model, place: None)
    assert (from_json(text).draw(seed=1, set_number=1)[:, 1] == 1.5).all()

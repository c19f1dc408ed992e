"""People as in a census of income, and syntheses of them that leak more or less."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from synth_tasks import synthesize
from synth_tasks.data import Schema, infer_schema
from synth_tasks.disclosure.cross_fitting import Address, Synthesise
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import find_neighbours
from synth_tasks.seeding import generator
from synth_tasks.utility.pair import TablePair

KEYS = ["age", "sex", "race", "occupation"]
TARGETS = ["marital", "workclass", "hours", "income"]

# Takes the people to train on, a seed, and the address of the random numbers.
Synthesis = Callable[[pd.DataFrame, int, Address], list[pd.DataFrame]]


def _choose(rng, shares, n, prefix):
    shares = np.asarray(shares, float)
    levels = [f"{prefix}{i}" for i in range(len(shares))]
    drawn = rng.choice(len(shares), size=n, p=shares / shares.sum())
    return pd.Categorical.from_codes(drawn, categories=levels)


def _by_score(rng, score, weights, prefix):
    """Draw categories whose odds depend on a score, one weight a category."""
    odds = np.exp(np.outer(score, weights))
    cumulated = np.cumsum(odds, axis=1)
    drawn = (rng.random(len(score))[:, None] * cumulated[:, -1:] > cumulated).sum(axis=1)
    levels = [f"{prefix}{i}" for i in range(len(weights))]
    return pd.Categorical.from_codes(drawn, categories=levels)


def draw_people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw people with 20 attributes of all kinds that hang together."""
    age = np.clip(np.round(17 + rng.gamma(2.5, 9, n)), 17, 90)
    old = (age - 38) / 14
    sex = rng.random(n) < 0.67
    talent = rng.normal(size=n)
    schooling = np.clip(np.round(10 + 2.2 * talent + rng.normal(size=n) - 0.3 * old), 1, 16)
    status = 0.5 * talent + 0.25 * (schooling - 10) / 2.5 + rng.normal(size=n) * 0.7
    settled = old + rng.normal(size=n) * 0.8
    marital = _by_score(rng, settled, [1.2, -1.4, 0.4, 0.1, 1.5, 0.0, -0.2], "m")
    relation = _by_score(
        rng, settled + (marital.codes == 0) * 1.5, [1.1, -1.5, 0.0, -0.8, 0.3, 0.6], "r"
    )
    occupation = _by_score(rng, status, np.linspace(-1.6, 1.6, 14), "o")
    workclass = _by_score(
        rng, 0.5 * status + 0.3 * old, [2.0, 0.4, 0.2, -0.3, 0.5, -0.5, -1, 0.1], "w"
    )
    usual = rng.random(n) < 0.47
    hours = np.where(usual, 40, np.clip(np.round(40 + 11 * rng.normal(size=n) + 3 * status), 1, 99))
    wage = np.round(np.exp(2.6 + 0.35 * status + 0.1 * old + 0.3 * rng.normal(size=n)), 2)
    gain = np.where(
        rng.random(n) < 0.08, np.round(np.exp(8 + 0.6 * status + 0.7 * rng.normal(size=n))), 0
    )
    loss = np.where(rng.random(n) < 0.05, np.round(1870 + 380 * rng.normal(size=n)), 0)
    wealth = 0.8 * status + 0.5 * old + (gain > 0) * 1.2 + 0.02 * (hours - 40)
    income = pd.Categorical.from_codes(
        (wealth + rng.logistic(size=n) * 0.6 > 1.1).astype(int), categories=["low", "high"]
    )
    return pd.DataFrame(
        {
            "age": age,
            "sex": pd.Categorical.from_codes(sex.astype(int), categories=["f", "m"]),
            "race": _choose(rng, [85, 10, 3, 1, 1], n, "e"),
            "country": _choose(rng, [90, 2, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5], n, "c"),
            "region": _choose(rng, [4, 3, 2, 1], n, "g"),
            "schooling": schooling,
            "occupation": occupation,
            "workclass": workclass,
            "marital": marital,
            "relation": relation,
            "hours": hours,
            "wage": wage,
            "gain": gain,
            "loss": loss,
            "income": income,
            "tenure": np.round(np.maximum(age - 17, 0) * rng.beta(1.2, 2.5, n), 1),
            "commute": np.round(rng.gamma(2, 14, n)),
            "children": np.minimum(rng.poisson(np.where(marital.codes == 0, 1.6, 0.4)), 8.0),
            "weight": np.round(50 + 22 * sex + 4 * old + 12 * rng.normal(size=n), 1),
            "pressure": np.round(118 + 6 * old + 5 * sex + 12 * rng.normal(size=n)),
        }
    )


def schema_of_people() -> Schema:
    """Describe the people, with all categories there are."""
    return infer_schema(draw_people(2000, np.random.default_rng(0)))


def independent(train: pd.DataFrame, seed: int, address: Address) -> list[pd.DataFrame]:
    """Draw every attribute for itself."""
    rng = generator(seed, *address, "independent")
    columns = {
        name: train[name].sample(len(train), replace=True, random_state=rng).to_numpy()
        for name in train
    }
    return [pd.DataFrame(columns).astype(train.dtypes.to_dict())]


def bootstrap(train: pd.DataFrame, seed: int, address: Address) -> list[pd.DataFrame]:
    """Publish the real rows, some of them several times."""
    rng = generator(seed, *address, "bootstrap")
    return [train.sample(len(train), replace=True, random_state=rng).reset_index(drop=True)]


def other_people(train: pd.DataFrame, seed: int, address: Address) -> list[pd.DataFrame]:
    """Publish people of the same population who are not in the data."""
    return [draw_people(len(train), generator(seed, *address, "others"))]


class Cart:
    """Sequential trees of the engine, drawn once for each half."""

    def __init__(self, minbucket: int = 20) -> None:
        self.minbucket = minbucket
        self._made: dict[tuple[int, Address], pd.DataFrame] = {}

    def __call__(self, train: pd.DataFrame, seed: int, address: Address) -> list[pd.DataFrame]:
        """Draw one set, which leaks no more than its leaves are small."""
        if (seed, address) not in self._made:
            made = synthesize(
                train,
                m=1,
                schema=schema_of_people(),
                seed=int(generator(seed, *address, "trees").integers(2**60)),
                method_options={"cart": {"minbucket": self.minbucket}},
            )
            self._made[seed, address] = made.complete(1)
        return [self._made[seed, address]]

    def with_copies(self, share: float, outliers: bool = False) -> Synthesis:
        """Replace a share of the rows by verbatim copies of real rows, drawn or outlying."""

        def synthesise(train: pd.DataFrame, seed: int, address: Address) -> list[pd.DataFrame]:
            clean = self(train, seed, address)[0]
            count = round(share * len(train))
            rng = generator(seed, *address, "copies")
            copied = _outliers(train, count) if outliers else rng.permutation(len(train))[:count]
            kept = clean.iloc[count:]
            return [pd.concat([train.iloc[copied], kept], ignore_index=True)]

        return synthesise


def _outliers(train: pd.DataFrame, count: int) -> np.ndarray:
    """Return the rows that are furthest from all others."""
    pair = TablePair.encode(train, train, schema_of_people())
    rows, _ = scale_pair(pair)
    distance = find_neighbours(rows, rows, left_out=np.arange(len(train))).first
    return np.argsort(-distance, kind="stable")[:count]


def syntheses() -> dict[str, Synthesis]:
    """List all, from harmless to reckless."""
    cart = Cart()
    return {
        "other people": other_people,
        "independent": independent,
        "cart": cart,
        "cart, small leaves": Cart(minbucket=5),
        "cart, 1 % outliers": cart.with_copies(0.01, outliers=True),
        "cart, 2 % copies": cart.with_copies(0.02),
        "cart, 10 % copies": cart.with_copies(0.10),
        "bootstrap": bootstrap,
    }


def as_callable(synthesis: Synthesis, seed: int) -> Synthesise:
    """Give a synthesis the seed of the experiment."""
    return lambda train, address: synthesis(train, seed, address)

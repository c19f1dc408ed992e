import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.cross_fitting import CrossFit, cross_fit
from synth_tasks.disclosure.membership import METRICS, attack, measure_membership
from synth_tasks.disclosure.neighbours import TIE
from synth_tasks.seeding import generator

SCHEMA = infer_schema(pd.DataFrame({"x": [0.0, 10.5]}))


def numbers(values):
    return np.array(values, float)[:, None]


def attacked(cross, **options):
    measured = measure_membership(attack(cross, generator(1), **options), generator(2))
    return {m.metric: m for m in measured}


@pytest.fixture
def hand():
    # Range 10. First half 0, 2, 10; second half 1, 5, 6.
    return CrossFit(
        SCHEMA,
        numbers([0, 2, 10, 1, 5, 6]),
        np.array([True, True, True, False, False, False]),
        ((numbers([0, 9]), numbers([3, 9])), (numbers([5]),)),
    )


def test_scores_by_hand(hand):
    attacks = attack(hand, generator(1))
    # Nearest of 0, 9, 3, 9, and of 5.
    assert -attacks.distance.first == pytest.approx([0, 0.1, 0.1, 0.1, 0.2, 0.3])
    assert -attacks.distance.second == pytest.approx([0.5, 0.3, 0.5, 0.4, 0, 0.1])
    # Nearest other record of the second half, then of the first half.
    second, first = np.array([1, 1, 4, 4, 1, 1]) / 10, np.array([2, 2, 8, 1, 3, 4]) / 10
    sets = -np.array([attacks.distance.first, attacks.distance.second])
    assert attacks.density.first == pytest.approx(np.log(second + TIE) - np.log(sets[0] + TIE))
    assert attacks.density.second == pytest.approx(np.log(first + TIE) - np.log(sets[1] + TIE))
    assert attacks.distance.in_first.tolist() == hand.in_first.tolist()


def test_verbatim_publication_tells_all(boys):
    distinct = boys.drop_duplicates()
    cross = cross_fit(distinct, infer_schema(boys), lambda train, address: [train], 1)
    found = attacked(cross)
    assert set(found) == {metric.name for metric in METRICS}
    for m in found.values():
        assert m.value == 1
        assert (m.n, m.set_number) == (len(distinct), 0)


def test_people_who_are_not_in_the_data_tell_nothing():
    rng = np.random.default_rng(1)

    def draw(n):
        return pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))

    people = draw(1500)
    cross = cross_fit(people, infer_schema(people), lambda train, address: [draw(750)], 1)
    for m in attacked(cross).values():
        assert m.lower <= m.null <= m.upper


def test_several_sets_tell_more_than_one():
    rng = np.random.default_rng(4)

    def draw(n):
        return pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))

    def copy_some(m):
        def synthesise(train, address):
            return [pd.concat([train.sample(40, random_state=rng), draw(360)]) for _ in range(m)]

        return synthesise

    people = draw(800)
    one, many = (attacked(cross_fit(people, infer_schema(people), copy_some(m), 1)) for m in (1, 5))
    # A tenth of the members is copied into each set; after five, 1 - 0.9**5 = 41 % are.
    for attack_name in ("distance", "density"):
        rate = f"membership_{attack_name}_tpr"
        assert one[rate].value == pytest.approx(0.11, abs=0.03)
        assert many[rate].value == pytest.approx(0.41, abs=0.05)


def test_large_tables_are_sampled_the_same_in_both_experiments():
    people = pd.DataFrame(np.random.default_rng(2).normal(size=(3000, 2)), columns=list("ab"))
    cross = cross_fit(people, infer_schema(people), lambda train, address: [train], 1)
    attacks = attack(cross, generator(1), max_rows=100)
    assert attacks.distance.in_first.tolist() == [True] * 100 + [False] * 100
    # Verbatim copies: each record is at distance 0 in one experiment.
    assert np.maximum(attacks.distance.first, attacks.distance.second).tolist() == [0] * 200
    again = attack(cross, generator(1), max_rows=100, workers=2)
    assert again.density.first.tobytes() == attacks.density.first.tobytes()

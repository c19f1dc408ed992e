import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.disclosure.neighbours import NOBODY, TIE, find_neighbours, own_distances

# On a grid, so that ties are frequent and sums exact.
ROW = st.tuples(*[st.integers(0, 8).map(lambda value: value / 4) for _ in range(3)])
ROWS = st.lists(ROW, min_size=1, max_size=12).map(lambda rows: np.array(rows).T)


def every_distance(queries, references):
    gap = np.abs(queries[:, :, None] - references[:, None, :])
    return np.minimum(gap, 1.0).sum(axis=0)


@settings(deadline=None)
@given(ROWS, ROWS, st.sampled_from([1, 3, 512]), st.data())
def test_equals_the_definition_in_blocks_of_any_size(queries, references, block, data):
    q, n = queries.shape[1], references.shape[1]
    left_out = np.array(data.draw(st.lists(st.integers(-1, n - 1), min_size=q, max_size=q)))
    asked = np.array(data.draw(st.lists(st.integers(0, 12), min_size=q, max_size=q))) / 4
    found = find_neighbours(queries, references, left_out=left_out, asked=asked, block=block)
    distances = every_distance(queries, references)
    seen = left_out != NOBODY
    distances[np.flatnonzero(seen), left_out[seen]] = np.inf
    ordered = np.sort(np.column_stack([distances, np.full((q, 2), np.inf)]), axis=1)
    assert found.first.tolist() == ordered[:, 0].tolist()
    assert found.second.tolist() == ordered[:, 1].tolist()
    nearest = np.isfinite(distances) & (distances == ordered[:, :1])
    assert found.tied.tolist() == nearest.sum(axis=1).tolist()
    assert found.nearer.tolist() == (distances < asked[:, None]).sum(axis=1).tolist()
    assert found.not_further.tolist() == (distances <= asked[:, None]).sum(axis=1).tolist()


def test_distances_that_differ_by_rounding_only_are_ties():
    references = np.array([[0.5 + TIE / 4, 0.5, 0.5 - TIE / 4, 0.7]])
    found = find_neighbours(np.array([[0.0]]), references, asked=np.array([0.5]))
    assert (found.tied[0], found.nearer[0], found.not_further[0]) == (3, 0, 3)


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_change_nothing(workers):
    rng = np.random.default_rng(1)
    queries, references = rng.random((4, 700)), rng.random((4, 1300))
    alone = find_neighbours(queries, references)
    together = find_neighbours(queries, references, workers=workers)
    assert alone.first.tobytes() == together.first.tobytes()
    assert alone.second.tobytes() == together.second.tobytes()
    distances = every_distance(queries, references)
    np.testing.assert_allclose(alone.first, distances.min(axis=1), rtol=1e-12)
    np.testing.assert_allclose(alone.second, np.partition(distances, 1, axis=1)[:, 1], rtol=1e-12)


def test_a_row_finds_itself_unless_it_is_left_out():
    rows = np.random.default_rng(2).random((3, 40))
    assert find_neighbours(rows, rows).first.max() == 0
    apart = find_neighbours(rows, rows, left_out=np.arange(40))
    assert apart.first.min() > 0


def test_without_a_reference_row_nothing_is_near():
    found = find_neighbours(np.zeros((2, 1)), np.zeros((2, 1)), left_out=np.array([0]))
    assert (found.first[0], found.second[0], found.tied[0]) == (np.inf, np.inf, 0)


def test_own_distance_is_that_of_the_pass_to_the_last_bit():
    rng = np.random.default_rng(3)
    queries, references = rng.random((7, 50)) * 2, rng.random((7, 50))
    own = own_distances(queries, references)
    found = [find_neighbours(queries[:, [i]], references[:, [i]]).first[0] for i in range(50)]
    assert own.tolist() == found

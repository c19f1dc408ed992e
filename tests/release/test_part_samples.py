import pytest

from synth_tasks.release.part_samples import linked_rows


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(100, 100), (3000, 3000), (50_000, 3000), (100_000, 1500), (10**7, 300)],
)
def test_neighbours_are_searched_for_fewer_rows_of_large_strata(n_rows, expected):
    assert linked_rows(n_rows, 50_000) == expected

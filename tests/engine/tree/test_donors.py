"""Values side by side by group."""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.tree import LeafDonors

RNG = np.random.default_rng


def test_every_donor_of_a_leaf_is_as_likely() -> None:
    donors = LeafDonors.collect(
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2, 0, 2, 0, 2]), n_groups=3
    )
    assert donors.size.tolist() == [2, 0, 3]
    drawn = donors.draw(np.full(30_000, 2), RNG(4))
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [1.0, 3.0, 5.0]
    assert np.abs(counts / 30_000 - 1 / 3).max() < 4.5 * np.sqrt(2 / 9 / 30_000)
    assert set(donors.draw(np.zeros(100, dtype=int), RNG(5))) == {2.0, 4.0}

"""One seed gives the same bytes, whoever does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.security.releasing import Place


@pytest.fixture(scope="module")
def by_one_thread(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    place = Place.of_people(tmp_path_factory.mktemp("one"), run={"workers": 1})
    place.finish()
    return place.files()


@pytest.mark.parametrize(
    ("run", "environment"),
    [
        ({"workers": 4}, {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}),
        pytest.param(
            {"workers": 2, "runner": "processes", "executor": "processes"},
            {"PYTHONHASHSEED": "11"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"workers": 2, "runner": "dask"}, {}, marks=pytest.mark.slow),
    ],
    ids=["four threads", "processes", "dask"],
)
def test_neither_workers_nor_hash_seed_nor_native_threads_change_a_byte(
    by_one_thread: dict[str, bytes],
    run: dict[str, Any],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    place = Place.of_people(tmp_path, run=run)
    place.environment |= environment
    place.finish()
    found = place.files()
    assert found.keys() == by_one_thread.keys()
    assert [name for name in found if found[name] != by_one_thread[name]] == []

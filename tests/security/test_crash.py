"""A release that is killed at any moment: nothing half-made is seen, and the next run ends the same."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from synth_tasks.release.bundle import verify
from tests.security.releasing import LONGEST, Place


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    started = time.monotonic()
    place.finish()
    return place.files(), time.monotonic() - started


def kill_and_recover(
    place: Place, moments: list[float], undisturbed: tuple[dict[str, bytes], float]
) -> None:
    expected, duration = undisturbed
    for moment in moments:
        place.kill_after(moment * duration)
        for version in place.versions():
            verify(version)
        latest = place.site / "out" / "people" / "latest"
        assert latest.exists() or not latest.is_symlink()
    place.finish()
    assert len(place.versions()) == 1
    assert place.files() == expected


def test_a_killed_release_is_taken_up_and_ends_with_the_same_bytes(
    tmp_path: Path, undisturbed: tuple[dict[str, bytes], float]
) -> None:
    kill_and_recover(Place(tmp_path), [0.7], undisturbed)


@pytest.mark.slow
def test_fifty_random_moments(tmp_path: Path, undisturbed: tuple[dict[str, bytes], float]) -> None:
    moments = np.random.default_rng(1).uniform(0.1, 1.05, size=50)
    for number, part in enumerate(np.split(moments, 10)):
        kill_and_recover(Place(tmp_path / str(number)), list(part), undisturbed)


@pytest.mark.slow
def test_two_runs_at_once_publish_one_release(
    tmp_path: Path, undisturbed: tuple[dict[str, bytes], float]
) -> None:
    place = Place(tmp_path)
    both = [place.start(), place.start()]
    outputs = [process.communicate(timeout=LONGEST)[0].decode() for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), outputs
    if codes == [0, 1]:
        assert any("another run is working on 'people'" in output for output in outputs)
    assert len(place.versions()) == 1
    assert place.files() == undisturbed[0]

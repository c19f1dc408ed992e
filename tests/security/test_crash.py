"""A release that is killed at any moment: nothing half-made is seen, and the next run ends the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from synth_tasks.release.bundle import verify
from tests.release.builders import make_site, people_content

ROOT = Path(__file__).parents[2]
LONGEST = 120


class Place:
    """A site with a workspace and a Prefect home of its own; its data and specification are always
    the same.
    """

    def __init__(self, folder: Path) -> None:
        self.site = make_site(folder / "site")
        content = people_content(disclosure={"cross_fit": False})
        (self.site / "spec.yaml").write_text(yaml.safe_dump(content))
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "prefect"),
            "SYNTH_WORKSPACE": str(folder / "workspace"),
            "PYTHONPATH": str(ROOT),
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Start a release in a process group, with the server that it starts."""
        command = [sys.executable, "-m", "flows.release", "--spec", "spec.yaml", "--to", "out"]
        return subprocess.Popen(
            command, cwd=self.site, env=self.environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def finish(self) -> str:
        """Run a release to its end and return what it says."""
        process = self.start()
        output, _ = process.communicate(timeout=LONGEST)
        assert process.returncode == 0, output.decode()
        return output.decode()

    def kill_after(self, seconds: float) -> None:
        """Start a release and kill it, and all that it has started, in mid-run."""
        process = self.start()
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=LONGEST)

    def versions(self) -> list[Path]:
        """Return what readers see as releases."""
        folder = self.site / "out" / "people"
        seen = folder.iterdir() if folder.is_dir() else ()
        return [p for p in seen if p.is_dir() and not p.is_symlink() and p.name[0] != "."]

    def files(self) -> dict[str, bytes]:
        """Return the content of the newest release."""
        latest = self.site / "out" / "people" / "latest"
        files = (p for p in sorted(latest.rglob("*")) if p.is_file())
        return {str(p.relative_to(latest)): p.read_bytes() for p in files}


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
    kill_and_recover(Place(tmp_path), [0.6, 0.85], undisturbed)


@pytest.mark.slow
def test_fifty_random_moments(tmp_path: Path, undisturbed: tuple[dict[str, bytes], float]) -> None:
    moments = np.random.default_rng(1).uniform(0.1, 1.05, size=50)
    for number, part in enumerate(np.split(moments, 10)):
        kill_and_recover(Place(tmp_path / str(number)), list(part), undisturbed)


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

"""Scenarios in which a release is stopped at the wrong moment."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial

import numpy as np

from tests.security.disks import may_mount, small_disk
from tests.security.releasing import (
    Place,
    interrupt,
    kill_everything,
    kill_pool_worker,
    prefect_server,
    terminate,
)
from tests.security.tally import Lab, Tally, count_leaks

KILLS_A_PLACE = 5
MOST_BOUNDARIES = 100
DISTURBED = "tests.security.disturbed"


def random_kills(lab: Lab, times: int = 50, seed: int = 1) -> Tally:
    """Kill run and server at random moments, and let another run take it up.

    A run that takes up what was finished is shorter, and may end before it is killed: that is no kill.
    """
    tally, rng = Tally(), np.random.default_rng(seed)
    # A server of its own is killed with a run, but takes long to start: later places share one.
    shared = prefect_server(lab.folder / "server") if times > KILLS_A_PLACE else nullcontext("")
    with shared as address:
        while tally.times < times:
            place, seconds = lab.place(), lab.seconds
            if tally.times > 0:
                place.environment["PREFECT_API_URL"], seconds = address, lab.seconds_served
            for _ in range(min(KILLS_A_PLACE, times - tally.times)):
                moment = float(rng.uniform(0.1, 1.0)) * seconds
                code, output = place.disturb(moment, kill_everything)
                if code != -signal.SIGKILL:
                    assert code == 0, output
                    break
                tally.look(place)
            tally.settle(place, lab.undisturbed)
            tally.leaked += count_leaks(place, lab.folder / "server")
    return tally


def boundary_kills(lab: Lab) -> Tally:
    """Kill the run before and after every rename that makes a stage or a release visible.

    Every second run is killed after the first such rename that it comes to: each gets one stage further
    than the one before, or the end is never reached.
    """
    tally, place = Tally(), lab.place()
    with prefect_server(place.folder / "prefect") as address:
        place.environment["PREFECT_API_URL"] = address
        for _ in range(MOST_BOUNDARIES):
            codes = [place.run([DISTURBED, how])[0] for how in ("kill-before", "kill-after")]
            tally.look(place)
            if codes == [0, 0]:
                break
            assert codes == [-signal.SIGKILL] * 2, place.output.decode()[-2000:]
            tally.times += 1
        else:
            raise AssertionError("the runs do not go on where the ones before were killed")
        tally.times -= 1  # the last round was not killed
        tally.settle(place, lab.undisturbed)
    return tally


def pool_worker_kills(lab: Lab, shares: Sequence[float] = (0.2, 0.4, 0.6)) -> Tally:
    """Kill a process that works on the tasks, when so many of the stages are finished."""
    tally = Tally()
    for share in shares:
        place = lab.place(run={"runner": "processes", "workers": 2})
        code, output = _in_mid_run(place, round(share * lab.n_stages), kill_pool_worker)
        assert code in (0, 1), output
        tally.look(place)
        tally.settle(place, lab.undisturbed)
    return tally


def full_disks(
    lab: Lab,
    shares: Sequence[float] = (0.2, 0.5, 0.9),
    folders: Iterable[str] = ("workspace", "site/out"),
) -> Tally:
    """Let the disk of the workspace, or of the releases, be full in mid-run; then make room."""
    tally = Tally()
    if not may_mount(lab.folder / "mount"):
        return Tally(note="not run: this user may not mount a file system")
    for folder in folders:
        for share in shares:
            place = lab.place()
            size = int(share * lab.size_of(folder)) // 4096 * 4096
            with small_disk(place.folder / folder, max(size, 4096)) as disk:
                code, output = place.run()
                assert code in (1, 2), output
                assert "No space left on device" in output, output
                tally.look(place)
                disk.enlarge()
                tally.settle(place, lab.undisturbed)
    return tally


def read_only(lab: Lab, folders: Iterable[str] = ("workspace", "site/out")) -> Tally:
    """Take the right to write away, before the run and in the middle of it; then give it back."""
    tally = Tally()
    if not may_mount(lab.folder / "mount"):
        return Tally(note="not run: this user may not mount a file system")
    for folder in folders:
        for after in (0, 3):
            place = lab.place()
            with small_disk(place.folder / folder) as disk:
                with ExitStack() as protection:
                    if after == 0:
                        protection.enter_context(disk.protected())
                        code, output = place.run()
                    else:
                        take_away = partial(protection.enter_context, disk.protected())
                        code, output = _in_mid_run(place, after, lambda _, act=take_away: act())
                    assert code == (2 if after == 0 else 1), output
                    assert "error: " in output, output
                    tally.look(place)
                tally.settle(place, lab.undisturbed)
    return tally


def clock_jumps(lab: Lab) -> Tally:
    """Set the clock of the run days and years on and back, after every stage and step of publishing."""
    tally, place = Tally(), lab.place()
    code, output = place.run([DISTURBED, "clock"])
    assert code == 0, output
    tally.look(place)
    tally.settle(place, lab.undisturbed)
    return tally


def two_at_once(lab: Lab, times: int = 5, seed: int = 2) -> Tally:
    """Start the same release twice, at the same time or shortly after each other."""
    tally = Tally()
    for delay in np.random.default_rng(seed).uniform(0, 0.5, size=times) * lab.seconds:
        place = lab.place()
        first = place.start()
        time.sleep(delay)
        second = place.start()
        reader = threading.Thread(target=place.wait, args=(first,))
        reader.start()
        output = place.wait(second)
        reader.join()
        codes = sorted((first.returncode, second.returncode))
        assert codes in ([0, 0], [0, 1]), output
        tally.look(place)
        tally.settle(place, lab.undisturbed)
    return tally


def cancellations(lab: Lab, shares: Sequence[float] = (0.3, 0.6, 0.9)) -> Tally:
    """Interrupt a run by the keyboard, or end it as a service manager does."""
    tally = Tally()
    # What a shell starts in the background ignores the interrupt key, and so does all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for blow in (interrupt, terminate):
        for share in shares:
            place = lab.place()
            code, output = place.disturb(share * lab.seconds, blow)
            assert "Traceback" not in output, output
            assert code != 0 or place.versions(), output
            tally.look(place)
            tally.settle(place, lab.undisturbed)
    return tally


def native_hang(lab: Lab, minutes: float = 0.5) -> Tally:
    """Let fitting hang in native code until the time-out ends the run."""
    tally, place = Tally(), lab.place(run={"timeout_minutes": minutes})
    code, output = place.run([DISTURBED, "hang"])
    assert code == -signal.SIGKILL, output
    assert "error: stopped: longer than run.timeout_minutes" in output, output
    tally.look(place)
    tally.settle(place, lab.undisturbed)
    return tally


def _in_mid_run(
    place: Place, stages: int, blow: Callable[[subprocess.Popen[bytes]], object]
) -> tuple[int, str]:
    process = place.start()
    _wait_for_stages(place, process, stages)
    blow(process)
    output = place.wait(process)
    return process.returncode, output


def _wait_for_stages(place: Place, process: subprocess.Popen[bytes], count: int) -> None:
    """Wait until so many stages are finished; the output of a run is short enough for the pipe."""
    while process.poll() is None and place.n_stages() < count:
        time.sleep(0.02)
    if process.poll() is not None:
        raise AssertionError(place.wait(process))

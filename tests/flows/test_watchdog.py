"""A run that hangs where no exception of Python reaches is ended, with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from prefect import get_client
from prefect.settings import PREFECT_API_URL

from synth_tasks.tasks.watchdog import watch

ROOT = Path(__file__).parents[2]
# `PyDLL` keeps the lock of the interpreter: no thread of it runs, and no signal is handled.
HANGING = """
import ctypes, subprocess, sys
import flows
from prefect import flow, task
from synth_tasks.tasks import watchdog

watchdog.GRACE = 1.0

@task
def hang(number):
    ctypes.PyDLL(None).sleep(1000)

@flow(name="hanging")
def run():
    with watchdog.guarded(0.02) as tell:
        tell("drew one set")
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        print(child.pid, flush=True)
        hang.map([1, 2]).result()

run()
"""
BUSY = """
import flows
from prefect import flow
import time
from synth_tasks.tasks import watchdog

watchdog.GRACE = 0.0

@flow(name="busy")
def run():
    with watchdog.guarded(2 / 60) as tell:
        for number in range(8):
            time.sleep(0.5)
            tell(f"chunk {number}")
    time.sleep(3)

run()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": PREFECT_API_URL.value(),
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )


def last_run(name: str):
    with get_client(sync_client=True) as client:
        found = [
            r for r in client.read_flow_runs() if r.flow_id == client.read_flow_by_name(name).id
        ]
    return max(found, key=lambda r: r.created)


@pytest.fixture(scope="module")
def hanging(prefect_server) -> subprocess.CompletedProcess[str]:
    return run(HANGING)


def test_a_task_that_hangs_in_native_code_ends_the_process(hanging):
    assert hanging.returncode == -signal.SIGKILL


def test_the_reason_is_told_in_one_line_and_to_prefect(hanging):
    limit = "stopped: longer than run.timeout_minutes (0.02) since the last news"
    message = f"{limit}, 'drew one set': raise it"
    assert f"error: {message}\n" in hanging.stderr
    state = last_run("hanging").state
    assert (state.type.value, state.message) == ("FAILED", message)


def test_what_it_has_started_ends_with_it(hanging):
    started = int(hanging.stdout.split()[-1])
    until = time.monotonic() + 10
    while psutil.pid_exists(started) and time.monotonic() < until:
        time.sleep(0.1)
    assert not psutil.pid_exists(started)


def test_signs_of_life_keep_a_run_and_its_end_ends_the_guard(prefect_server):
    done = run(BUSY)
    assert (done.returncode, done.stdout) == (0, "")
    assert last_run("busy").state.is_completed()


@pytest.fixture
def pipe(monkeypatch) -> Callable[[bytes], None]:
    """What the guard reads."""
    read, write = os.pipe()
    with os.fdopen(read) as reader, os.fdopen(write, "wb", buffering=0) as writer:
        monkeypatch.setattr(sys, "stdin", reader)
        yield lambda text: writer.write(text) if text else writer.close()


def test_the_guard_leaves_with_a_run_that_was_killed(pipe):
    pipe(b"")
    assert watch(os.getppid(), 60) is None


def test_the_guard_leaves_though_another_process_holds_the_pipe(pipe):
    assert watch(os.getpid(), 60) is None  # our parent is another one


def test_the_guard_names_what_was_done_last(pipe):
    assert watch(os.getppid(), 0.0) == "the start"
    pipe(b'"filled holes"\n"fitted models"\n"half of a l')
    assert watch(os.getppid(), 0.2) == "fitted models"

"""A release in parts by workers that are elsewhere, one of which is killed: no byte differs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.security.cluster import LONGEST, ROOT, Cluster, wait_for
from tests.tasks.part_releasing import census_site, census_spec

pytestmark = pytest.mark.slow


def start(folder: Path, **run: Any) -> subprocess.Popen[bytes]:
    """Start a release in parts, in a place of its own."""
    content = census_spec(census_site(folder)).model_dump(
        mode="json", exclude={"base"}, by_alias=True
    )
    content["run"] = run
    content["publish"]["keep_workspace"] = True
    (folder / "spec.yaml").write_text(yaml.safe_dump(content))
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "SYNTH_WORKSPACE": str(folder / "workspace"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "flows.release", "--spec", "spec.yaml"], cwd=folder, env=environment,
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def finish(process: subprocess.Popen[bytes]) -> None:
    output, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, output.decode()[-3000:]


def published(folder: Path) -> dict[str, bytes]:
    latest = folder / "releases" / "census" / "latest"
    return {
        str(path.relative_to(latest)): path.read_bytes()
        for path in sorted(latest.rglob("*"))
        if path.is_file()
    }


def finished(folder: Path, stage: str) -> list[Path]:
    stages = folder / "workspace" / "census" / "stages"
    return list(stages.glob(f"{stage}-*/result.json"))


def test_a_worker_that_is_killed_while_models_are_fitted_changes_no_byte(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    finish(start(undisturbed, workers=2))
    cluster = Cluster(tmp_path)
    try:
        cluster.start_scheduler()
        cluster.start_worker()
        cluster.start_worker()
        process = start(disturbed, runner="dask", scheduler=cluster.address, workers=2)
        try:
            wait_for(lambda: bool(finished(disturbed, "synthesizer")))
            cluster.workers[0].send_signal(signal.SIGKILL)
            finish(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    finally:
        cluster.stop()
    files = published(disturbed)
    assert len(files) > 10
    assert files == published(undisturbed)

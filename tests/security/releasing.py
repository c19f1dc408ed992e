"""Releases made by the command line, each in a process, a workspace and a Prefect home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests.release.builders import make_site, people_content

ROOT = Path(__file__).parents[2]
LONGEST = 240


class Place:
    """A site with its own workspace and Prefect home; data and specification are always the same."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.site = make_site(folder / "site")
        content = people_content(disclosure={"cross_fit": False}, **sections)
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

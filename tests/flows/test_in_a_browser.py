"""The published report as a browser shows it, with nothing but the file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.release import main
from tests.release.builders import make_site, people_content

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WITHOUT_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"


def browse(url: str) -> str:
    """Return the page as the browser has built it."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", WITHOUT_NETWORK, "--dump-dom"]
    done = subprocess.run([str(CHROMIUM), *options, url], capture_output=True, timeout=120)
    return done.stdout.decode()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_the_report_and_the_validation_show_their_tables_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    site = make_site(tmp_path / "site")
    content = people_content(disclosure={"cross_fit": False})
    (site / "spec.yaml").write_text(yaml.safe_dump(content))
    assert main(["--spec", str(site / "spec.yaml"), "--to", str(site / "out")]) == 0
    latest = (site / "out" / "people" / "latest").resolve()

    report = browse((latest / "report.html").as_uri())
    captions = re.findall(r"<caption>([^<]+)", report)
    assert "ols: wgt ~ hgt + region" in captions
    assert report.count("<svg") >= 4
    assert "PRIVATE" not in report

    validation = browse((latest / "validation" / "validation.html").as_uri())
    assert "unique_exact_match is within bounds" in validation
    assert validation.count("<table") >= 4

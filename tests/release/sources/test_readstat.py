"""A library in C that fails, ends its process or prints what it reads."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from synth_tasks.errors import DataError, SynthError
from synth_tasks.release.sources.readstat import read_readstat

pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")

MARKER = "Q918273Z"


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    path = tmp_path / "survey.sav"
    pyreadstat.write_sav(pd.DataFrame({"name": [MARKER]}), str(path))
    return path


def instead(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Let the process find another library, whose reader does this."""
    (folder / "other").mkdir()
    module = folder / "other" / "pyreadstat.py"
    module.write_text(f"import os, sys, signal\n\ndef read_sav(path, **options):\n    {body}\n")
    monkeypatch.setenv("PYTHONPATH", str(module.parent), prepend=os.pathsep)


def test_a_file_is_read_with_what_it_says_about_its_columns(survey: Path) -> None:
    frame, facts = read_readstat(survey, "spss")
    assert frame["name"].tolist() == [MARKER]
    assert facts.readstat_variable_types["name"] == "string"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            f"raise TypeError('Expected str, got {MARKER}')",
            "^survey.sav cannot be read as SPSS: check",
        ),
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "^survey.sav cannot be read as SPSS: check the file$",
        ),
        ("os._exit(1)", "^survey.sav cannot be read as SPSS: check the file$"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "^survey.sav: .* was killed, .* out: free memory"),
    ],
)
def test_whatever_happens_to_the_process_is_one_line_without_values(
    survey: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    body: str,
    says: str,
) -> None:
    instead(monkeypatch, survey.parent, f"print('{MARKER}', flush=True); {body}")
    with pytest.raises(SynthError, match=says) as raised:
        read_readstat(survey, "spss")
    assert raised.value.__cause__ is None
    assert not re.search(MARKER, "".join([str(raised.value), *capfd.readouterr()]))


def test_what_the_library_prints_does_not_come_between(
    survey: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path(pyreadstat.__file__).parent.parent
    body = (
        "os.write(1, b'progress'); sys.path.remove(os.path.dirname(__file__)); "
        f"sys.path.insert(0, {str(real)!r}); del sys.modules['pyreadstat']; "
        "import pyreadstat; return pyreadstat.read_sav(path, **options)"
    )
    instead(monkeypatch, survey.parent, body)
    assert read_readstat(survey, "spss")[0]["name"].tolist() == [MARKER]


def test_a_damaged_file_is_a_data_error(survey: Path) -> None:
    survey.write_bytes(survey.read_bytes()[:100])
    with pytest.raises(DataError, match="cannot be read as SPSS"):
        read_readstat(survey, "spss")

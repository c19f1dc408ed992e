"""Keeping a fitted synthesizer, to draw from it later without the data."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synth_tasks
from synth_tasks.data import encode
from synth_tasks.engine import AnySynthesizer, StratifiedSynthesizer, fit_synthesizer
from synth_tasks.engine.storage import load_synthesizer, save_synthesizer
from synth_tasks.errors import PlanError, StorageError
from tests.engine.builders import plan

N = 120


def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(N)
    return pd.DataFrame(
        {
            "x": x,
            "y": x + rng.standard_normal(N),
            "g": pd.Categorical(np.where(x + rng.standard_normal(N) > 0, "u", "v")),
        }
    )


def fitted(**settings: Any) -> AnySynthesizer:
    made = plan(table(), **{"where": "all", "method": "cart"} | settings)
    return fit_synthesizer(made, encode(table(), made.schema))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"proper": True},
        {"conditioning": "observed"},
        {"strata": ["g"]},
        {"smoothing": "spline", "tail_support": 5},
        {"method": {"x": "sample", "y": "~ x * 2", "g": "rf"}},
        {"method": {"x": "sample", "y": "norm.boot", "g": "logreg.boot"}},
        {"method": {"x": "sample", "y": "cubertnorm", "g": "polyreg"}, "post": {"x": "exp(x)"}},
    ],
    ids=str,
)
def test_what_is_loaded_draws_the_same_bytes(settings: dict[str, Any], tmp_path: Path) -> None:
    synthesizer = fitted(**settings)
    save_synthesizer(synthesizer, tmp_path / "s")
    loaded = load_synthesizer(tmp_path / "s")
    assert type(loaded) is type(synthesizer)
    assert loaded.events == synthesizer.events
    for number in (1, 2):
        expected = synthesizer.draw(seed=3, set_number=number)
        assert loaded.draw(seed=3, set_number=number).tobytes() == expected.tobytes()


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    synthesizer = fitted(strata=["g"])
    assert isinstance(synthesizer, StratifiedSynthesizer)
    save_synthesizer(synthesizer, tmp_path / "s")
    code = (
        "import sys; from synth_tasks.engine.storage import load_synthesizer\n"
        "print(load_synthesizer(sys.argv[1]).draw(seed=3, set_number=1).tobytes().hex())"
    )
    root = Path(synth_tasks.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")], cwd=root, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == synthesizer.draw(seed=3, set_number=1).tobytes().hex()


def test_only_the_owner_can_read_the_file_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("replaced")
    path.chmod(0o666)
    before = os.umask(0)
    try:
        save_synthesizer(fitted(), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["s"]


def test_the_header_names_format_and_versions(tmp_path: Path) -> None:
    save_synthesizer(fitted(), tmp_path / "s")
    words = (tmp_path / "s").read_bytes().split(b"\n", 1)[0].decode().split(" ")
    assert words[:3] == ["prefect-synth-synthesizer", "1", synth_tasks.__version__]
    assert words[3].startswith("3.")
    assert len(words[4]) == 64


class Bomb:
    """Tells if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "is no saved synthesizer"),
        ("something-else 1 {v} 3.12.0 {sha}", "is no saved synthesizer"),
        ("prefect-synth-synthesizer 1 {v} 3.12.0", "is no saved synthesizer"),
        ("prefect-synth-synthesizer 2 {v} 3.12.0 {sha}", "use that version, or fit"),
        ("prefect-synth-synthesizer 1 0.0.1 3.12.0 {sha}", "saved by version 0.0.1"),
        ("prefect-synth-synthesizer 1 {v} 3.12.0 {sha}", "is damaged"),
    ],
)
def test_nothing_is_unpickled_before_all_is_checked(
    header: str, message: str, tmp_path: Path
) -> None:
    line = header.format(v=synth_tasks.__version__, sha="0" * 64)
    (tmp_path / "s").write_bytes(line.encode() + b"\n" + pickle.dumps(Bomb()))
    with pytest.raises(StorageError, match=message):
        load_synthesizer(tmp_path / "s")


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    save_synthesizer(fitted(), path)
    content = path.read_bytes()
    for position in (0, content.index(b"\n") + 1, len(content) // 2, len(content) - 1):
        flipped = bytearray(content)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(StorageError):
            load_synthesizer(path)
    path.write_bytes(content[:-1])
    with pytest.raises(StorageError, match="damaged"):
        load_synthesizer(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="none: No such file"):
        load_synthesizer(tmp_path / "none")
    with pytest.raises(StorageError, match=r"cannot write .*none"):
        save_synthesizer(fitted(), tmp_path / "none" / "s")


def test_what_cannot_be_pickled_is_told_and_no_file_is_left(tmp_path: Path) -> None:
    synthesizer = fitted()
    object.__setattr__(synthesizer.steps[0].fitted, "model", lambda: None)
    with pytest.raises(PlanError, match="at the top of a module"):
        save_synthesizer(synthesizer, tmp_path / "s")
    assert os.listdir(tmp_path) == []


def test_another_object_is_refused(tmp_path: Path) -> None:
    save_synthesizer("no synthesizer", tmp_path / "s")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="holds no synthesizer"):
        load_synthesizer(tmp_path / "s")

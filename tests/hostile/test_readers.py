"""Files of statistics packages that are none or are damaged, and anything read in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth_tasks.release.source import read_source
from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.release.survey import survey_source
from tests.hostile.strategies import TEXTS, cases, only_typed_errors, refused

CELLS = st.sampled_from(
    [
        "",
        "NA",
        "a",
        "b",
        "1",
        "-1",
        "1.5",
        "1e400",
        "nan",
        "inf",
        "9" * 400,
        "2024-01-31",
        "=1+1",
        "\0",
    ]
)
PEOPLE = pd.DataFrame({"sex": [1.0, 2.0, None] * 4, "age": range(12), "town": ["x", "y", "zz"] * 4})
LABELS = {"sex": {1.0: "male", 2.0: "female"}}


def spec_of(folder: Path, kind: str, name: str, **sections: Any) -> ReleaseSpec:
    return build_spec({"dataset": {"name": "x", "source": {kind: name}}, **sections}, folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Valid files."""
    folder = tmp_path_factory.mktemp("whole")
    stata, spss = folder / "people.dta", folder / "people.sav"
    pyreadstat.write_dta(PEOPLE, str(stata), variable_value_labels=LABELS)
    pyreadstat.write_sav(PEOPLE, str(spss), variable_value_labels=LABELS)
    return {"stata": stata.read_bytes(), "spss": spss.read_bytes()}


@pytest.mark.parametrize("kind", ["spss", "stata"])
@cases(5, 1000)  # each is read in a process of its own
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.sampled_from([1.0, 0.5, 0.01]),
)
def test_flipped_bytes_are_read_or_refused(
    tmp_path: Path, whole: dict[str, bytes], kind: str, flips: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(whole[kind])
    for share, byte in flips:
        content[int(share * len(content))] = byte
    (tmp_path / "x").write_bytes(content[: int(kept * len(content))])
    with only_typed_errors():
        read_source(spec_of(tmp_path, kind, "x"))


@pytest.mark.parametrize("kind", ["spss", "stata", "sas"])
@cases(3, 500)
@given(st.binary(max_size=200))
@example(b"$FL2")
@example(b"<stata_dta>")
def test_any_bytes_are_refused(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with only_typed_errors(), refused("^x cannot be read as S"):
        read_source(spec_of(tmp_path, kind, "x"))


@cases(100, 2000)
@given(
    st.lists(CELLS | TEXTS, min_size=1, max_size=4),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    st.sampled_from([1, 3, 1000]),
)
def test_any_csv_is_read_in_parts_or_refused(
    tmp_path: Path, header: list[str], rows: list[list[str]], batch_rows: int
) -> None:
    text = "\n".join(",".join(row) for row in [header, *rows])
    (tmp_path / "x.csv").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    synthesis = {"strata": ["a"], "min_stratum_size": 20}
    with only_typed_errors():
        survey_source(
            spec_of(tmp_path, "csv", "x.csv", synthesis=synthesis, partition={}), batch_rows
        )

"""No value of the data leaves the private workspace, but for what was drawn."""

from __future__ import annotations

import base64
import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.security.leaks import SHORT, sing
from tests.security.markers import RARE, UNSEEN, Markers, files_below, find_leaks, make_people
from tests.security.releasing import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return sing(tmp_path_factory.mktemp("canary"), 5, SHORT)


def test_the_search_finds_the_markers_where_they_may_be(place: Place) -> None:
    source = (place.site / "people.csv").read_bytes()
    assert set(place.markers.found_in(source)) >= {*place.markers.numbers, *place.markers.texts}
    # What the runs have left in the workspace: private reports, and what the last crash has quoted.
    left = b"".join(p.read_bytes() for p in place.workspace.rglob("*") if p.is_file())
    assert len(place.markers.found_in(left)) > 100


def test_the_search_covers_database_results_release_and_temporary_files(place: Place) -> None:
    files = files_below(place.folder, place.workspace)
    paths = [str(path.relative_to(place.folder)) for path in files]
    assert any(path.startswith("prefect/") and path.endswith(".db") for path in paths)
    assert sum(path.startswith("site/out/people/") for path in paths) > 10


def test_no_marker_is_in_any_file_outside_or_in_the_terminal(place: Place) -> None:
    assert place.leaks() == {}


@pytest.mark.parametrize("level", [RARE, UNSEEN])
def test_a_rare_level_is_in_no_release(place: Place, level: str) -> None:
    released = [p for p in place.out.rglob("*") if p.is_file()]
    assert len(released) > 10
    assert [p.name for p in released if level.encode() in p.read_bytes()] == []


# --- the search itself ----------------------------------------------------------------------------

PEOPLE = make_people()
MARKERS = Markers.of(PEOPLE)


def test_every_number_is_a_marker_of_its_own() -> None:
    assert len(MARKERS.numbers) == len(MARKERS.binaries) == 2 * len(PEOPLE) - 8


@pytest.mark.parametrize("around", [b"%s", b"[1.5, %s]", b"9%s1", b'"%s0"', b"x=%s\n"])
def test_printed_numbers_are_found(around: bytes) -> None:
    printed = f"{PEOPLE['income'].iloc[7]:.6f}".encode()
    assert MARKERS.found_in(around % printed) == [printed]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("offset", [0, 3])
def test_numbers_are_found_as_they_lie_in_memory(order: str, offset: int) -> None:
    value = PEOPLE["income"].iloc[7]
    content = os.urandom(offset) + struct.pack(f"{order}d", value) + os.urandom(5)
    assert MARKERS.found_in(content) == [struct.pack("<d", value)]


@pytest.mark.parametrize("text", ["987654.32199", "987654.32", "987654.3", "[987654.32198]"])
def test_numbers_are_found_with_fewer_digits(text: str) -> None:
    assert MARKERS.found_in(text.encode()) == [text.strip("[]").encode()]


def test_numbers_are_found_as_numpy_prints_a_matrix() -> None:
    matrix = np.array([[987654.321987, 1e-3], [0.0, 12.0]])
    assert MARKERS.found_in(str(matrix).encode()) == [b"9.87654322e5"]
    assert MARKERS.found_in(b"9.87654321987E+05") == [b"9.87654321987e5"]


@pytest.mark.parametrize("text", ["1.87654.32", "987654.320001", "987654", "9.8765e+05", "88.3"])
def test_other_numbers_are_not_found(text: str) -> None:
    assert MARKERS.found_in(text.encode()) == []


PACKED = b"..., 987654.321987 of NAME0004ZQ, ..." * 3


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zlib.compress,
        lambda content: zlib.compress(content, 9)[:-4],  # cut off
        lambda content: pa.compress(content, "zstd", asbytes=True),
        base64.b64encode,
        lambda content: b'{"data":"x' + base64.urlsafe_b64encode(content) + b'"}',
        lambda content: base64.b64encode(gzip.compress(content)),
        lambda content: zlib.compress(base64.b64encode(zlib.compress(content))),
    ],
)
@pytest.mark.parametrize("around", [b"", b"\x00\x01page "])
def test_markers_are_found_in_what_is_packed(pack: Callable[[bytes], bytes], around: bytes) -> None:
    packed = around + pack(PACKED)
    assert {b"987654.321987", b"NAME0004ZQ"} <= set(MARKERS.found_in(packed))


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_markers_are_found_in_parquet(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "people.parquet"
    PEOPLE.to_parquet(path, compression=None if compression == "none" else compression)
    found = set(MARKERS.found_in(path.read_bytes()))
    assert found >= {*MARKERS.numbers, *MARKERS.texts}


def test_names_are_found() -> None:
    assert MARKERS.found_in(b"Dear NAME0004ZQ,") == [b"NAME0004ZQ"]


def test_what_is_no_marker_is_not_found() -> None:
    assert MARKERS.found_in(b"1234.567891 NAME 12.5 south") == []
    assert MARKERS.found_in(b"") == []


def test_files_are_named_and_the_rare_level_may_stand_in_the_specification(tmp_path: Path) -> None:
    for name in ("site/out/data.csv", "site/spec.yaml", "private/key", "site/people.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(RARE)
    (tmp_path / "site" / "spec.yaml").write_text(f"{RARE} NAME0001ZQ")
    found = find_leaks(tmp_path, tmp_path / "private", MARKERS, b"NAME0002ZQ")
    assert found == {
        "terminal": [b"NAME0002ZQ"],
        "site/out/data.csv": [RARE.encode()],
        "site/spec.yaml": [b"NAME0001ZQ"],
    }

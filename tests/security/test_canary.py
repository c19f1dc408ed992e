"""No value of the data leaves the private workspace, but for what was drawn."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from tests.security.leaks import sing
from tests.security.markers import RARE, Markers, files_below, find_leaks, make_people
from tests.security.releasing import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return sing(tmp_path_factory.mktemp("canary"), seed=5)


def test_the_markers_are_in_the_private_workspace_so_that_the_search_can_find_them(
    place: Place,
) -> None:
    inside = b"".join(p.read_bytes() for p in place.workspace.rglob("*") if p.is_file())
    found = place.markers.found_in(inside)
    assert len(found) > 10  # most of its files are compressed


def test_the_search_covers_database_results_release_and_temporary_files(place: Place) -> None:
    files = files_below(place.folder, place.workspace)
    paths = [str(path.relative_to(place.folder)) for path in files]
    assert any(path.startswith("prefect/") and path.endswith(".db") for path in paths)
    assert sum(path.startswith("site/out/people/") for path in paths) > 20


def test_no_marker_is_in_any_file_outside_or_in_the_terminal(place: Place) -> None:
    assert place.leaks() == {}


def test_the_rare_level_is_in_no_release(place: Place) -> None:
    released = [p for p in place.out.rglob("*") if p.is_file()]
    assert len(released) > 20
    assert [p.name for p in released if RARE.encode() in p.read_bytes()] == []


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

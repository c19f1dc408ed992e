import json
import math
import os
import stat

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import StorageError, SynthError
from synth_tasks.release.bundle import (
    ReleaseFolder,
    verify,
    write_data,
    write_json,
    write_manifest,
    write_public,
)
from synth_tasks.release.integrity import checksums

DIGEST, OTHER_DIGEST = "ab" * 32, "cd" * 32


@pytest.fixture
def releases(tmp_path):
    return ReleaseFolder(tmp_path / "releases", "people")


def build(draft, digest=DIGEST, text="x"):
    write_public(draft / "data" / "people-1.csv", text)
    write_public(draft / "README.md", "# People")
    write_manifest(draft, {"digest": digest, "version": "1"})


def publish(releases, digest=DIGEST, text="x", version=None, before_commit=None):
    with releases.staging() as draft:
        build(draft, digest, text)
        if before_commit is not None:
            before_commit(draft)
        return releases.commit(draft, version or releases.next_version(digest))


def listing(releases) -> list[str]:
    return sorted(os.listdir(releases.folder))


# --- appearing at once ----------------------------------------------------------------------------


def test_a_release_appears_whole_and_latest_names_it(releases):
    published = publish(releases)
    assert published.new
    assert published.version == "1-abababab"
    assert published.folder == releases.folder / "1-abababab"
    assert listing(releases) == ["1-abababab", "latest"]
    assert os.readlink(releases.folder / "latest") == "1-abababab"
    verify(releases.folder / "latest")


def test_nothing_is_visible_before_the_commit(releases):
    with releases.staging() as draft:
        build(draft)
        assert releases.versions() == []
        assert stat.S_IMODE(draft.stat().st_mode) == 0o700
        assert not (releases.folder / "latest").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(releases, error):
    publish(releases)

    def fail(draft):
        raise error

    with pytest.raises(error):
        publish(releases, OTHER_DIGEST, before_commit=fail)
    assert listing(releases) == ["1-abababab", "latest"]
    assert os.readlink(releases.folder / "latest") == "1-abababab"


def test_a_draft_that_changed_after_its_manifest_is_not_published(releases):
    with pytest.raises(SynthError, match="was changed after publication"):
        publish(releases, before_commit=lambda draft: (draft / "README.md").write_text("other"))
    assert listing(releases) == []


def test_a_version_that_is_there_already_is_never_overwritten(releases):
    published = publish(releases)
    with pytest.raises(StorageError, match=r"cannot publish to .*people: Directory not empty"):
        publish(releases, OTHER_DIGEST, "other", version=published.version)
    verify(published.folder)
    assert listing(releases) == ["1-abababab", "latest"]


def test_a_target_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot publish to .*file/people"):
        publish(ReleaseFolder(tmp_path / "file", "people"))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_what_is_published_can_be_read_by_all_whatever_the_umask(releases, mask):
    before = os.umask(mask)
    try:
        folder = publish(releases).folder
    finally:
        os.umask(before)
    for path in [folder, *folder.rglob("*")]:
        expected = 0o755 if path.is_dir() else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


# --- versions -------------------------------------------------------------------------------------


def test_versions_are_numbered_and_carry_the_digest(releases):
    assert releases.versions() == []
    assert releases.next_version(DIGEST) == "1-abababab"
    names = [publish(releases, f"{i:064d}").version for i in range(1, 12)]
    assert names[0] == "1-00000000"
    assert releases.versions() == names
    assert releases.versions()[-1].startswith("11-")
    assert releases.next_version(DIGEST) == "12-abababab"


def test_a_number_is_not_given_again_while_a_later_version_exists(releases):
    first, second = publish(releases), publish(releases, OTHER_DIGEST)
    os.rename(first.folder, releases.folder / "archive")
    assert releases.versions() == [second.version]
    assert releases.next_version(DIGEST) == "3-abababab"


def test_only_folders_that_look_like_versions_are_versions(releases):
    publish(releases)
    for name in ("2-ABABABAB", "x-abababab", ".staging-123456", "3-abababab.bak", "notes"):
        (releases.folder / name).mkdir()
    (releases.folder / "4-abababab").write_text("a file")
    assert releases.versions() == ["1-abababab"]


def test_a_release_is_found_by_its_whole_digest(releases):
    publish(releases)
    publish(releases, OTHER_DIGEST)
    assert releases.find(DIGEST) == "1-abababab"
    assert releases.find(OTHER_DIGEST) == "2-cdcdcdcd"
    assert releases.find("ab" * 31 + "00") is None


def test_a_damaged_release_is_not_taken_for_an_equal_one(releases):
    folder = publish(releases).folder
    (folder / "README.md").write_text("changed")
    with pytest.raises(SynthError, match=r"README.md was changed after publication: restore"):
        releases.find(DIGEST)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"digest": "x"}', '{"files": 1}'])
def test_a_damaged_manifest_is_named(releases, content):
    manifest = publish(releases).folder / "manifest.json"
    if content is None:
        manifest.unlink()
    else:
        manifest.write_text(content)
    for check in (lambda: verify(manifest.parent), lambda: releases.find(DIGEST)):
        with pytest.raises(SynthError, match=r"manifest.json is missing or damaged: restore"):
            check()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda f: (f / "README.md").write_text("# people"), "README.md was changed"),
        (lambda f: (f / "README.md").unlink(), "README.md was missing"),
        (lambda f: (f / "data" / "real.csv").write_text("x"), "data/real.csv was added"),
        (lambda f: (f / ".hidden").write_text("x"), ".hidden was added"),
        (lambda f: (f / "data" / "people-1.csv").write_bytes(b"y"), "people-1.csv was changed"),
    ],
)
def test_verification_finds_what_differs(releases, damage, named):
    folder = publish(releases).folder
    verify(folder)
    damage(folder)
    with pytest.raises(SynthError, match=named):
        verify(folder)


# --- latest ---------------------------------------------------------------------------------------


def test_latest_is_a_relative_link_that_moves_with_its_folder(releases, tmp_path):
    publish(releases)
    moved = releases.folder.rename(tmp_path / "moved")
    assert (moved / "latest" / "README.md").read_text() == "# People"


def test_latest_moves_and_tells_whether_it_did(releases):
    first, second = publish(releases), publish(releases, OTHER_DIGEST)
    assert os.readlink(releases.folder / "latest") == second.version
    assert releases.point_latest(second.version) is False
    assert releases.point_latest(first.version) is True
    assert os.readlink(releases.folder / "latest") == first.version
    assert listing(releases) == [first.version, second.version, "latest"]


def test_latest_is_replaced_without_ever_being_absent(releases, monkeypatch):
    publish(releases)
    seen = []
    replace = os.replace

    def watch(source, target):
        seen.append(os.path.lexists(releases.folder / "latest"))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    releases.point_latest("2-cdcdcdcd")
    assert seen == [True]
    assert os.readlink(releases.folder / "latest") == "2-cdcdcdcd"


# --- content --------------------------------------------------------------------------------------


def make_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": [0.1 + 0.2, -1e-300, math.pi],
            "n": pd.array([1, 2, 3], dtype="Int64"),
            "s": pd.Categorical(["b", "a", "b"], categories=["b", "a", "never"], ordered=True),
            "t": ["plain", 'quoted "ü"', "with, comma"],
            "b": pd.array([True, False, True], dtype="boolean"),
            "d": pd.to_datetime(["2024-01-31", "2024-02-01", "1969-12-31"]),
        }
    )


def test_parquet_gives_the_table_with_its_types(tmp_path):
    files = write_data(tmp_path, "people", [make_frame(), make_frame().iloc[::-1]], ["parquet"])
    assert files == ["data/people-1.parquet", "data/people-2.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / files[0]), make_frame())
    second = pd.read_parquet(tmp_path / files[1])
    pd.testing.assert_frame_equal(second, make_frame().iloc[::-1].reset_index(drop=True))


def test_csv_gives_every_value_exactly(tmp_path):
    (path,) = write_data(tmp_path, "people", [make_frame()], ["csv"])
    found = pd.read_csv(tmp_path / path, parse_dates=["d"])
    expected = make_frame()
    assert found.columns.tolist() == expected.columns.tolist()
    for name in expected:
        assert found[name].tolist() == expected[name].tolist(), name
    assert b"\r" not in (tmp_path / path).read_bytes()


def test_sets_are_numbered_so_that_their_names_sort(tmp_path):
    files = write_data(tmp_path, "people", [make_frame()] * 10, ["csv", "parquet"])
    assert files[:2] == ["data/people-01.csv", "data/people-01.parquet"]
    assert files == sorted(files)
    assert len(files) == 20


def test_equal_tables_give_equal_bytes(tmp_path):
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_data(tmp_path / name, "people", [make_frame()], ["csv", "parquet"])
        found.append(checksums(tmp_path / name))
    assert found[0] == found[1]


def test_json_does_not_depend_on_the_order_of_keys_and_is_readable(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": {"d": "é", "c": 2.5}})
    write_json(tmp_path / "b.json", {"a": {"c": 2.5, "d": "é"}, "b": 1})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.json").read_text(encoding="utf-8")
    assert "é" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_json_that_others_cannot_read_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": value})
    assert os.listdir(tmp_path) == []


def test_the_manifest_lists_every_file_but_itself(tmp_path):
    build(tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert sorted(files) == ["README.md", "data/people-1.csv"]
    assert files["data/people-1.csv"]["bytes"] == 1


# --- what others have left ------------------------------------------------------------------------


def test_a_latest_that_is_no_link_is_refused_before_anything_is_published(releases):
    (releases.folder / "latest").mkdir(parents=True)
    with pytest.raises(SynthError, match="latest is not a link: remove it"):
        publish(releases)
    assert listing(releases) == ["latest"]


def test_a_failure_to_move_latest_leaves_no_temporary_link(releases, monkeypatch):
    publish(releases)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        releases.point_latest("2-00000000")
    assert not [name for name in listing(releases) if name.startswith(".latest")]


def test_drafts_of_killed_runs_are_removed_when_they_are_a_day_old(releases):
    publish(releases)
    old, young = (releases.folder / name for name in (".staging-old", ".staging-young"))
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    publish(releases, OTHER_DIGEST)
    assert young.exists()
    assert not old.exists()


def test_a_damaged_version_of_other_data_does_not_stop_a_release(releases):
    published = publish(releases)
    (published.folder / "manifest.json").unlink()
    assert releases.find(OTHER_DIGEST) is None

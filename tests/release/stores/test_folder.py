"""A folder of releases: whole ones, whatever happens, and a link to the latest."""

import os
import stat

import pytest

from synth_tasks.errors import StorageError, SynthError
from synth_tasks.release.bundle import verify
from synth_tasks.release.stores import FolderStore
from tests.release.stores.publishing import DIGEST, OTHER_DIGEST, build, publish


@pytest.fixture
def releases(tmp_path):
    return FolderStore(tmp_path / "releases", "people")


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
        publish(FolderStore(tmp_path / "file", "people"))


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
    assert releases.find(DIGEST).version == "1-abababab"
    assert releases.find(OTHER_DIGEST).version == "2-cdcdcdcd"
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


def test_the_draft_of_a_killed_run_is_removed_however_young_it_is(releases):
    publish(releases)
    (releases.folder / ".staging-killed").mkdir()
    publish(releases, OTHER_DIGEST)
    assert not (releases.folder / ".staging-killed").exists()


def test_the_draft_of_a_living_run_stays_whatever_the_clock_says(releases):
    with releases.staging() as draft:
        build(draft)
        os.utime(draft, (0, 0))
        publish(releases, OTHER_DIGEST)
        published = releases.commit(draft, releases.next_version(DIGEST))
    verify(published.folder)
    assert listing(releases) == ["1-cdcdcdcd", "2-abababab", "latest"]


def test_a_draft_that_is_a_link_is_not_followed(releases, tmp_path):
    publish(releases)
    (tmp_path / "other").mkdir()
    (releases.folder / ".staging-link").symlink_to(tmp_path / "other")
    publish(releases, OTHER_DIGEST)
    assert (tmp_path / "other").exists()


def test_a_damaged_version_of_other_data_does_not_stop_a_release(releases):
    published = publish(releases)
    (published.folder / "manifest.json").unlink()
    assert releases.find(OTHER_DIGEST) is None

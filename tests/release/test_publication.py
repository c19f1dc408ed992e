"""What was withdrawn does not come back: not with other code, without its tombstone, or from a copy."""

import json
import os
import shutil

import pytest

from synth_tasks.errors import IntegrityError
from synth_tasks.release.bundle import write_manifest
from synth_tasks.release.events import add_event, ledger_bytes, read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.integrity import read_manifest
from synth_tasks.release.publication import find_release, point_latest, publish_draft
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.withdraw import withdraw
from tests.release.published import digest_of, publish_small

WHY = r"was withdrawn by me: wrong: use another version; the same data and specification"
AS_IT_WAS = {"digest": digest_of(2), "request_digest": "request 2"}
OTHER_CODE = {"digest": "cd" * 32, "request_digest": "request 2"}
OTHER_REQUEST = {"digest": "cd" * 32, "request_digest": "another request"}


@pytest.fixture
def releases(tmp_path):
    for number in (1, 2, 3):
        publish_small(tmp_path / "releases", number)
    found = FolderStore(tmp_path / "releases", "people")
    update_ledger(found)
    return found


@pytest.fixture
def copy(releases, tmp_path):
    """The releases as they were before one was withdrawn."""
    return shutil.copytree(releases.folder, tmp_path / "copy", symlinks=True)


@pytest.fixture
def taken_back(releases, copy):
    """The second release, which is withdrawn."""
    folder = releases.folder / releases.versions()[1]
    withdraw(folder, reason="wrong", name="me")
    return folder


def restore(folder, copy):
    shutil.rmtree(folder)
    shutil.copytree(copy / folder.name, folder)


def rewrite_ledger(releases, *without):
    """Write the ledger as a version of the code did that did not know some keys."""
    events = []
    for event in read_ledger(releases.folder):
        known = {key: value for key, value in event.items() if key not in without}
        events = add_event(events, known)
    (releases.folder / "ledger.json").write_bytes(ledger_bytes("people", events))


def publish_again(releases, asked):
    version = releases.next_version(asked["digest"])
    with releases.staging() as draft:
        write_manifest(draft, asked)
        return publish_draft(releases, draft, version)


# --- the same data and specification --------------------------------------------------------------


@pytest.mark.parametrize("asked", [AS_IT_WAS, OTHER_CODE])
@pytest.mark.parametrize("state", ["tombstone", "no tombstone", "restored"])
def test_a_withdrawn_release_is_neither_found_nor_published(
    releases, taken_back, copy, asked, state
):
    if state == "no tombstone":
        shutil.rmtree(taken_back)
    elif state == "restored":
        restore(taken_back, copy)
    versions = releases.versions()
    for way in (find_release, publish_again):
        with pytest.raises(IntegrityError, match=rf"{taken_back.name} {WHY}"):
            way(releases, asked)
    assert releases.versions() == versions
    assert os.readlink(releases.folder / "latest") == versions[-1]


def test_other_data_or_another_specification_are_published(releases, taken_back):
    assert find_release(releases, OTHER_REQUEST) is None
    assert publish_again(releases, OTHER_REQUEST).version == "4-cdcdcdcd"


def test_what_was_not_withdrawn_is_found(releases, taken_back):
    asked = {"digest": digest_of(3), "request_digest": "request 3"}
    assert find_release(releases, asked).version == releases.versions()[2]


def test_a_release_that_tells_no_request_is_not_that_of_another_which_does_not(releases, copy):
    rewrite_ledger(releases, "request_digest")
    withdraw(releases.folder / releases.versions()[1], reason="wrong", name="me")
    assert find_release(releases, {"digest": digest_of(3)}).version == releases.versions()[2]
    assert publish_again(releases, {"digest": "cd" * 32}).new


# --- ledgers from before there were digests of requests -------------------------------------------


@pytest.mark.parametrize("keep", [True, False])
def test_an_old_ledger_is_read_and_tells_a_withdrawn_release_by_its_digest(
    releases, taken_back, keep
):
    rewrite_ledger(releases, "request_digest")
    if not keep:
        shutil.rmtree(taken_back)
    with pytest.raises(IntegrityError, match=WHY):
        find_release(releases, AS_IT_WAS)
    assert len(update_ledger(releases)) == 4


@pytest.mark.parametrize("state", ["tombstone", "restored"])
def test_an_old_manifest_tells_data_and_specification_one_by_one(tmp_path, state):
    releases = FolderStore(tmp_path / "releases", "people")
    old = {"digest": "ab" * 32, "data_digest": "d", "spec_digest": "s", "name": "people"}
    folder = publish_again(releases, old).folder
    copied = shutil.copytree(folder, tmp_path / "copy" / folder.name)
    withdraw(folder, reason="wrong", name="me")
    if state == "restored":
        restore(folder, copied.parent)
    for also, refused in (({"spec_digest": "s"}, True), ({"spec_digest": "other"}, False)):
        asked = {"digest": "cd" * 32, "request_digest": "r", "data_digest": "d", **also}
        if refused:
            with pytest.raises(IntegrityError, match=WHY):
                find_release(releases, asked)
        else:
            assert find_release(releases, asked) is None


def test_a_damaged_version_does_not_hide_a_withdrawn_one(releases, taken_back):
    (releases.folder / releases.versions()[0] / "manifest.json").write_text("{")
    with pytest.raises(IntegrityError, match=WHY):
        find_release(releases, OTHER_CODE)


# --- latest ---------------------------------------------------------------------------------------


def test_latest_cannot_be_made_to_name_withdrawn_data(releases, taken_back, copy):
    restore(taken_back, copy)
    with pytest.raises(IntegrityError, match=WHY):
        point_latest(releases, taken_back.name)
    assert os.readlink(releases.folder / "latest") == releases.versions()[-1]


def test_a_latest_that_a_copy_has_brought_back_moves_on_with_the_next_run(
    releases, taken_back, copy
):
    restore(taken_back, copy)
    releases.point_latest(taken_back.name)
    assert find_release(releases, OTHER_REQUEST) is None
    assert os.readlink(releases.folder / "latest") == releases.versions()[-1]


def test_latest_does_not_move_to_withdrawn_data(releases, taken_back, copy):
    restore(taken_back, copy)
    done = withdraw(releases.folder / releases.versions()[2], reason="wrong too", name="me")
    assert done.latest == releases.versions()[0]


def test_data_that_are_back_can_be_withdrawn_once_more(releases, taken_back, copy):
    events = read_ledger(releases.folder)
    restore(taken_back, copy)
    withdraw(taken_back, reason="wrong", name="me")
    assert sorted(os.listdir(taken_back)) == ["README.md", "manifest.json", "withdrawal.json"]
    assert read_ledger(releases.folder) == events


def test_a_ledger_that_was_changed_moves_nothing(releases, taken_back):
    path = releases.folder / "ledger.json"
    path.write_text(json.dumps({"events": json.loads(path.read_text())["events"][1:]}))
    with pytest.raises(IntegrityError, match=r"ledger.json was changed"):
        find_release(releases, OTHER_REQUEST)
    assert os.readlink(releases.folder / "latest") == releases.versions()[-1]


def test_the_ledger_keeps_what_was_asked_for(releases):
    (event, *_) = read_ledger(releases.folder)
    manifest = read_manifest(releases.folder / releases.versions()[0])
    assert event["request_digest"] == manifest["request_digest"] == "request 1"

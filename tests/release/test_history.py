import json
import os

import pytest

from synth_tasks.errors import IntegrityError, StorageError
from synth_tasks.release.bundle import write_manifest
from synth_tasks.release.events import read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.integrity import read_manifest
from synth_tasks.release.publication import find_release, publish_draft
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.stores.locks import one_writer
from synth_tasks.release.withdraw import withdraw
from tests.release.published import publish_small


@pytest.fixture
def releases(tmp_path):
    for number in (1, 2, 3):
        publish_small(tmp_path, number)
    return FolderStore(tmp_path, "people")


def test_a_data_set_without_releases_has_no_events(tmp_path):
    assert read_ledger(tmp_path) == []
    assert update_ledger(FolderStore(tmp_path, "people")) == []
    assert os.listdir(tmp_path) == []


def test_every_version_is_an_event_in_the_order_of_their_numbers(releases):
    events = update_ledger(releases)
    assert [e["version"] for e in events] == releases.versions()
    assert [e["number"] for e in events] == [1, 2, 3]
    manifest = read_manifest(releases.folder / releases.versions()[0])
    assert events[0] == {
        "number": 1,
        "event": "published",
        "version": releases.versions()[0],
        "digest": manifest["digest"],
        "request_digest": "request 1",
        "merkle_root": manifest["merkle_root"],
        "m": 2,
        "sets": 2,
        "sets_so_far": 2,
        "policy": "strict",
        "policy_digest": "p",
        "gate": {"checks": 2, "critical": 0, "warnings": 1},
        "worst": {"self_linkage": 0.01},
        "hash": events[1]["previous"],
        "previous": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    assert read_ledger(releases.folder) == events
    assert (releases.folder / "ledger.json").stat().st_mode & 0o777 == 0o644


def test_what_is_known_stays_even_if_its_folder_has_gone(releases, tmp_path):
    before = update_ledger(releases)
    (releases.folder / releases.versions()[0]).rename(tmp_path / "archive")
    publish_small(tmp_path, 4)
    after = update_ledger(releases)
    assert after[:3] == before
    assert after[3]["version"].startswith("4-")


def test_what_was_published_stays_counted_when_it_is_withdrawn_or_gone(releases, tmp_path):
    first, second, _ = releases.versions()
    withdraw(releases.folder / second, reason="wrong", name="me")
    (releases.folder / first).rename(tmp_path / "archive")
    publish_small(tmp_path, 4)
    counts = [e.get("sets_so_far") for e in update_ledger(releases)]
    assert counts == [2, 4, 6, None, 8]


def test_a_name_that_the_ledger_has_is_not_given_again(releases, tmp_path):
    update_ledger(releases)
    newest = releases.versions()[-1]
    (releases.folder / newest).rename(tmp_path / "archive")
    assert releases.next_version("ab" * 32) == "4-abababab"
    with releases.staging() as draft:
        write_manifest(draft, {"digest": "ab" * 32})
        with pytest.raises(StorageError, match=rf"{newest} was published before: run again"):
            publish_draft(releases, draft, newest)


def test_another_release_under_the_same_name_is_refused_and_counts(releases):
    update_ledger(releases)
    version = releases.versions()[0]
    folder = releases.folder / version
    manifest = read_manifest(folder)
    (folder / "README.md").write_text("# Other")
    write_manifest(folder, manifest)
    with pytest.raises(IntegrityError, match=rf"{version} is not what the ledger says"):
        find_release(releases, {"digest": "ab" * 32})
    withdraw(folder, reason="not ours", name="me")
    events = update_ledger(releases)
    assert [(e["event"], e["version"]) for e in events[3:]] == [
        ("published", version),
        ("withdrawn", version),
    ]
    assert events[3]["merkle_root"] == events[4]["merkle_root"] != events[0]["merkle_root"]
    assert events[3]["sets_so_far"] == 8
    assert find_release(releases, {"digest": "ab" * 32}) is None


def test_an_unchanged_history_is_not_written_again(releases):
    update_ledger(releases)
    path = releases.folder / "ledger.json"
    before = path.stat().st_ino
    update_ledger(releases)
    assert path.stat().st_ino == before


def test_equal_histories_are_equal_bytes(tmp_path):
    found = []
    for name in ("a", "b"):
        for number in (1, 2):
            publish_small(tmp_path / name, number)
        releases = FolderStore(tmp_path / name, "people")
        if name == "a":
            update_ledger(releases)
        withdraw(releases.folder / releases.versions()[1], reason="wrong", name="me")
        found.append((releases.folder / "ledger.json").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "key", ["version", "digest", "m", "gate", "previous", "number", "event", "sets_so_far", "worst"]
)
def test_a_changed_event_is_found(releases, place, key):
    update_ledger(releases)
    path = releases.folder / "ledger.json"
    content = json.loads(path.read_text())
    content["events"][place][key] = "other"
    path.write_text(json.dumps(content))
    with pytest.raises(IntegrityError, match=r"ledger.json was changed: restore it"):
        read_ledger(releases.folder)


def test_an_event_that_was_taken_out_is_found(releases):
    update_ledger(releases)
    path = releases.folder / "ledger.json"
    content = json.loads(path.read_text())
    del content["events"][1]
    path.write_text(json.dumps(content))
    with pytest.raises(IntegrityError):
        read_ledger(releases.folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"events": 1}', '{"events": [1]}', "[" * 100_000, '{"events": [{}]}']
)
def test_a_ledger_that_is_none_is_one_typed_error(releases, text):
    (releases.folder / "ledger.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"ledger.json was changed"):
        update_ledger(releases)


def test_a_ledger_is_not_read_through_a_link(releases, tmp_path):
    (tmp_path / "other.json").write_text('{"events": []}')
    (releases.folder / "ledger.json").symlink_to(tmp_path / "other.json")
    with pytest.raises(IntegrityError):
        read_ledger(releases.folder)


def test_a_damaged_version_waits_until_it_is_restored(releases):
    first = releases.folder / releases.versions()[0] / "manifest.json"
    content = first.read_bytes()
    first.write_text("{")
    assert [e["version"][0] for e in update_ledger(releases)] == ["2", "3"]
    first.write_bytes(content)
    assert [e["version"][0] for e in update_ledger(releases)] == ["2", "3", "1"]


def test_a_second_writer_waits(releases):
    import fcntl

    with one_writer(releases.folder):
        descriptor = os.open(releases.folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)

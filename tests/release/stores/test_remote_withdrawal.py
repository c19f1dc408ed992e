"""Withdrawal in a store without renames: at no step half a release, and never published again."""

import json
import time

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flows import verify
from flows.withdraw import main
from synth_tasks.errors import IntegrityError, SpecError, StorageError, SynthError
from synth_tasks.release.events import read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.publication import find_release, point_latest
from synth_tasks.release.signatures import refuse_other_signature, require_signed_withdrawal
from synth_tasks.release.signing import read_signer
from synth_tasks.release.stores import FolderStore, RemoteStore, open_release
from synth_tasks.release.tombstone import check_tombstone, is_withdrawn
from synth_tasks.release.withdraw import finish_withdrawals, withdraw_version
from tests.release.published import digest_of, make_key, publish_to

ROOT, URL = "/releases/people", "memory://releases/people"
WORDS = {"reason": "the source had an error", "name": "A. Steward"}
ARGUMENTS = ["--reason", WORDS["reason"], "--name", WORDS["name"]]
DIGESTS = [digest_of(number) for number in range(4)]


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def releases(memory):
    found = RemoteStore("memory://releases", "people")
    for number in (1, 2, 3):
        publish_to(found, number)
    update_ledger(found)
    return found


def names(memory, version=""):
    prefix = f"{ROOT}/{version}/" if version else f"{ROOT}/"
    return sorted(path.removeprefix(prefix) for path in memory.store if path.startswith(prefix))


def events(releases):
    return [event["event"] for event in read_ledger(releases.place())]


def test_data_go_and_the_manifest_and_the_reason_stay(releases, memory):
    version = releases.versions()[-1]
    manifest = memory.cat_file(f"{ROOT}/{version}/manifest.json")
    done = withdraw_version(releases, version, **WORDS)
    assert names(memory, version) == ["README.md", "manifest.json", "withdrawal.json"]
    assert memory.cat_file(f"{ROOT}/{version}/manifest.json") == manifest
    assert b"was withdrawn by A\\. Steward" in memory.cat_file(f"{ROOT}/{version}/README.md")
    assert check_tombstone(releases.place(version))["reason"] == WORDS["reason"]
    assert (done.location, done.latest) == (f"{URL}/{version}", releases.versions()[1])
    assert events(releases) == ["published"] * 3 + ["withdrawn"]


def test_ledger_and_tombstone_are_those_of_a_folder(releases, memory, tmp_path):
    folder = FolderStore(tmp_path, "people")
    for number in (1, 2, 3):
        publish_to(folder, number)
    version = folder.versions()[1]
    for store in (releases, folder):
        withdraw_version(store, version, **WORDS)
    for name in ("ledger.json", f"{version}/withdrawal.json", f"{version}/README.md"):
        assert memory.cat_file(f"{ROOT}/{name}") == (folder.folder / name).read_bytes()


def test_the_same_data_and_specification_are_not_published_again(releases):
    withdraw_version(releases, releases.versions()[-1], **WORDS)
    for look in (releases.find, lambda digest: find_release(releases, {"digest": digest})):
        with pytest.raises(IntegrityError, match=r"was withdrawn by A\. Steward: the source had"):
            look(DIGESTS[3])
    assert find_release(releases, {"digest": DIGESTS[1]}).version == releases.versions()[0]
    assert publish_to(releases, 4).version.startswith("4-")


def test_data_that_a_copy_brings_back_stay_withdrawn(releases, memory, capsys):
    before, version = dict(memory.store), releases.versions()[-1]
    withdraw_version(releases, version, **WORDS)
    ledger = memory.cat_file(f"{ROOT}/ledger.json")
    memory.store.clear()
    memory.store.update(before)
    memory.pipe_file(f"{ROOT}/ledger.json", ledger)
    assert releases.latest() == version
    with pytest.raises(IntegrityError, match=r"was withdrawn by A\. Steward: the source had"):
        find_release(releases, {"digest": "cd" * 32, "request_digest": "request 3"})
    with pytest.raises(IntegrityError, match=r"was withdrawn by A\. Steward: the source had"):
        point_latest(releases, version)
    assert releases.latest() == releases.versions()[1]
    assert verify.main([f"{URL}/{version}"]) == 1
    assert "was withdrawn by A. Steward" in capsys.readouterr().err


def test_latest_moves_to_the_newest_version_that_is_left(releases, memory):
    first, second, third = releases.versions()
    assert withdraw_version(releases, second, **WORDS).latest == third
    assert withdraw_version(releases, third, **WORDS).latest == first
    assert releases.latest() == first
    assert withdraw_version(releases, first, **WORDS).latest is None
    assert not memory.exists(f"{ROOT}/latest.json")


def test_a_damaged_latest_is_named_before_anything_is_withdrawn(releases, memory):
    memory.pipe_file(f"{ROOT}/latest.json", b"{}")
    with pytest.raises(IntegrityError, match=r"latest.json is damaged: remove it"):
        withdraw_version(releases, releases.versions()[0], **WORDS)
    releases.verify(releases.versions()[0])


def test_a_damaged_latest_does_not_keep_a_release_from_being_made(releases, memory):
    memory.pipe_file(f"{ROOT}/latest.json", b"{}")
    assert find_release(releases, {"digest": "cd" * 32}) is None
    assert point_latest(releases, releases.versions()[0]) is True


@pytest.mark.parametrize("words", ["", "two\nlines"])
def test_words_are_one_printable_line(releases, memory, words):
    before = dict(memory.store)
    with pytest.raises(SpecError, match="--reason: write one line"):
        withdraw_version(releases, releases.versions()[0], reason=words, name="me")
    assert memory.store == before


# --- never half -----------------------------------------------------------------------------------


class Killed(BaseException):
    """What no code can catch, like the end of the process."""


# Claim, `latest`, record, its signature, README, three files of data, the claim again, the old
# signature of the ledger, the ledger, its signature.
N_STEPS = 12
RECORD_STEP = 3


def stop_at(monkeypatch, count, error):
    """Let the change of this number be one that does not happen."""
    changes = []

    def watch(name):
        original = getattr(MemoryFileSystem, name)

        def stop(self, path, *args, **kwargs):
            changes.append(path)
            if len(changes) == count:
                raise error
            return original(self, path, *args, **kwargs)

        monkeypatch.setattr(MemoryFileSystem, name, stop)

    watch("pipe_file")
    watch("rm_file")
    return changes


@pytest.mark.parametrize("count", range(1, N_STEPS + 1))
@pytest.mark.parametrize("error", [Killed(), OSError("lost")])
def test_wherever_it_is_stopped_the_next_run_finds_a_whole_state(
    releases, memory, monkeypatch, key, count, error
):
    signer = read_signer(key)
    update_ledger(releases, signer)
    version = releases.versions()[-1]
    with monkeypatch.context() as patch:
        stop_at(patch, count, error)
        with pytest.raises((Killed, StorageError)):
            withdraw_version(releases, version, signer=signer, **WORDS)
    # Either all of the release or a withdrawn one, before anything is mended.
    releases.verify(releases.latest())
    if count <= RECORD_STEP:
        releases.verify(version)
        may_be = releases.versions()[-2:] if isinstance(error, Killed) else [version]
        assert releases.latest() in may_be
        assert find_release(releases, {"digest": DIGESTS[3]}, signer).version == version
        assert events(releases) == ["published"] * 3
        withdraw_version(releases, version, signer=signer, **WORDS)
    else:
        with pytest.raises(IntegrityError, match="withdrawn"):
            releases.find(DIGESTS[3])
        with pytest.raises(IntegrityError, match="was withdrawn by"):
            find_release(releases, {"digest": DIGESTS[3]}, signer)
        finish_withdrawals(releases, signer)
    check_tombstone(releases.place(version))
    assert not [name for name in names(memory) if name.startswith(".")]
    assert releases.latest() == releases.versions()[-2]
    assert events(releases) == ["published"] * 3 + ["withdrawn"]
    require_signed_withdrawal(releases.place(version), signer.public_pem)
    refuse_other_signature(releases.place(), signer.public_pem)
    assert memory.exists(f"{ROOT}/{version}/withdrawal.json.sig")
    assert memory.exists(f"{ROOT}/ledger.json.sig")


def test_the_steps_that_are_stopped_are_all_there_are(releases, monkeypatch, key):
    signer = read_signer(key)
    update_ledger(releases, signer)
    changes = stop_at(monkeypatch, 0, Killed())
    withdraw_version(releases, releases.versions()[-1], signer=signer, **WORDS)
    assert len(changes) == N_STEPS
    assert changes[RECORD_STEP - 1].endswith("withdrawal.json")


def test_latest_has_gone_before_the_only_release_does(memory, monkeypatch):
    releases = RemoteStore("memory://releases", "people")
    version = publish_to(releases).version
    update_ledger(releases)
    with monkeypatch.context() as patch:
        stop_at(patch, RECORD_STEP, Killed())
        with pytest.raises(Killed):
            withdraw_version(releases, version, **WORDS)
    assert releases.latest() is None
    releases.verify(version)


def test_what_another_run_withdraws_is_forgotten_when_it_is_a_day_old(releases, memory):
    version = releases.versions()[0]
    path = f"{ROOT}/.tombstone-{version}"
    for started, stays in ((time.time(), True), (time.time() - 90_000, False)):
        draft = {"started": started, "signature": ""}
        memory.pipe_file(path, json.dumps(draft).encode())
        assert find_release(releases, {"digest": DIGESTS[1]}).version == version
        assert memory.exists(path) is stays


def test_a_claim_that_no_run_has_written_is_named(releases, memory):
    memory.pipe_file(f"{ROOT}/.tombstone-{releases.versions()[0]}", b"mine")
    with pytest.raises(SynthError, match="is no claim of a run: remove it"):
        find_release(releases, {"digest": DIGESTS[1]})


# --- command line ---------------------------------------------------------------------------------


def test_the_commands_withdraw_and_tell_a_withdrawn_release(releases, capsys):
    version = releases.versions()[-1]
    assert verify.main([f"{URL}/latest"]) == 0
    assert "intact: 4 files" in capsys.readouterr().out
    assert main([f"{URL}/latest", *ARGUMENTS]) == 0
    assert f"`latest` names {releases.versions()[1]}" in capsys.readouterr().out
    assert is_withdrawn(releases.place(version))
    assert verify.main([f"{URL}/{version}"]) == 1
    assert "was withdrawn by A. Steward: the source had an error" in capsys.readouterr().err
    assert main([f"{URL}/{version}", *ARGUMENTS]) == 1
    assert main([f"{URL}/9-aaaaaaaa", *ARGUMENTS]) == 2
    assert main([URL, *ARGUMENTS]) == 2
    assert main(["memory://x", *ARGUMENTS]) == 2
    assert verify.main([f"{URL}/9-aaaaaaaa"]) == 2
    assert capsys.readouterr().err.count("\n") == 5


def test_a_signed_release_is_verified_with_the_ledger_beside_it(memory, key, capsys, tmp_path):
    signer, public = read_signer(key), tmp_path / "public.pem"
    public.write_bytes(signer.public_pem)
    releases = RemoteStore("memory://releases", "people")
    location = publish_to(releases, key=key).location
    update_ledger(releases, signer)
    assert verify.main([location, "--public-key", str(public)]) == 0
    assert "signed by the given key" in capsys.readouterr().out
    memory.pipe_file(f"{ROOT}/ledger.json.sig", b"x" * 64)
    assert verify.main([location, "--public-key", str(public)]) == 1
    assert "ledger.json was changed, or another key" in capsys.readouterr().err
    memory.rm_file(f"{ROOT}/ledger.json.sig")
    assert main([location, *ARGUMENTS, "--signing-key", str(key)]) == 0
    record = f"{ROOT}/1-00000001/withdrawal.json"
    memory.pipe_file(record, memory.cat_file(record).replace(b"error", b"secret"))
    assert verify.main([location, "--public-key", str(public)]) == 1
    assert "withdrawal.json was changed, or another key" in capsys.readouterr().err


def test_a_release_whose_latest_has_gone_is_not_guessed(releases, memory):
    memory.rm_file(f"{ROOT}/latest.json")
    with pytest.raises(SpecError, match="latest names no version"):
        open_release(f"{URL}/latest")

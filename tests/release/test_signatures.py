"""The ledger and withdrawals are signed by the key that signs releases."""

import json
import shutil

import pytest

from synth_tasks.errors import IntegrityError
from synth_tasks.release.bundle import verify
from synth_tasks.release.events import add_event, ledger_bytes, read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.publication import find_release
from synth_tasks.release.signatures import refuse_other_signature
from synth_tasks.release.signing import read_signer
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.verification import verify_release
from synth_tasks.release.withdraw import withdraw
from tests.release.published import make_key, publish_small

OTHER = r"was changed, or another key has signed it"


@pytest.fixture
def key(tmp_path):
    return make_key(tmp_path)


@pytest.fixture
def signer(key):
    return read_signer(key)


@pytest.fixture
def releases(tmp_path, key, signer):
    found = FolderStore(tmp_path / "releases", "people")
    for number in (1, 2):
        publish_small(tmp_path / "releases", number, key)
    update_ledger(found, signer)
    return found


def forge_ledger(releases):
    """Change the last event and compute all hashes anew, as whoever knows the format can."""
    events = read_ledger(releases.folder)
    events = add_event(events[:-1], {**events[-1], "worst": {}})
    data = ledger_bytes("people", events)
    (releases.folder / "ledger.json").write_bytes(data)


def test_a_release_is_verified_with_the_ledger_beside_it(releases, signer):
    folder = releases.folder / releases.versions()[0]
    assert verify_release(folder, signer.public_pem).trusted
    forge_ledger(releases)
    assert len(read_ledger(releases.folder)) == 2
    for key in (signer.public_pem, None):
        with pytest.raises(IntegrityError, match=rf"ledger.json {OTHER}"):
            verify_release(folder, key)


def test_a_forged_ledger_is_not_signed_again(releases, signer):
    forge_ledger(releases)
    before = (releases.folder / "ledger.json.sig").read_bytes()
    with pytest.raises(IntegrityError, match=OTHER):
        update_ledger(releases, signer)
    with pytest.raises(IntegrityError, match=OTHER):
        find_release(releases, {"digest": "ab" * 32}, signer)
    assert (releases.folder / "ledger.json.sig").read_bytes() == before


def test_a_signature_that_would_not_hold_is_removed_and_made_anew(releases, signer, tmp_path, key):
    publish_small(tmp_path / "releases", 3, key)
    update_ledger(releases)
    assert not (releases.folder / "ledger.json.sig").exists()
    update_ledger(releases, signer)
    verify_release(releases.folder / releases.versions()[2], signer.public_pem)
    assert (releases.folder / "ledger.json.sig").stat().st_mode & 0o777 == 0o644


def test_a_signed_withdrawal_cannot_be_given_another_reason(releases, signer):
    folder = releases.folder / releases.versions()[0]
    withdraw(folder, reason="wrong", name="me", signer=signer)
    with pytest.raises(IntegrityError, match="was withdrawn by me: wrong"):
        verify_release(folder, signer.public_pem)
    record = json.loads((folder / "withdrawal.json").read_text())
    (folder / "withdrawal.json").write_text(json.dumps({**record, "reason": "other"}))
    with pytest.raises(IntegrityError, match=rf"withdrawal.json {OTHER}"):
        verify_release(folder, signer.public_pem)


# --- signatures that are not there ----------------------------------------------------------------

UNSIGNED = r"is not signed although the release is: anybody may have written it: restore"


def test_a_ledger_without_its_signature_does_not_pass_for_a_signed_release(releases, signer):
    forge_ledger(releases)
    (releases.folder / "ledger.json.sig").unlink()
    for key in (signer.public_pem, None):
        with pytest.raises(IntegrityError, match=rf"ledger.json {UNSIGNED} ledger.json.sig"):
            verify_release(releases.folder / releases.versions()[0], key)


def test_a_withdrawal_without_its_signature_does_not_pass_for_a_signed_release(releases, signer):
    folder = releases.folder / releases.versions()[0]
    withdraw(folder, reason="wrong", name="me", signer=signer)
    record = json.loads((folder / "withdrawal.json").read_text())
    (folder / "withdrawal.json").write_text(json.dumps({**record, "reason": "other"}))
    (folder / "withdrawal.json.sig").unlink()
    for key in (signer.public_pem, None):
        with pytest.raises(
            IntegrityError, match=rf"withdrawal.json {UNSIGNED} withdrawal.json.sig"
        ):
            verify_release(folder, key)


def test_a_signature_without_its_ledger_is_no_signature(releases, signer):
    (releases.folder / "ledger.json").unlink()
    with pytest.raises(IntegrityError, match=rf"ledger.json {OTHER}"):
        verify_release(releases.folder / releases.versions()[0], signer.public_pem)


def test_a_release_alone_has_no_ledger_to_check(releases, signer, tmp_path):
    version = releases.versions()[0]
    assert verify_release(releases.folder / version, signer.public_pem).has_ledger
    alone = (releases.folder / version).rename(tmp_path / version)
    assert not verify_release(alone, signer.public_pem).has_ledger


def test_a_ledger_from_before_there_was_a_key_is_signed_as_a_whole(tmp_path, key, signer):
    releases = FolderStore(tmp_path / "releases", "people")
    unsigned = publish_small(tmp_path / "releases").folder
    before = update_ledger(releases)
    assert verify_release(unsigned).has_ledger
    signed = publish_small(tmp_path / "releases", 2, key).folder
    assert update_ledger(releases, signer)[:1] == before
    assert verify_release(signed, signer.public_pem).has_ledger
    refuse_other_signature(releases.folder, signer.public_pem)
    assert verify_release(unsigned).signer is None


def test_the_next_run_with_the_key_signs_what_a_withdrawal_without_it_has_left(releases, signer):
    first, second = (releases.folder / version for version in releases.versions())
    assert withdraw(first, reason="wrong", name="me").lacks_signature
    with pytest.raises(IntegrityError, match=rf"ledger.json {UNSIGNED}"):
        verify_release(second, signer.public_pem)
    update_ledger(releases, signer)
    assert verify_release(second, signer.public_pem).has_ledger
    assert not withdraw(second, reason="wrong", name="me", signer=signer).lacks_signature


# --- what the ledger says of a release ------------------------------------------------------------


@pytest.mark.parametrize("with_key", [True, False])
def test_a_withdrawn_release_that_a_copy_brings_back_is_withdrawn(
    releases, signer, tmp_path, with_key
):
    folder = releases.folder / releases.versions()[0]
    copied = shutil.copytree(folder, tmp_path / "copy")
    withdraw(folder, reason="wrong", name="me", signer=signer)
    shutil.rmtree(folder)
    shutil.copytree(copied, folder)
    with pytest.raises(IntegrityError, match=rf"{folder.name} was withdrawn by me: wrong"):
        verify_release(folder, signer.public_pem if with_key else None)
    with pytest.raises(IntegrityError, match=rf"{folder.name} was withdrawn by me: wrong"):
        verify(folder)


def test_the_chain_of_an_unsigned_ledger_is_checked_too(tmp_path):
    folder = publish_small(tmp_path).folder
    update_ledger(FolderStore(tmp_path, "people"))
    path = folder.parent / "ledger.json"
    path.write_text(path.read_text().replace('"m": 2', '"m": 1'))
    for release in (folder, folder.parent / "latest"):
        with pytest.raises(IntegrityError, match=r"ledger.json was changed: restore it"):
            verify_release(release)
        with pytest.raises(IntegrityError, match=r"ledger.json was changed: restore it"):
            verify(release)

"""The ledger and withdrawals are signed by the key that signs releases."""

import json

import pytest

from synth_tasks.errors import IntegrityError
from synth_tasks.release.events import add_event, ledger_bytes, read_ledger
from synth_tasks.release.history import update_ledger
from synth_tasks.release.publication import find_release
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
        find_release(releases, "ab" * 32, signer)
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


def test_an_unsigned_ledger_is_no_error(releases, signer):
    (releases.folder / "ledger.json.sig").unlink()
    verify_release(releases.folder / releases.versions()[0], signer.public_pem)

import json
import os
import shutil

import pytest

from flows.withdraw import main
from synth_tasks.errors import IntegrityError, SpecError, StorageError
from synth_tasks.release.bundle import verify
from synth_tasks.release.events import read_ledger
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.tombstone import check_tombstone, is_withdrawn
from synth_tasks.release.withdraw import finish_withdrawals, withdraw
from tests.release.published import make_key, publish_small

WORDS = {"reason": "the source had an error", "name": "A. Steward"}


@pytest.fixture
def releases(tmp_path):
    for number in (1, 2, 3):
        publish_small(tmp_path, number)
    return FolderStore(tmp_path, "people")


def newest(releases):
    return releases.folder / releases.versions()[-1]


def listing(releases):
    return sorted(os.listdir(releases.folder))


def test_data_go_and_the_manifest_and_the_reason_stay(releases):
    folder = newest(releases)
    manifest = (folder / "manifest.json").read_bytes()
    done = withdraw(folder, **WORDS)
    assert sorted(os.listdir(folder)) == ["README.md", "manifest.json", "withdrawal.json"]
    assert (folder / "manifest.json").read_bytes() == manifest
    readme = (folder / "README.md").read_text()
    assert "was withdrawn by A\\. Steward" in readme
    assert "> the source had an error" in readme
    assert done.location == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert check_tombstone(folder)["reason"] == "the source had an error"


def test_a_signature_and_its_key_stay(tmp_path):
    folder = publish_small(tmp_path, key=make_key(tmp_path)).folder
    withdraw(folder, **WORDS)
    assert {"manifest.json.sig", "signing-key.pem"} < set(os.listdir(folder))


def test_latest_moves_to_the_newest_version_that_is_left(releases):
    versions = releases.versions()
    withdraw(releases.folder / versions[1], **WORDS)
    assert os.readlink(releases.folder / "latest") == versions[2]
    assert withdraw(releases.folder / "latest", **WORDS).latest == versions[0]
    assert os.readlink(releases.folder / "latest") == versions[0]
    assert withdraw(releases.folder / "latest", **WORDS).latest is None
    assert listing(releases) == [*versions, "ledger.json"]


def test_it_is_an_event_of_the_ledger(releases):
    withdraw(newest(releases), **WORDS)
    event = read_ledger(releases.folder)[-1]
    assert event["event"] == "withdrawn"
    assert (event["number"], event["version"]) == (4, newest(releases).name)
    assert (event["reason"], event["name"]) == (WORDS["reason"], WORDS["name"])


def test_the_same_data_and_specification_are_not_published_again(releases):
    digest = json.loads((newest(releases) / "manifest.json").read_text())["digest"]
    withdraw(newest(releases), **WORDS)
    with pytest.raises(IntegrityError, match=r"was withdrawn by A\. Steward: the source had"):
        releases.find(digest)


def test_the_number_of_a_withdrawn_version_is_not_given_again(releases, tmp_path):
    withdraw(newest(releases), **WORDS)
    assert publish_small(tmp_path, 4).version.startswith("4-")


def test_a_release_is_withdrawn_once(releases):
    withdraw(newest(releases), **WORDS)
    with pytest.raises(IntegrityError, match="was withdrawn by"):
        withdraw(newest(releases), **WORDS)
    assert len(read_ledger(releases.folder)) == 4


def test_words_cannot_break_the_page(releases):
    withdraw(newest(releases), reason="<script>x</script> [a](b) *c* | d", name="# `me`")
    readme = (newest(releases) / "README.md").read_text()
    assert "<script>" not in readme
    assert "\\[a\\]\\(b\\) \\*c\\* \\| d" in readme
    assert check_tombstone(newest(releases))["name"] == "# `me`"


@pytest.mark.parametrize("words", ["", "  ", "two\nlines", "a\x1b[31m", "x" * 501, "\u2028"])
@pytest.mark.parametrize("setting", ["reason", "name"])
def test_words_are_one_printable_line(releases, words, setting):
    with pytest.raises(SpecError, match=f"--{setting}: write one line"):
        withdraw(newest(releases), **{**WORDS, setting: words})
    verify(newest(releases))
    assert not [name for name in listing(releases) if name.startswith(".")]


def test_only_a_release_can_be_withdrawn(releases, tmp_path):
    for path in (
        tmp_path,
        releases.folder,
        tmp_path / "9-aaaaaaaa",
        releases.folder / "9-aaaaaaaa",
    ):
        with pytest.raises(SpecError, match=r"is no release|is not there"):
            withdraw(path, **WORDS)
    (newest(releases) / "manifest.json").write_text("{}")
    with pytest.raises(IntegrityError, match=r"manifest.json is missing or damaged"):
        withdraw(newest(releases), **WORDS)


# --- never half -----------------------------------------------------------------------------------


class Killed(BaseException):
    """What no code can catch, like the end of the process."""


STEPS = [
    *[("os.rename", n) for n in (1, 2)],
    *[("os.replace", n) for n in range(1, 7)],
    *[("shutil.rmtree", 1)],
    *[("os.mkdir", 1)],
]


def test_what_a_killed_run_has_left_is_seen(releases, monkeypatch):
    assert not releases.has_unfinished()
    with monkeypatch.context() as patch:
        kill_at(patch, "os.rename", 2, Killed())
        with pytest.raises(Killed):
            withdraw(newest(releases), **WORDS)
    assert releases.has_unfinished()
    finish_withdrawals(releases)
    assert not releases.has_unfinished()
    assert is_withdrawn(newest(releases))


def kill_at(monkeypatch, name, count, error):
    """Let the call of this number of a function of the system be the last."""
    owner, attribute = (os if name.startswith("os") else shutil), name.split(".")[1]
    original, calls = getattr(owner, attribute), []

    def stop(*args, **kwargs):
        calls.append(args)
        if len(calls) == count:
            raise error
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, attribute, stop)
    return calls


@pytest.mark.parametrize(("name", "count"), STEPS)
@pytest.mark.parametrize("error", [Killed(), OSError(28, "No space left on device")])
def test_wherever_it_is_stopped_the_next_run_finds_a_whole_state(
    releases, monkeypatch, name, count, error
):
    folder = newest(releases)
    with monkeypatch.context() as patch:
        calls = kill_at(patch, name, count, error)
        with pytest.raises((Killed, StorageError)):
            withdraw(folder, **WORDS)
        assert len(calls) >= count
    # Either all of the release or none of its data, before anything is mended.
    verify(releases.folder / "latest")
    if folder.exists() and not is_withdrawn(folder):
        verify(folder)
    finish_withdrawals(releases)
    assert not [entry for entry in listing(releases) if entry.startswith(".")]
    events = [e["event"] for e in read_ledger(releases.folder)]
    if is_withdrawn(folder):
        check_tombstone(folder)
        assert os.readlink(releases.folder / "latest") == releases.versions()[-2]
        assert events == ["published"] * 3 + ["withdrawn"]
    else:
        verify(folder)
        # Killed, it cannot put `latest` back: an older release is named, not a half one.
        may_be = releases.versions()[-2:] if isinstance(error, Killed) else [folder.name]
        assert os.readlink(releases.folder / "latest") in may_be
        assert events == ["published"] * 3
        withdraw(folder, **WORDS)


@pytest.mark.parametrize("count", [1, 2])
def test_latest_has_gone_before_the_only_release_does(tmp_path, monkeypatch, count):
    folder = publish_small(tmp_path).folder
    with monkeypatch.context() as patch:
        kill_at(patch, "os.rename", count, Killed())
        with pytest.raises(Killed):
            withdraw(folder, **WORDS)
    assert not os.path.lexists(folder.parent / "latest")


def test_the_steps_that_are_stopped_are_all_there_are(releases, monkeypatch):
    counts = {}
    for name in ("os.rename", "os.replace", "shutil.rmtree"):
        counts[name] = kill_at(monkeypatch, name, 0, Killed())
    withdraw(newest(releases), **WORDS)
    assert {name: len(calls) for name, calls in counts.items()} == {
        name: max(n for other, n in STEPS if other == name) for name in counts
    }


# --- the tombstone --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "README.md").write_text("fine again"), "README.md was changed"),
        (lambda f: (f / "README.md").unlink(), "README.md was changed"),
        (lambda f: (f / "data.csv").write_text("x"), "data.csv is there although"),
        (lambda f: (f / "withdrawal.json").write_text("{}"), "withdrawal.json is damaged"),
        (lambda f: (f / "withdrawal.json").write_text("[" * 9000), "withdrawal.json is damaged"),
        (lambda f: (f / "manifest.json").write_text("{}"), "manifest.json is missing or damaged"),
    ],
)
def test_a_damaged_tombstone_is_found(releases, damage, message):
    withdraw(newest(releases), **WORDS)
    damage(newest(releases))
    with pytest.raises(IntegrityError, match=message):
        check_tombstone(newest(releases))


def test_a_tombstone_of_another_release_is_found(releases):
    first, _, last = releases.versions()
    for version in (first, last):
        withdraw(releases.folder / version, **WORDS)
    shutil.copy(releases.folder / first / "manifest.json", releases.folder / last)
    with pytest.raises(IntegrityError, match="is of another manifest"):
        check_tombstone(releases.folder / last)


# --- command line ---------------------------------------------------------------------------------


def test_the_command_says_what_it_did(releases, capsys):
    arguments = ["--reason", WORDS["reason"], "--name", WORDS["name"]]
    assert main([str(releases.folder / "latest"), *arguments]) == 0
    output = capsys.readouterr().out
    assert f"`latest` names {releases.versions()[1]}" in output
    assert main([str(newest(releases)), *arguments]) == 1
    assert main([str(releases.folder / "absent"), *arguments]) == 2
    assert main(["x" * 5000 + "/1-aaaaaaaa", *arguments]) == 2
    assert main([str(releases.folder / "latest"), "--reason", " ", "--name", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 4


def test_the_command_says_that_the_withdrawal_of_a_signed_release_is_not_signed(tmp_path, capsys):
    key = make_key(tmp_path)
    arguments = ["--reason", WORDS["reason"], "--name", WORDS["name"]]
    for number, with_key in enumerate([["--signing-key", str(key)], []], start=1):
        folder = publish_small(tmp_path / "releases", number, key).folder
        assert main([str(folder), *arguments, *with_key]) == 0
        assert ("not signed, as the releases are" in capsys.readouterr().out) == (not with_key)

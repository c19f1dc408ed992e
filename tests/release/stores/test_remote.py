"""A store without renames: no release without its manifest, and what killed uploads leave."""

import json
import time
from dataclasses import replace

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from synth_tasks.errors import (
    IntegrityError,
    SpecError,
    StorageError,
    SynthError,
    TransientError,
)
from synth_tasks.release.events import add_event, ledger_bytes, parse_events, read_ledger
from synth_tasks.release.publication import find_release, point_latest, publish_draft
from synth_tasks.release.signing import is_signed_by, read_signer
from synth_tasks.release.stores import FolderStore, RemoteStore, open_store
from synth_tasks.release.verification import verify_release
from tests.release.published import make_key, publish_to
from tests.release.stores.publishing import DIGEST, OTHER_DIGEST, build, publish

ROOT = "/releases/people"


@pytest.fixture
def releases(memory):
    return RemoteStore("memory://releases", "people")


def names(memory) -> list[str]:
    return sorted(path.removeprefix(f"{ROOT}/") for path in memory.store)


WHOLE = ["1-abababab/README.md", "1-abababab/data/people-1.csv", "1-abababab/manifest.json"]


def latest(memory) -> str:
    return json.loads(memory.cat_file(f"{ROOT}/latest.json"))["version"]


# --- appearing at once ----------------------------------------------------------------------------


def test_a_release_is_uploaded_whole_and_latest_names_it(releases, memory):
    published = publish(releases)
    assert published.new
    assert published.version == "1-abababab"
    assert published.location == "memory://releases/people/1-abababab"
    assert published.address("report.html") == "memory://releases/people/1-abababab/report.html"
    assert names(memory) == [*WHOLE, "latest.json"]
    assert latest(memory) == "1-abababab"
    releases.verify("1-abababab")


def test_the_manifest_comes_last_and_latest_after_it(releases, memory, monkeypatch):
    written, seen = [], []

    def watch(name):
        original = getattr(MemoryFileSystem, name)

        def record(self, *args, **kwargs):
            path = args[1] if name == "put_file" else args[0]
            seen.append(releases.versions())
            written.append(path.removeprefix(f"{ROOT}/"))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(MemoryFileSystem, name, record)

    watch("put_file")
    watch("pipe_file")
    publish(releases)
    assert written == [".upload-1-abababab", *WHOLE, "latest.json"]
    assert seen == [[], [], [], [], ["1-abababab"]]


def test_nothing_is_uploaded_before_the_commit(releases, memory):
    with releases.staging() as draft:
        build(draft)
        assert draft.stat().st_mode & 0o077 == 0
        assert names(memory) == []
    assert not draft.exists()


@pytest.mark.parametrize("error", [OSError("lost"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", ["data/people-1.csv", "manifest.json"])
def test_a_failed_upload_leaves_everything_as_it_was(releases, memory, monkeypatch, error, failing):
    publish(releases)

    def failing_on(name):
        original = getattr(MemoryFileSystem, name)

        def write(self, first, second, **kwargs):
            path = second if name == "put_file" else first
            if path.endswith(failing):
                raise error
            return original(self, first, second, **kwargs)

        monkeypatch.setattr(MemoryFileSystem, name, write)

    failing_on("put_file")
    failing_on("pipe_file")
    with pytest.raises((StorageError, KeyboardInterrupt)):
        publish(releases, OTHER_DIGEST)
    assert names(memory) == [*WHOLE, "latest.json"]
    assert latest(memory) == "1-abababab"


def test_a_draft_that_changed_after_its_manifest_is_not_uploaded(releases, memory):
    with pytest.raises(SynthError, match="was changed after publication"):
        publish(releases, before_commit=lambda draft: (draft / "README.md").write_text("other"))
    assert names(memory) == []


def test_an_upload_that_arrives_in_part_is_no_release(releases, memory, monkeypatch):
    original = MemoryFileSystem.put_file

    def lose(self, source, path, **kwargs):
        if not path.endswith("README.md"):
            original(self, source, path, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "put_file", lose)
    with pytest.raises(StorageError, match="1-abababab has not arrived whole: run again"):
        publish(releases)
    assert names(memory) == []


def test_a_file_that_another_run_removes_before_the_manifest_is_noticed(
    releases, memory, monkeypatch
):
    original = MemoryFileSystem.pipe_file

    def sweep(self, path, *args, **kwargs):
        if path.endswith("manifest.json"):
            for name in WHOLE[:2]:
                self.rm_file(f"{ROOT}/{name}")
            self.rm_file(f"{ROOT}/.upload-1-abababab")
        original(self, path, *args, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", sweep)
    with pytest.raises(StorageError, match="1-abababab has not stayed whole: run again"):
        publish(releases)
    assert names(memory) == []


def test_a_version_that_is_there_already_is_never_overwritten(releases, memory):
    publish(releases)
    before = dict(memory.store)
    with pytest.raises(StorageError, match="1-abababab is there already"):
        publish(releases, OTHER_DIGEST, "other", version="1-abababab")
    assert memory.store == before


def test_two_runs_cannot_upload_the_same_version(releases, memory):
    memory.pipe_file(f"{ROOT}/.upload-1-abababab", b'{"started": 4e9}')
    with pytest.raises(StorageError, match="another run is publishing: run again"):
        publish(releases, version="1-abababab")
    assert names(memory) == [".upload-1-abababab"]


# --- what killed runs have left -------------------------------------------------------------------


def killed_upload(memory, started: float, version="1-abababab") -> None:
    claim = json.dumps({"started": started}).encode()
    memory.pipe_file(f"{ROOT}/.upload-{version}", claim)
    memory.pipe_file(f"{ROOT}/{version}/README.md", b"# People")


def test_a_killed_upload_does_not_count_and_its_version_is_not_used_again(releases, memory):
    killed_upload(memory, time.time())
    assert releases.versions() == []
    assert releases.find(DIGEST) is None
    assert publish(releases).version == "2-abababab"
    assert releases.versions() == ["2-abababab"]
    assert "1-abababab/README.md" in names(memory)


def test_a_killed_upload_is_removed_when_it_is_a_day_old(releases, memory):
    killed_upload(memory, time.time() - 90_000)
    publish(releases, OTHER_DIGEST)
    assert not [name for name in names(memory) if "1-abababab" in name]
    assert len(releases.versions()) == 1


def test_of_a_release_whose_claim_was_left_only_the_claim_is_removed(releases, memory):
    publish(releases)
    memory.pipe_file(f"{ROOT}/.upload-1-abababab", b'{"started": 0}')
    publish(releases, OTHER_DIGEST)
    assert ".upload-1-abababab" not in names(memory)
    releases.verify("1-abababab")


def test_a_claim_that_no_run_has_written_is_named(releases, memory):
    memory.pipe_file(f"{ROOT}/.upload-1-abababab", b"mine")
    with pytest.raises(SynthError, match="is no claim of a run: remove it"):
        publish(releases)


# --- versions, digests, latest --------------------------------------------------------------------


def test_versions_are_counted_as_numbers(releases, memory):
    for number in range(1, 12):
        assert publish(releases).version == f"{number}-abababab"
    assert releases.versions()[-2:] == ["10-abababab", "11-abababab"]


def test_a_release_is_found_by_its_whole_digest(releases):
    publish(releases)
    publish(releases, OTHER_DIGEST)
    assert releases.find(DIGEST).version == "1-abababab"
    assert releases.find(OTHER_DIGEST).location == "memory://releases/people/2-cdcdcdcd"
    assert releases.find("ab" * 31 + "00") is None


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda m, f: m.pipe_file(f"{f}/README.md", b"# people"), "README.md was changed"),
        (lambda m, f: m.rm_file(f"{f}/README.md"), "README.md was missing"),
        (lambda m, f: m.pipe_file(f"{f}/data/real.csv", b"x"), "data/real.csv was added"),
        (lambda m, f: m.pipe_file(f"{f}/manifest.json", b"{"), "manifest.json is missing or dam"),
        (
            lambda m, f: m.pipe_file(
                f"{f}/manifest.json",
                m.cat_file(f"{f}/manifest.json").replace(b'"version": "1"', b'"version": "2"'),
            ),
            "manifest.json was changed after publication: it does not have the Merkle root",
        ),
    ],
)
def test_a_damaged_release_is_not_taken_for_an_equal_one(releases, memory, damage, named):
    publish(releases)
    damage(memory, f"{ROOT}/1-abababab")
    with pytest.raises(SynthError, match=named):
        releases.find(DIGEST)


def test_a_signature_arrives_before_the_manifest_and_a_copy_can_be_verified(
    releases, memory, tmp_path
):
    key = make_key(tmp_path)
    published = publish_to(releases, key=key)
    release = f"{ROOT}/{published.version}"
    assert memory.exists(f"{release}/manifest.json.sig")
    releases.verify(published.version)
    copy = tmp_path / published.version
    memory.get(release, str(copy), recursive=True)
    assert verify_release(copy, read_signer(key).public_pem).trusted


def publish_recorded(releases, digest=DIGEST, signer=None, version=None):
    with releases.staging() as draft:
        build(draft, digest)
        version = version or releases.next_version(digest)
        return publish_draft(releases, draft, version, signer)


def test_publication_is_an_event_of_the_ledger(releases, memory):
    first = publish_recorded(releases)
    second = publish_recorded(releases, OTHER_DIGEST)
    events = read_ledger(releases.place())
    assert [(e["event"], e["version"], e["digest"]) for e in events] == [
        ("published", first.version, DIGEST),
        ("published", second.version, OTHER_DIGEST),
    ]
    assert parse_events(memory.cat_file(f"{ROOT}/ledger.json"), "ledger") == events
    assert find_release(releases, {"digest": DIGEST}) == replace(first, new=False)
    assert point_latest(releases, first.version) is True
    assert read_ledger(releases.place()) == events


def test_the_ledger_is_that_of_the_same_releases_in_a_folder(releases, memory, tmp_path):
    folder = FolderStore(tmp_path, "people")
    for store in (releases, folder):
        publish_recorded(store)
        publish_recorded(store, OTHER_DIGEST)
    assert memory.cat_file(f"{ROOT}/ledger.json") == (folder.folder / "ledger.json").read_bytes()


def test_a_name_that_the_ledger_has_is_not_given_again(releases, memory):
    first = publish_recorded(releases)
    memory.rm(f"{ROOT}/{first.version}", recursive=True)
    with pytest.raises(StorageError, match="1-abababab was published before: run again"):
        publish_recorded(releases, version=first.version)
    assert publish_recorded(releases).version == "2-abababab"


def test_what_is_in_the_store_before_its_first_ledger_is_entered(releases):
    publish(releases)
    publish_recorded(releases, OTHER_DIGEST)
    assert [e["version"] for e in read_ledger(releases.place())] == releases.versions()


def test_a_changed_ledger_is_refused_before_any_work(releases, memory):
    publish_recorded(releases)
    forged = memory.cat_file(f"{ROOT}/ledger.json").replace(b"abababab", b"cdcdcdcd")
    memory.pipe_file(f"{ROOT}/ledger.json", forged)
    with pytest.raises(IntegrityError, match=r"people/ledger.json was changed: restore it"):
        find_release(releases, {"digest": DIGEST})
    with pytest.raises(IntegrityError, match=r"people/ledger.json was changed: restore it"):
        publish_recorded(releases, OTHER_DIGEST)


def test_another_release_under_the_same_name_is_refused(releases, memory):
    version = publish_recorded(releases).version
    memory.rm(f"{ROOT}/{version}", recursive=True)
    publish(releases, text="other", version=version)
    with pytest.raises(IntegrityError, match=rf"{version} is not what the ledger says"):
        find_release(releases, {"digest": DIGEST})


def test_the_ledger_is_signed_and_a_forged_one_is_found(releases, memory, tmp_path):
    signer = read_signer(make_key(tmp_path))
    publish_recorded(releases, signer=signer)
    data, signature = (memory.cat_file(f"{ROOT}/ledger.json{end}") for end in ("", ".sig"))
    assert is_signed_by(signer.public_pem, data, signature, "key")
    events = read_ledger(releases.place())
    forged = add_event(events[:-1], {**events[-1], "worst": {"x": 1}})
    memory.pipe_file(f"{ROOT}/ledger.json", ledger_bytes("people", forged))
    with pytest.raises(IntegrityError, match="was changed, or another key has signed it"):
        find_release(releases, {"digest": DIGEST}, signer)


@pytest.mark.parametrize("signed", [False, True])
def test_a_run_that_is_overtaken_in_the_ledger_is_run_again(
    releases, memory, tmp_path, monkeypatch, signed
):
    signer = read_signer(make_key(tmp_path)) if signed else None
    publish_recorded(releases, signer=signer)
    before = memory.cat_file(f"{ROOT}/ledger.json")
    original = MemoryFileSystem.pipe_file

    def overtake(self, path, content, **kwargs):
        original(self, path, content, **kwargs)
        if path.endswith("ledger.json"):  # what another run has read before this one wrote
            original(self, path, before)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", overtake)
        with pytest.raises(TransientError, match=r"ledger.json: another run is writing it: run ag"):
            publish_recorded(releases, OTHER_DIGEST, signer)
    assert find_release(releases, {"digest": OTHER_DIGEST}, signer).version == "2-cdcdcdcd"
    assert [e["version"] for e in read_ledger(releases.place())] == releases.versions()
    assert memory.exists(f"{ROOT}/ledger.json.sig") is signed


def test_latest_moves_and_tells_whether_it_did(releases, memory):
    first, second = publish(releases), publish(releases, OTHER_DIGEST)
    assert latest(memory) == second.version
    assert releases.point_latest(second.version) is False
    assert releases.point_latest(first.version) is True
    assert latest(memory) == first.version


# --- which store a target means -------------------------------------------------------------------


def test_a_path_and_a_file_url_are_folders(tmp_path):
    for target in (str(tmp_path), f"file://{tmp_path}"):
        store = open_store(target, "people")
        assert isinstance(store, FolderStore)
        assert store.folder == tmp_path / "people"
    assert isinstance(open_store("memory://releases/", "people"), RemoteStore)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (
            "s3://id:secret@bucket/folder",
            "publish.to: a URL must not hold user, password or a query",
        ),
        ("https://host/folder?key=secret", "publish.to: a URL must not hold user, password or a"),
        ("magic://bucket", "publish.to: a URL must begin with one of file://, s3://"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_without_its_secrets(target, named):
    with pytest.raises(SpecError, match=named) as caught:
        open_store(target, "people")
    assert "secret" not in str(caught.value)


def test_a_store_that_cannot_be_written_to_is_named(memory, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", refuse)
    with pytest.raises(StorageError, match="cannot publish to memory://releases/people: NotImpl"):
        publish(RemoteStore("memory://releases", "people"))


def test_an_extra_that_is_not_installed_is_named(monkeypatch):
    import synth_tasks.release.locations as locations

    def absent(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(locations, "url_to_fs", absent)
    with pytest.raises(SpecError, match=r"pip install 'prefect-synth\[s3\]'"):
        open_store("s3://bucket/folder", "people")

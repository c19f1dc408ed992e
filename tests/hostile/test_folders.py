"""Links that lead out, and permissions under any umask."""

import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.errors import SynthError
from synth_tasks.files import make_folder, open_private, refuse_links, write_atomically
from synth_tasks.release.approval import Decision, keep_decision, read_decision
from synth_tasks.release.history import update_ledger
from synth_tasks.release.stores import FolderStore
from synth_tasks.release.withdraw import withdraw
from synth_tasks.release.workspace import DatasetRef, Workspace, load_key, load_seed
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.publish import Review, publish, quarantine, record_decision, review
from synth_tasks.tasks.study import results_folder
from tests.hostile.strategies import refused
from tests.release.builders import make_people, make_site, people_spec
from tests.release.published import publish_small
from tests.tasks.releasing import make_release

KEY = bytes(32)
ROOT = Path(__file__).parents[2]


def mode(path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.fixture
def outside(tmp_path):
    """A folder that nothing may be written to or read from."""
    folder = tmp_path / "outside"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["people", "people/stages"])
def test_a_workspace_does_not_follow_a_link(tmp_path, outside, part):
    link = tmp_path / "root" / part
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with refused(rf"{part} is a link: put the folder or file itself there"):
        Workspace(tmp_path / "root", "people", KEY)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A release of confidential data."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(folder / "workspace"))
        target = {"to": str(folder / "releases")}
        return make_release(people_spec(make_site(folder / "site"), publish=target))


DECISION = Decision.today(approved=False, name="Ada", reason="too near")
WRITERS = {
    "reports": lambda context, made: publish(context, made),
    "reviews": lambda context, made: review(context, made),
    "quarantine": lambda context, made: quarantine(
        context, made, Review("a", "", None, True), DECISION
    ),
    "approvals": lambda context, made: record_decision(context, "a", DECISION),
    "study": lambda context, made: results_folder(context, None, "study"),
    "frontier": lambda context, made: results_folder(context, None, "frontier"),
}


@pytest.mark.parametrize("name", list(WRITERS))
def test_no_private_result_is_written_through_a_link(run, tmp_path, outside, monkeypatch, name):
    workspace = run.context.workspace()
    link, kept = workspace.folder / name, tmp_path / "kept"
    if link.exists():
        link.rename(kept)
    link.symlink_to(outside)
    # Elsewhere it is not published yet; results of a seed in the specification are public.
    context = replace(run.context, target=str(tmp_path / "releases"))
    secrets = replace(context.secrets(), public=False)
    monkeypatch.setattr(RunContext, "secrets", lambda self: secrets)
    try:
        with refused(f"{name} is a link: put the folder or file itself there"):
            WRITERS[name](context, run.made)
    finally:
        link.unlink()
        if kept.exists():
            kept.rename(link)


@pytest.mark.parametrize("name", ["approvals", f"approvals/{'a' * 32}.json"])
def test_no_decision_is_read_through_a_link(tmp_path, name):
    workspace = Workspace(tmp_path / "root", "people", KEY)
    keep_decision(workspace, "a" * 32, DECISION)
    (workspace.folder / name).rename(tmp_path / "moved")
    (workspace.folder / name).symlink_to(tmp_path / "moved")
    with refused("is a link"):
        read_decision(workspace, "a" * 32)


@pytest.mark.parametrize("name", ["secrets.json", "secrets.lock"])
@pytest.mark.parametrize("dangling", [True, False])
def test_secrets_are_not_read_or_written_through_a_link(tmp_path, name, dangling):
    other = tmp_path / "other.json"
    if not dangling:
        other.write_text('{"key": "00", "seed": "1"}')
    folder = tmp_path / "root" / "people"
    folder.mkdir(parents=True)
    (folder / name).symlink_to(other)
    for load in (load_key, lambda *a: load_seed(*a, lambda: 5)):
        with pytest.raises(SynthError):
            load(tmp_path / "root", "people")
    assert other.exists() is not dangling


def test_a_lock_is_not_made_through_a_link(tmp_path, outside):
    workspace = Workspace(tmp_path / "root", "people", KEY)
    (workspace.folder / "lock").symlink_to(outside / "lock")
    with refused("lock"), workspace.lock():
        pass


def test_a_table_is_not_read_from_elsewhere(tmp_path):
    people = make_people(30)[["hgt"]]
    schema = infer_schema(people)
    workspace = Workspace(tmp_path / "root", "people", KEY)
    ref = workspace.write_table(
        workspace.folder / "stages" / "t", np.asfortranarray(people.to_numpy(float)), schema
    )
    moved = (workspace.folder / "stages" / "t").rename(tmp_path / "t")
    with refused("a reference leads out of the workspace"):
        workspace.read_table(DatasetRef(str(moved), ref.sha256, 30, 1))
    up = workspace.folder / "stages" / ".." / ".." / ".." / "t"
    with refused("a reference leads out of the workspace"):
        workspace.read_table(DatasetRef(str(up), ref.sha256, 30, 1))
    Path(ref.path).symlink_to(moved)
    with refused("is a link"):
        workspace.read_table(ref)


def test_a_release_is_not_published_through_a_link(tmp_path, outside):
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "people").symlink_to(outside)
    with refused("people is a link"):
        publish_small(tmp_path / "releases")


def test_latest_may_lead_anywhere_but_is_only_replaced(tmp_path, outside):
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "latest").symlink_to(outside)
    published = publish_small(tmp_path)
    assert os.readlink(tmp_path / "people" / "latest") == published.version


def test_a_version_that_is_a_link_is_no_version(tmp_path, outside):
    publish_small(tmp_path)
    (tmp_path / "people" / "7-aaaaaaaa").symlink_to(outside)
    releases = FolderStore(tmp_path, "people")
    assert [v[0] for v in releases.versions()] == ["1"]
    assert len(update_ledger(releases)) == 1


def test_withdrawing_does_not_remove_what_a_link_leads_to(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    folder = publish_small(tmp_path).folder
    (folder / "link").symlink_to(kept)
    withdraw(folder, reason="wrong", name="me")
    assert (kept / "file").read_text() == "x"
    assert not os.path.lexists(folder / "link")


def test_a_path_below_a_root_is_free_of_links_or_refused(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    refuse_links(tmp_path, tmp_path / "a" / "b" / "absent")
    (tmp_path / "a" / "l").symlink_to("b")
    with refused("l is a link"):
        refuse_links(tmp_path, tmp_path / "a" / "l" / "c")
    (tmp_path / "root").symlink_to(tmp_path / "a")
    refuse_links(tmp_path / "root", tmp_path / "root" / "b")


# --- permissions ----------------------------------------------------------------------------------

ALL = """
import os, sys
from pathlib import Path
import numpy as np
from synth_tasks.data import infer_schema
from synth_tasks.release.workspace import Workspace, load_key, load_seed
from synth_tasks.release.withdraw import withdraw
from tests.release.builders import make_people
from tests.release.published import publish_small
from synth_tasks.release.source_code import stage_digest
stage_digest()
root, user = Path(sys.argv[2]), int(sys.argv[3])
if user:  # only now: the interpreter may lie where nobody but its owner can read it
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
os.umask(int(sys.argv[1], 8))
key = load_key(root / "w", "people")
load_seed(root / "w", "people", lambda: 5)
load_seed(root / "w", "people", lambda: 6)
workspace = Workspace(root / "w", "people", key)
people = make_people(30)[["hgt"]]
matrix, schema = np.asfortranarray(people.to_numpy(float)), infer_schema(people)
def compute(folder):
    return {"ref": workspace.write_table(folder / "t.parquet", matrix, schema)}
for _ in range(2):
    result, _ = workspace.run_stage("raw", [], compute)
    workspace.read_table(result["ref"])
    with workspace.lock():
        pass
for number in (1, 2):
    last = publish_small(root / "r", number)
withdraw(last.folder, reason="wrong", name="me")
"""


@pytest.mark.parametrize("mask", ["0", "022", "077", "777"])
@pytest.mark.parametrize("user", [0, 65534])
def test_modes_hold_under_any_umask_and_for_users_without_privileges(mask, user):
    if user and os.getuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, user or -1, user or -1)
        done = subprocess.run(
            [sys.executable, "-c", ALL, mask, name, str(user)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        private, public = Path(name) / "w", Path(name) / "r"
        for path in [private, *private.rglob("*")]:
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path
        for path in [public, *public.rglob("*")]:
            if not path.is_symlink():
                assert mode(path) == (0o755 if path.is_dir() else 0o644), path
        assert (public / "people" / "ledger.json").is_file()
        assert (private / "people" / "secrets.json").is_file()


@pytest.fixture(params=[0o000, 0o077, 0o777])
def _umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_files_and_folders_have_the_modes_that_were_asked_for(tmp_path):
    make_folder(tmp_path / "a" / "b", 0o750)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o750, 0o750)
    write_atomically(tmp_path / "a" / "f", lambda file: file.write(b"x"), mode=0o640)
    assert mode(tmp_path / "a" / "f") == 0o640
    os.close(open_private(tmp_path / "a" / "p", os.O_RDWR))
    assert mode(tmp_path / "a" / "p") == 0o600


def test_a_private_file_that_others_could_read_is_closed_to_them(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o666)
    os.close(open_private(tmp_path / "f", os.O_RDWR))
    assert mode(tmp_path / "f") == 0o600


def test_a_private_file_is_not_opened_through_a_link(tmp_path):
    (tmp_path / "l").symlink_to(tmp_path / "f")
    with pytest.raises(OSError, match="symbolic links"):
        open_private(tmp_path / "l", os.O_RDWR)
    assert not (tmp_path / "f").exists()

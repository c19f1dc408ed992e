import hashlib
import json
import multiprocessing
import os
import pickle
import signal
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.errors import StorageError, SynthError
from synth_tasks.files import file_sha256
from synth_tasks.release.workspace import (
    DatasetRef,
    Secrets,
    Workspace,
    check_places,
    load_key,
    load_seed,
    workspace_root,
)
from tests.release.builders import make_people

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "root", "people", KEY)


def modes(folder) -> dict[str, int]:
    return {
        p.relative_to(folder).as_posix(): stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*")
    }


# --- digests --------------------------------------------------------------------------------------


def test_digests_are_keyed(tmp_path, workspace):
    other = Workspace(tmp_path / "root", "people", OTHER_KEY)
    assert workspace.digest("a", "b") == workspace.digest("a", "b")
    assert workspace.digest("a", "b") != other.digest("a", "b")
    assert workspace.digest("a", "b") != workspace.digest("ab")
    plain = hashlib.sha256(json.dumps(["a", "b"]).encode()).hexdigest()
    assert workspace.digest("a", "b") != plain


def test_a_fingerprint_tells_values_names_types_and_order_apart(workspace):
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": [3.0, 4.0, 5.0]})

    def fingerprint(table: pd.DataFrame) -> str:
        schema = infer_schema(table)
        return workspace.fingerprint(encode(table, schema), schema)

    variants = [
        frame,
        frame.assign(b=[3.0, 4.0, 5.5]),
        frame.rename(columns={"b": "c"}),
        frame.astype({"b": "int64"}),
        frame[["b", "a"]],
        frame.iloc[::-1],
    ]
    assert fingerprint(frame) == fingerprint(frame.copy())
    assert len({fingerprint(v) for v in variants}) == len(variants)


# --- tables and objects ---------------------------------------------------------------------------


def test_a_table_comes_back_as_it_was(workspace):
    people = make_people().convert_dtypes().astype({"region": "category"})
    schema = infer_schema(people)
    ref = workspace.write_table(workspace.folder / "t.parquet", encode(people, schema), schema)
    matrix, found = workspace.read_table(ref)
    assert (ref.rows, ref.columns) == people.shape
    assert found == schema
    np.testing.assert_array_equal(matrix, encode(people, schema))
    pd.testing.assert_frame_equal(workspace.read_frame(ref), people, check_exact=True)


def test_a_reference_holds_no_plain_hash_of_the_file(workspace):
    ref = workspace.write_object(workspace.folder / "o", [1, 2])
    assert ref.sha256 != file_sha256(workspace.folder / "o")
    assert workspace.read_object(ref) == [1, 2]


def test_a_changed_file_is_detected_before_it_is_read(workspace):
    ref = workspace.write_object(workspace.folder / "o", [1, 2])
    executed = workspace.folder / "executed"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(executed),)

    (workspace.folder / "o").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(SynthError, match="was changed: delete its folder and run again"):
        workspace.read_object(ref)
    assert not executed.exists()


def test_a_changed_table_is_detected(workspace):
    schema = infer_schema(pd.DataFrame({"a": [1.0, 2.0]}))
    path = workspace.folder / "t.parquet"
    ref = workspace.write_table(path, np.array([[1.0], [2.0]]), schema)
    workspace.write_table(path, np.array([[1.0], [3.0]]), schema)
    with pytest.raises(SynthError, match="was changed"):
        workspace.read_table(ref)


def test_a_file_of_another_key_is_not_read(tmp_path, workspace):
    ref = workspace.write_object(workspace.folder / "o", [1])
    with pytest.raises(SynthError, match="was changed"):
        Workspace(tmp_path / "root", "people", OTHER_KEY).read_object(ref)


def test_a_lost_file_is_a_storage_error(workspace):
    with pytest.raises(StorageError, match=r"cannot read from the workspace .*gone"):
        workspace.read_object(DatasetRef(str(workspace.folder / "gone"), "", 0, 0))


# --- stages ---------------------------------------------------------------------------------------


def stages(workspace) -> list[str]:
    return sorted(p.name for p in (workspace.folder / "stages").iterdir())


class Counted:
    """Counts how often a stage is computed."""

    def __init__(self, workspace):
        self.workspace, self.times = workspace, 0

    def __call__(self, folder):
        self.times += 1
        assert os.listdir(folder) == []
        return {"ref": self.workspace.write_object(folder / "o", [1, 2])}


def test_a_stage_is_computed_once_for_equal_inputs(workspace):
    compute = Counted(workspace)
    first, reused = workspace.run_stage("fit", ["a", "b"], compute)
    again, reused_again = workspace.run_stage("fit", ["a", "b"], compute)
    assert (reused, reused_again, compute.times) == (False, True, 1)
    assert first == again
    assert workspace.read_object(again["ref"]) == [1, 2]


def test_other_inputs_another_name_or_another_key_compute_again(tmp_path, workspace):
    compute = Counted(workspace)
    other = Workspace(tmp_path / "root", "people", OTHER_KEY)
    for target, stage, inputs in [
        (workspace, "fit", ["a", "b"]),
        (workspace, "fit", ["ab"]),
        (workspace, "draw", ["a", "b"]),
        (other, "fit", ["a", "b"]),
    ]:
        assert target.run_stage(stage, inputs, compute)[1] is False
    assert compute.times == 4
    assert len(stages(workspace)) == 4


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_stage_leaves_nothing_and_can_be_repeated(workspace, error):
    def fail(folder):
        (folder / "half").write_text("x")
        raise error

    with pytest.raises(error):
        workspace.run_stage("fit", ["a"], fail)
    assert stages(workspace) == []
    assert workspace.run_stage("fit", ["a"], Counted(workspace))[1] is False


def test_a_result_that_is_no_json_leaves_nothing(workspace):
    with pytest.raises(TypeError):
        workspace.run_stage("fit", ["a"], lambda folder: {"value": object()})
    assert stages(workspace) == []


def test_a_stage_is_visible_only_when_it_is_complete(workspace):
    def look(folder):
        (folder / "half").write_text("x")
        assert [name for name in stages(workspace) if not name.startswith(".")] == []
        return {}

    result, _ = workspace.run_stage("fit", ["a"], look)
    assert os.listdir(os.path.dirname(result["folder"])) == stages(workspace)
    assert sorted(os.listdir(result["folder"])) == ["half", "result.json"]


def test_what_a_killed_run_left_behind_is_not_taken_for_a_result(workspace):
    def die(folder):
        (folder / "half").write_text("x")
        os.kill(os.getpid(), signal.SIGKILL)

    child = FORK.Process(target=workspace.run_stage, args=("fit", ["a"], die))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert [name[0] for name in stages(workspace)] == ["."]
    assert workspace.run_stage("fit", ["a"], Counted(workspace))[1] is False


def test_runs_of_one_stage_at_the_same_time_end_with_one_result(workspace):
    together = threading.Barrier(4)

    def compute(folder):
        together.wait()
        # The files of the runs differ, as pickles may; every run must refer to the one that is kept.
        ref = workspace.write_object(folder / "o", threading.get_ident())
        together.wait()
        return {"ref": ref}

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(workspace.run_stage, "fit", ["a"], compute) for _ in range(4)]
        found = [run.result() for run in runs]
    assert len(stages(workspace)) == 1
    assert sorted(reused for _, reused in found) == [False, True, True, True]
    values = {workspace.read_object(r["ref"]) for r, _ in found}
    assert len(values) == 1


def test_everything_in_the_workspace_is_private(tmp_path):
    before = os.umask(0)
    try:
        workspace = Workspace(tmp_path / "root", "people", KEY)
        load_seed(tmp_path / "root", "people", lambda: 1)
        with workspace.lock():
            workspace.run_stage("fit", ["a"], Counted(workspace))
    finally:
        os.umask(before)
    found = modes(tmp_path)
    assert len(found) == 9
    for name, mode in found.items():
        assert mode == (0o700 if (tmp_path / name).is_dir() else 0o600), name


def test_purge_keeps_seed_key_and_reports(workspace):
    root = workspace.folder.parent
    seed, key = load_seed(root, "people", lambda: 42), load_key(root, "people")
    (workspace.folder / "reports").mkdir()
    (workspace.folder / "reports" / "report.html").write_text("private")
    compute = Counted(workspace)
    workspace.run_stage("fit", ["a"], compute)
    workspace.purge()
    assert stages(workspace) == []
    assert (load_seed(root, "people", lambda: 43), load_key(root, "people")) == (seed, key)
    assert (workspace.folder / "reports" / "report.html").read_text() == "private"
    workspace.run_stage("fit", ["a"], compute)
    assert compute.times == 2


# --- lock -----------------------------------------------------------------------------------------


def hold(root, pipe):
    with Workspace(root, "people", KEY).lock():
        pipe.send("locked")
        pipe.recv()


@pytest.fixture
def holder(tmp_path, workspace):
    """Another process that holds the lock."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=hold, args=(tmp_path / "root", theirs))
    process.start()
    assert ours.poll(30)
    yield process
    process.kill()
    process.join()


def test_a_second_run_is_refused_and_the_first_is_not_disturbed(holder, workspace):
    expected = "another run is working on 'people': wait until it has ended"
    with pytest.raises(SynthError, match=expected), workspace.lock():
        pass
    assert holder.is_alive()


def test_other_data_sets_are_not_locked(holder, tmp_path):
    with Workspace(tmp_path / "root", "others", KEY).lock():
        pass


def test_the_lock_goes_with_the_process(holder, workspace):
    holder.kill()
    holder.join()
    with workspace.lock():
        pass


def test_the_lock_is_released_after_an_error(workspace):
    with pytest.raises(RuntimeError), workspace.lock():
        raise RuntimeError
    with workspace.lock():
        pass


# --- where it may be ------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", ["", "private", "private/deep"])
@pytest.mark.parametrize("git", ["folder", "file"])
def test_a_workspace_in_a_repository_is_refused(tmp_path, inner, git):
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / ".git").mkdir() if git == "folder" else (repository / ".git").write_text(
        "gitdir:"
    )
    with pytest.raises(SynthError, match=r"lies in the repository .*: set SYNTH_WORKSPACE"):
        check_places(repository / inner, tmp_path / "releases")


def test_a_link_into_a_repository_is_refused(tmp_path):
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "repository")
    with pytest.raises(SynthError, match="lies in the repository"):
        check_places(tmp_path / "link" / "private", tmp_path / "releases")


@pytest.mark.parametrize(
    ("root", "target"), [("a", "a"), ("a/b", "a"), ("a", "a/b"), ("x/../a/b/c", "a")]
)
def test_workspace_and_target_must_not_lie_in_each_other(tmp_path, root, target):
    with pytest.raises(SynthError, match="lie in each other: set SYNTH_WORKSPACE"):
        check_places(tmp_path / root, tmp_path / target)


def test_neighbours_are_fine(tmp_path):
    check_places(tmp_path / "releases-private", tmp_path / "releases")


def test_the_root_comes_from_the_environment_else_from_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path))
    assert workspace_root() == tmp_path
    monkeypatch.delenv("SYNTH_WORKSPACE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert workspace_root() == tmp_path / "data" / "prefect-synth"


def test_a_root_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot make the workspace .*file/people"):
        Workspace(tmp_path / "file", "people", KEY)


# --- secrets --------------------------------------------------------------------------------------


def test_seed_and_key_are_made_once_and_kept_privately(tmp_path):
    seeds = iter([5, 6])
    assert [load_seed(tmp_path, "people", lambda: next(seeds)) for _ in range(2)] == [5, 5]
    key = load_key(tmp_path, "people")
    assert len(key) == 32
    assert load_key(tmp_path, "people") == key
    assert load_seed(tmp_path, "people", lambda: next(seeds)) == 5
    assert load_key(tmp_path, "others") != key
    path = tmp_path / "people" / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_first_runs_at_the_same_time_agree_on_one_key(tmp_path):
    together = threading.Barrier(8)

    def load():
        together.wait()
        return load_key(tmp_path, "people")

    with ThreadPoolExecutor(8) as pool:
        assert len({run.result() for run in [pool.submit(load) for _ in range(8)]}) == 1


def test_secrets_do_not_show_themselves():
    secrets = Secrets(918273645, KEY, "environment", False, KEY)
    assert "918273645" not in repr(secrets)
    assert KEY.hex() not in repr(secrets)
    assert "kkkk" not in str(secrets)

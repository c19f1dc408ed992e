"""The private workspace: where everything confidential stays.

Layout, for each data set: ``secrets.json`` (seed and key), ``stages/<stage>-<digest>/`` (results of
finished stages), ``reports/<version>/`` (reports with aggregates of the real data). Folders have mode
0700, files 0600. A stage folder appears at once when the stage is finished, so a killed run resumes at
the first stage that is not there.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import pickle
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import platformdirs
import pyarrow as pa
import pyarrow.parquet as pq

from synth_tasks.data import Schema, decode
from synth_tasks.errors import StorageError, SynthError
from synth_tasks.files import (
    file_sha256,
    make_private_folder,
    open_private,
    readable_errors,
    refuse_links,
    sync,
    write_atomically,
)
from synth_tasks.release.source_code import stage_digest

RESULT_FILE = "result.json"
REFERENCE = "dataset reference"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A reference to a file in the workspace; what tasks pass on instead of rows.

    Parameters
    ----------
    path : str
        The file.
    sha256 : str
        Its hash, keyed with the secret of the workspace, so that it says nothing about the data.
    rows, columns : int
        Size of the table.
    """

    path: str
    sha256: str
    rows: int
    columns: int


class Workspace:
    """The private folder of one data set.

    Parameters
    ----------
    root : Path
        Folder of all workspaces.
    dataset : str
        Name of the data set.
    key : bytes
        Secret that all published and logged digests are keyed with.
    """

    def __init__(self, root: Path, dataset: str, key: bytes) -> None:
        self.folder = root / dataset
        self._key = key
        refuse_links(root, self.folder / "stages")
        with readable_errors("make the workspace", self.folder):
            make_private_folder(self.folder / "stages")
            self.folder.chmod(0o700)

    def private(self, *names: str) -> Path:
        """Return a private folder in the workspace; it is made if it is not there.

        Parameters
        ----------
        *names : str
            The way to it, e.g. ``("reports", "1-0a1b2c3d")``.

        Returns
        -------
        Path

        Raises
        ------
        StorageError
            If a link on the way could lead out of the workspace, or it cannot be made.
        """
        folder = self.folder.joinpath(*names)
        refuse_links(self.folder, folder)
        with readable_errors("make the private folder", folder):
            make_private_folder(folder)
        return folder

    # --- digests ---------------------------------------------------------------------------------

    def digest(self, *parts: str) -> str:
        """Return a keyed hash of texts: equal parts give equal digests, guesses cannot be tested."""
        message = json.dumps(parts).encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def fingerprint(self, matrix: np.ndarray, schema: Schema) -> str:
        """Return a keyed hash of a table: its values, names, types and order."""
        content = hashlib.sha256(np.asarray(matrix, dtype="<f8").tobytes(order="F"))
        content.update(json.dumps([list(matrix.shape), schema.to_dict()]).encode())
        return self.digest("data", content.hexdigest())

    # --- tables ----------------------------------------------------------------------------------

    def write_table(self, path: Path, matrix: np.ndarray, schema: Schema) -> DatasetRef:
        """Write an encoded table and its schema as Parquet; see `read_table`."""
        columns = {name: pa.array(matrix[:, i]) for i, name in enumerate(schema.names)}
        table = pa.table(columns).replace_schema_metadata({"schema": json.dumps(schema.to_dict())})
        write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))
        return self.refer(path, *matrix.shape)

    def refer(self, path: Path, rows: int, columns: int) -> DatasetRef:
        """Return a reference to a table that was written to the workspace."""
        return DatasetRef(str(path), self._file_digest(path), rows, columns)

    def read_table(
        self, ref: DatasetRef, columns: Sequence[str] | None = None
    ) -> tuple[np.ndarray, Schema]:
        """Read an encoded table back, after making sure that the file is what was written.

        Parameters
        ----------
        ref : DatasetRef
            The table.
        columns : sequence of str, optional
            Which of its columns, in the order of the table; all if not given.
        """
        self._check(ref)
        table = pq.read_table(ref.path, columns=None if columns is None else list(columns))
        schema = Schema.from_dict(json.loads(table.schema.metadata[b"schema"]))
        if columns is not None:
            schema = schema.only(columns)
        matrix = np.empty((table.num_rows, len(schema)), order="F")
        for i, name in enumerate(schema.names):
            matrix[:, i] = table.column(name).to_numpy()
        return matrix, schema

    def read_schema(self, ref: DatasetRef) -> Schema:
        """Read the description of a table alone."""
        self._check(ref)
        metadata = pq.read_schema(ref.path).metadata
        return Schema.from_dict(json.loads(metadata[b"schema"]))

    def read_frame(self, ref: DatasetRef) -> pd.DataFrame:
        """Read a table with its dtypes and categories."""
        return decode(*self.read_table(ref))

    def write_object(self, path: Path, value: object) -> DatasetRef:
        """Write a fitted object; it holds donors and never leaves the workspace."""
        write_atomically(path, lambda file: pickle.dump(value, file, protocol=5))
        return DatasetRef(str(path), self._file_digest(path), 0, 0)

    def read_object(self, ref: DatasetRef) -> Any:
        """Read an object back, after making sure that the file is what this workspace wrote."""
        self._check(ref)
        with open(ref.path, "rb") as file:
            return pickle.load(file)  # noqa: S301  (authenticated by the keyed hash above)

    def _file_digest(self, path: Path) -> str:
        return self.digest("file", file_sha256(path))

    def _check(self, ref: DatasetRef) -> None:
        path = Path(ref.path)
        if not path.is_relative_to(self.folder) or ".." in path.parts:
            raise SynthError("a reference leads out of the workspace: run again from the start")
        refuse_links(self.folder, path)
        with readable_errors("read from the workspace", ref.path):
            intact = hmac.compare_digest(self._file_digest(Path(ref.path)), ref.sha256)
        if not intact:
            raise SynthError(
                f"workspace file {ref.path} was changed: delete its folder and run again"
            )

    # --- stages ----------------------------------------------------------------------------------

    def run_stage(
        self, stage: str, inputs: list[str], compute: Callable[[Path], dict[str, Any]]
    ) -> tuple[dict[str, Any], bool]:
        """Compute a stage, or return what an earlier run with the same inputs has left.

        Parameters
        ----------
        stage : str
            Name of the stage.
        inputs : list of str
            Digests and settings that decide the result; the version of the code is added here.
        compute : callable
            Gets an empty folder for its files and returns a JSON-ready result, which may hold a
            `DatasetRef` to any of them.

        Returns
        -------
        result : dict
            What `compute` returned, with ``"folder"`` added.
        reused : bool
            Whether it was there already.
        """
        folder = (
            self.folder / "stages" / f"{stage}-{self.digest(stage, stage_digest(), *inputs)[:24]}"
        )
        done = folder / RESULT_FILE
        if done.is_file():
            return _finished(folder), True
        draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
        with readable_errors("write to the workspace", self.folder):
            make_private_folder(draft)
            try:
                result = compute(draft)
                text = json.dumps(result, sort_keys=True, default=_encode)
                write_atomically(draft / RESULT_FILE, lambda file: file.write(text.encode()))
                os.rename(draft, folder)
                sync(folder.parent)
            except BaseException as error:
                shutil.rmtree(draft, ignore_errors=True)
                if not isinstance(error, OSError) or not done.is_file():
                    raise
                # A run at the same time was faster; its files, not ours, are what is referred to.
                return _finished(folder), True
        return _finished(folder), False

    def purge(self) -> None:
        """Remove all intermediate files; seed, key and private reports stay."""
        with readable_errors("remove confidential files from", self.folder / "stages"):
            shutil.rmtree(self.private("stages"))
        self.private("stages")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one run at a time work on the data set; the lock goes with the process."""
        with readable_errors("lock", self.folder / "lock"):
            file = _open_lock(self.folder / "lock")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SynthError(
                    f"another run is working on '{self.folder.name}': wait until it has ended"
                ) from None
            yield


def _finished(folder: Path) -> dict[str, Any]:
    """Read the result of a stage; its references point into the folder under its present name."""

    def restore(item: dict[str, Any]) -> Any:
        if REFERENCE not in item:
            return item
        stored = item[REFERENCE]
        return DatasetRef(**{**stored, "path": str(folder / stored["path"])})

    result = json.loads((folder / RESULT_FILE).read_text(), object_hook=restore)
    return {**result, "folder": str(folder)}


def _encode(value: object) -> dict[str, Any]:
    """Write a reference with its file name only: the folder of a stage is renamed when it is done."""
    if not isinstance(value, DatasetRef):
        raise TypeError(f"a {type(value).__name__} cannot be the result of a stage")
    return {REFERENCE: {**asdict(value), "path": Path(value.path).name}}


# --- finding and opening --------------------------------------------------------------------------


def workspace_root() -> Path:
    """Return the folder of all workspaces: ``SYNTH_WORKSPACE``, or the user's data folder."""
    given = os.environ.get("SYNTH_WORKSPACE")
    return Path(given) if given else Path(platformdirs.user_data_dir("prefect-synth"))


def check_places(root: Path, target: Path | None) -> None:
    """Refuse places where a release cannot or must not be made, before anything is started.

    These are folders that cannot be written to, a workspace inside a repository or a release target,
    and a target inside a workspace: confidential files must not be a ``git add .`` or an upload away
    from being published.

    Parameters
    ----------
    root : Path
        Folder of all workspaces.
    target : Path or None
        Folder of all releases; None if they go to another machine.
    """
    root = root.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            raise SynthError(
                f"the workspace {root} lies in the repository {folder}: set SYNTH_WORKSPACE to a "
                "private folder outside"
            )
    places = {"workspace": root}
    if target is not None:
        target = places["release target"] = target.resolve()
        if root == target or target in root.parents or root in target.parents:
            raise SynthError(
                f"workspace {root} and release target {target} lie in each other: set "
                "SYNTH_WORKSPACE to a private folder elsewhere"
            )
    for name, place in places.items():
        existing = next(p for p in (place, *place.parents) if p.exists())
        if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
            raise StorageError(f"the {name} {place} cannot be made: {existing} is not writable")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Seed and key of a data set. They never leave the workspace, but for a seed of public data.

    Parameters
    ----------
    seed : int
        Root of all random numbers.
    key : bytes
        Key of all digests.
    origin : str
        Where the seed comes from, in words.
    public : bool
        Whether the seed is written in the spec, for public data.
    salt : bytes
        Of the commitment to the seed; empty if the seed is public.
    """

    seed: int
    key: bytes
    origin: str
    public: bool
    salt: bytes

    def __repr__(self) -> str:
        return f"Secrets(origin={self.origin!r})"


def load_key(root: Path, dataset: str) -> bytes:
    """Return the key of a workspace; it is made when first asked for."""
    return bytes.fromhex(_stored(root, dataset, "key", lambda: secrets.token_hex(KEY_BYTES)))


def load_seed(root: Path, dataset: str, draw: Callable[[], int]) -> int:
    """Return the seed kept in a workspace; it is drawn when first asked for."""
    return int(_stored(root, dataset, "seed", lambda: str(draw())))


def _stored(root: Path, dataset: str, name: str, make: Callable[[], str]) -> str:
    folder = root / dataset
    path = folder / "secrets.json"
    refuse_links(root, path)
    with readable_errors("use the workspace", folder):
        make_private_folder(folder)
        # Two first runs at the same time must not make two keys.
        with _open_lock(folder / "secrets.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = json.loads(path.read_text()) if path.exists() else {}
            if name not in content:
                content[name] = make()
                text = json.dumps(content, sort_keys=True)
                write_atomically(path, lambda file: file.write(text.encode()))
    return str(content[name])


def _open_lock(path: Path) -> IO[str]:
    return os.fdopen(open_private(path, os.O_RDWR), "r+")

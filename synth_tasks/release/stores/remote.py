"""Releases in a store without renames, such as S3: the manifest, written last, makes one visible.

<url>/<dataset>/<version>/         the same files as in a folder; no release without manifest.json
<url>/<dataset>/latest.json        {"version": ...}, replaced after the manifest is there
<url>/<dataset>/.upload-<version>  claim of the run that is uploading a version
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from synth_tasks.errors import SynthError, TransientError
from synth_tasks.files import CHUNK
from synth_tasks.release.bundle import verify
from synth_tasks.release.integrity import (
    MANIFEST,
    SIGNATURE,
    check_files,
    check_root,
    list_files,
    parse_manifest,
)
from synth_tasks.release.locations import open_location, readable_store
from synth_tasks.release.stores.base import STALE_SECONDS, Published, ReleaseStore

LATEST = "latest.json"
# Names with slashes need no folders there, and asking for one might make a bucket.
FLAT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"})
CLAIM = ".upload-"


class RemoteStore(ReleaseStore):
    """All releases of one data set below a URL.

    A version is claimed by a file that only one run can create, its files are uploaded and compared,
    and its manifest is created last. A killed upload leaves a claim, whose files a later run removes
    when it is a day old; its version is never used again.

    Parameters
    ----------
    target : str
        URL of the releases of all data sets, as fsspec knows it.
    dataset : str
        Name of the data set.
    options : mapping of str to str, optional
        Options of the file system, credentials among them.
    """

    def __init__(self, target: str, dataset: str, options: Mapping[str, str] | None = None) -> None:
        self.url = f"{target.rstrip('/')}/{dataset}"
        self._files, root = open_location(self.url, "publish.to", options)
        self._root = root.rstrip("/")
        self._is_flat = target.partition("://")[0] in FLAT

    def location(self, version: str) -> str:
        """Return the URL of a version."""
        return f"{self.url}/{version}"

    def _complete(self) -> list[str]:
        with readable_store("read", self.url):
            names = self._list()
            return [name for name in names if self._files.exists(self._at(name, MANIFEST))]

    def _taken(self) -> list[str]:
        with readable_store("read", self.url):
            return [name.removeprefix(CLAIM) for name in self._list()]

    def manifest(self, version: str) -> dict[str, Any]:
        """Read the manifest of a version."""
        return parse_manifest(self._manifest_bytes(version), f"{self.location(version)}/{MANIFEST}")

    def verify(self, version: str) -> None:
        """Raise an error if a version is not exactly what its manifest says."""
        location, data = self.location(version), self._manifest_bytes(version)
        manifest = parse_manifest(data, f"{location}/{MANIFEST}")
        check_files(manifest["files"], self._checksums(version), location)
        check_root(manifest, data, location)

    def _manifest_bytes(self, version: str) -> bytes:
        """Read a manifest as it is stored; nothing, which is no manifest, if it is not there."""
        return self._read(self._at(version, MANIFEST)) or b""

    def _checksums(self, version: str) -> dict[str, dict[str, Any]]:
        with readable_store("read", self.location(version)):
            return {
                name: {"bytes": size, "sha256": self._sha256(self._at(version, name))}
                for name, size in self._sizes(version).items()
                if name not in (MANIFEST, SIGNATURE)
            }

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder of this machine to build in; it is removed in any case."""
        with readable_store("publish to", self.url):
            self._remove_stale_uploads()
        with tempfile.TemporaryDirectory(prefix="synth-release-") as folder:
            yield Path(folder)

    def commit(self, draft: Path, version: str) -> Published:
        """Verify a draft, upload it, make it visible by its manifest, and move `latest` to it."""
        verify(draft)
        with readable_store("publish to", self.url):
            self._claim(version)
            try:
                self._upload(draft, version)
                self._create(self._at(version, MANIFEST), (draft / MANIFEST).read_bytes())
                self._check_arrived(draft, version)
            except BaseException:
                # The error that stopped the upload counts, not one of tidying up after it.
                with suppress(Exception):
                    self._discard(version)
                raise
            with suppress(FileNotFoundError):  # by a run that took it for a killed one's
                self._files.rm_file(self._at(CLAIM + version))
            self.point_latest(version)
        return Published(self.location(version), version, new=True)

    def point_latest(self, version: str) -> bool:
        """Let `latest.json` name a version; return whether it named another before."""
        path = self._at(LATEST)
        content = (json.dumps({"version": version}) + "\n").encode()
        if self._read(path) == content:
            return False
        with readable_store("write", f"{self.url}/{LATEST}"):
            self._files.pipe_file(path, content)
        return True

    # --- uploading --------------------------------------------------------------------------------

    def _claim(self, version: str) -> None:
        """Make sure that no other run uploads the same version."""
        if self._sizes(version):
            raise TransientError(f"{self.location(version)} is there already: run again")
        self._create(self._at(CLAIM + version), json.dumps({"started": time.time()}).encode())

    def _create(self, path: str, content: bytes) -> None:
        self._make_parent(path)
        try:
            self._files.pipe_file(path, content, mode="create")
        except FileExistsError:
            raise TransientError(f"{self.url}: another run is publishing: run again") from None

    def _upload(self, draft: Path, version: str) -> None:
        """Upload all files but the manifest, and compare what has arrived."""
        files = sorted(name for name in list_files(draft) if name != MANIFEST)
        expected = {name: (draft / name).stat().st_size for name in files}
        for name in expected:
            path = self._at(version, name)
            self._make_parent(path)
            self._files.put_file(str(draft / name), path)
        if self._sizes(version) != expected:
            raise TransientError(f"{self.location(version)} has not arrived whole: run again")

    def _check_arrived(self, draft: Path, version: str) -> None:
        """Make sure that nothing was removed before the manifest was there.

        A run whose clock is a day ahead takes this one for a killed one. From the manifest on nobody
        removes a file; if one has gone, the manifest goes too, and with it the release.
        """
        if self._sizes(version) != {n: (draft / n).stat().st_size for n in list_files(draft)}:
            self._files.rm_file(self._at(version, MANIFEST))
            raise TransientError(f"{self.location(version)} has not stayed whole: run again")

    def _remove_stale_uploads(self) -> None:
        """Remove what killed runs have left; an upload of a living run is never a day old."""
        for name in self._list():
            if name.startswith(CLAIM) and self._is_stale(self._at(name)):
                self._discard(name.removeprefix(CLAIM))

    def _is_stale(self, claim: str) -> bool:
        try:
            started = float(json.loads(self._read(claim) or b"")["started"])
        except (ValueError, KeyError, TypeError):
            raise SynthError(f"{self.url}: {claim} is no claim of a run: remove it") from None
        return time.time() - started > STALE_SECONDS

    def _discard(self, version: str) -> None:
        """Remove a claim, and its files unless they have become a release."""
        self._files.invalidate_cache()
        if not self._files.exists(self._at(version, MANIFEST)):
            for name in self._sizes(version):
                self._files.rm_file(self._at(version, name))
        self._files.rm_file(self._at(CLAIM + version))

    # --- files ------------------------------------------------------------------------------------

    def _at(self, *names: str) -> str:
        return "/".join([self._root, *names])

    def _make_parent(self, path: str) -> None:
        if not self._is_flat:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)

    def _list(self) -> list[str]:
        """Name what is directly below the URL, as it is now."""
        self._files.invalidate_cache()
        try:
            paths = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def _sizes(self, version: str) -> dict[str, int]:
        """Return the size of every file of a version by relative path; nothing if there is none."""
        self._files.invalidate_cache()
        prefix = self._at(version)
        found = self._files.find(prefix, detail=True)
        return {path.removeprefix(f"{prefix}/"): item["size"] for path, item in found.items()}

    def _read(self, path: str) -> bytes | None:
        self._files.invalidate_cache()
        with readable_store("read", f"{self.url}/{path.rpartition('/')[2]}"):
            try:
                return bytes(self._files.cat_file(path))
            except FileNotFoundError:
                return None

    def _sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        with self._files.open(path, "rb") as file:
            while block := file.read(CHUNK):
                digest.update(block)
        return digest.hexdigest()

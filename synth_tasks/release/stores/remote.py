"""Releases in a store without renames, such as S3: the manifest, written last, makes one visible.

<url>/<dataset>/<version>/            the same files as in a folder; no release without manifest.json
<url>/<dataset>/latest.json           {"version": ...}, replaced after the manifest is there
<url>/<dataset>/ledger.json           what was published and withdrawn, see `history`
<url>/<dataset>/.upload-<version>     claim of the run that is uploading a version
<url>/<dataset>/.tombstone-<version>  a version that is being withdrawn; the signature of the withdrawal

A version is withdrawn from the moment at which its `withdrawal.json` is there: one file, which is there
whole or not at all. Only after it the other files are removed.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from synth_tasks.errors import IntegrityError, SynthError, TransientError
from synth_tasks.release.events import read_ledger
from synth_tasks.release.integrity import MANIFEST, check_contents, list_files
from synth_tasks.release.locations import open_location, readable_store
from synth_tasks.release.stores.base import (
    STALE_SECONDS,
    VERSION_PATTERN,
    Published,
    ReleaseStore,
)
from synth_tasks.release.stores.objects import Objects
from synth_tasks.release.tombstone import (
    README,
    RECORD,
    RECORD_SIGNATURE,
    REMAINS,
    is_withdrawn,
    read_record,
)

LATEST = "latest.json"
# Names with slashes need no folders there, and asking for one might make a bucket.
FLAT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"})
CLAIM, DRAFT = ".upload-", ".tombstone-"
MAX_SMALL_BYTES = 10_000


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
        self.url, self.dataset = f"{target.rstrip('/')}/{dataset}", dataset
        files, root = open_location(self.url, "publish.to", options)
        is_flat = target.partition("://")[0] in FLAT
        self._objects = Objects(files, root.rstrip("/"), self.url, is_flat)

    def location(self, version: str) -> str:
        """Return the URL of a version."""
        return self._objects.at(version)

    def place(self, version: str = "") -> Objects:
        """Return the files of a version, or of all."""
        return self._objects.below(version) if version else self._objects

    def _complete(self) -> list[str]:
        with self.readable("read"):
            names = self._objects.names()
            return [name for name in names if self._objects.has(f"{name}/{MANIFEST}")]

    def _taken(self) -> list[str]:
        """Name what is there, what is being uploaded, and what ever was: a name is given once."""
        with self.readable("read"):
            names = [name.removeprefix(CLAIM) for name in self._objects.names()]
        return [*names, *(event["version"] for event in read_ledger(self._objects))]

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder of this machine to build in; it is removed in any case."""
        with self.readable("publish to"):
            self._remove_stale_uploads()
        with tempfile.TemporaryDirectory(prefix="synth-release-") as folder:
            yield Path(folder)

    def commit(self, draft: Path, version: str) -> Published:
        """Verify a draft, upload it, make it visible by its manifest, and move `latest` to it."""
        check_contents(draft)
        with self.readable("publish to"):
            self._claim(version)
            try:
                self._upload(draft, version)
                self._objects.create(f"{version}/{MANIFEST}", (draft / MANIFEST).read_bytes())
                self._check_arrived(draft, version)
            except BaseException:
                # The error that stopped the upload counts, not one of tidying up after it.
                with suppress(Exception):
                    self._discard(version)
                raise
            self._objects.remove(CLAIM + version)
            self.point_latest(version)
        return Published(self.location(version), version, new=True)

    def point_latest(self, version: str) -> bool:
        """Let `latest.json` name a version; return whether it named another before."""
        content = (json.dumps({"version": version}) + "\n").encode()
        if self._small(LATEST) == content:
            return False
        self.write(LATEST, content)
        return True

    def latest(self) -> str | None:
        """Return what `latest.json` names; None if there is none."""
        data = self._small(LATEST)
        if data is None:
            return None
        try:
            version = json.loads(data)["version"]
            if VERSION_PATTERN.match(version):
                return str(version)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise IntegrityError(f"{self.url}/{LATEST} is damaged: remove it, the run makes it anew")

    def drop_latest(self) -> None:
        """Remove `latest.json`."""
        self.remove(LATEST)

    # --- what is changed beside the releases --------------------------------------------------------

    def is_there(self) -> bool:
        """Tell whether anything is below the URL."""
        with self.readable("read"):
            return bool(self._objects.names())

    def alone(self) -> AbstractContextManager[None]:
        """Do nothing: nothing can be locked here."""
        return nullcontext()

    def readable(self, action: str, version: str = "") -> AbstractContextManager[None]:
        """Turn what the store raises into one line that names the URL."""
        return readable_store(action, self._objects.at(version))

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside the versions."""
        with readable_store("write", self._objects.at(name)):
            self._objects.write(name, content)

    def remove(self, name: str) -> None:
        """Remove a file beside the versions, if it is there."""
        with readable_store("remove", self._objects.at(name)):
            self._objects.remove(name)

    def prepare_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Note that a version is being withdrawn, and the signature of the withdrawal."""
        draft = {"started": time.time(), "signature": files.get(RECORD_SIGNATURE, b"").hex()}
        self.write(DRAFT + version, json.dumps(draft).encode())

    def place_tombstone(self, version: str, files: Mapping[str, bytes]) -> None:
        """Write the record of the withdrawal: all of the rest can be made from it."""
        self.write(f"{version}/{RECORD}", files[RECORD])

    def _drafts(self) -> list[str]:
        with self.readable("read"):
            names = self._objects.names()
        return [name.removeprefix(DRAFT) for name in names if name.startswith(DRAFT)]

    def has_unfinished(self) -> bool:
        """Tell whether a killed run has left a withdrawal unfinished."""
        return bool(self._drafts())

    def settle_tombstones(self) -> None:
        """Forget killed withdrawals that have not written a record: the release is as it was.

        A living one writes it within a day.
        """
        for version in self._drafts():
            if self._is_stale(DRAFT + version) and not is_withdrawn(self.place(version)):
                self.remove(DRAFT + version)

    def remove_withdrawn(self) -> None:
        """Remove all but the tombstone of the versions that are being withdrawn."""
        for version in self._drafts():
            place = self.place(version)
            if not is_withdrawn(place):
                continue
            _, readme = read_record(place)
            signature = self._signature(version)
            with self.readable("withdraw", version):
                if signature:
                    place.write(RECORD_SIGNATURE, signature)
                place.write(README, readme)
                for name in place.files():
                    if name not in REMAINS:
                        place.remove(name)
            self.remove(DRAFT + version)

    def _signature(self, version: str) -> bytes:
        draft = DRAFT + version
        try:
            return bytes.fromhex(json.loads(self._small(draft) or b"")["signature"])
        except (ValueError, KeyError, TypeError):
            raise self._no_claim(draft) from None

    # --- uploading --------------------------------------------------------------------------------

    def _claim(self, version: str) -> None:
        """Make sure that no other run uploads the same version."""
        if self.place(version).sizes():
            raise TransientError(f"{self.location(version)} is there already: run again")
        self._objects.create(CLAIM + version, json.dumps({"started": time.time()}).encode())

    def _upload(self, draft: Path, version: str) -> None:
        """Upload all files but the manifest, and compare what has arrived."""
        place = self.place(version)
        files = sorted(name for name in list_files(draft) if name != MANIFEST)
        expected = {name: (draft / name).stat().st_size for name in files}
        for name in expected:
            place.upload(str(draft / name), name)
        if place.sizes() != expected:
            raise TransientError(f"{self.location(version)} has not arrived whole: run again")

    def _check_arrived(self, draft: Path, version: str) -> None:
        """Make sure that nothing was removed before the manifest was there.

        A run whose clock is a day ahead takes this one for a killed one. From the manifest on nobody
        removes a file but who withdraws it; if one has gone, the manifest goes too, and with it the
        release.
        """
        place = self.place(version)
        if place.sizes() != {n: (draft / n).stat().st_size for n in list_files(draft)}:
            place.remove(MANIFEST)
            raise TransientError(f"{self.location(version)} has not stayed whole: run again")

    def _remove_stale_uploads(self) -> None:
        """Remove what killed runs have left; an upload of a living run is never a day old."""
        for name in self._objects.names():
            if name.startswith(CLAIM) and self._is_stale(name):
                self._discard(name.removeprefix(CLAIM))

    def _is_stale(self, claim: str) -> bool:
        try:
            started = float(json.loads(self._small(claim) or b"")["started"])
        except (ValueError, KeyError, TypeError):
            raise self._no_claim(claim) from None
        return time.time() - started > STALE_SECONDS

    def _small(self, name: str) -> bytes | None:
        return self._objects.read(name, MAX_SMALL_BYTES)

    def _no_claim(self, name: str) -> SynthError:
        return SynthError(f"{self.url}: {name} is no claim of a run: remove it")

    def _discard(self, version: str) -> None:
        """Remove a claim, and its files unless they have become a release."""
        place = self.place(version)
        if not place.has(MANIFEST):
            for name in place.sizes():
                place.remove(name)
        self._objects.remove(CLAIM + version)

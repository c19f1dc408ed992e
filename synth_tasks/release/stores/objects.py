"""Files of a store that fsspec knows: names with slashes, no links, no renames, no locks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from synth_tasks.errors import TransientError
from synth_tasks.files import CHUNK
from synth_tasks.release.integrity import MANIFEST, SIGNATURE, check_files, check_root
from synth_tasks.release.locations import readable_store
from synth_tasks.release.places import Place


class Objects(Place):
    """All files below a URL, each read as it is now.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
        The store.
    root : str
        Path in it.
    url : str
        Address of that path, for errors.
    is_flat : bool
        Whether names with slashes need no folders there.
    """

    def __init__(self, files: Any, root: str, url: str, is_flat: bool) -> None:
        self._files, self._root, self._url, self._is_flat = files, root, url, is_flat

    def below(self, name: str) -> Objects:
        """Return the files below a name."""
        return Objects(self._files, self._at(name), self.at(name), self._is_flat)

    def parent(self) -> Objects:
        """Return the files below the URL that this one is below."""
        root, url = (path.rpartition("/")[0] for path in (self._root, self._url))
        return Objects(self._files, root, url, self._is_flat)

    def at(self, name: str = "") -> str:
        """Return the URL, or that of a file below it."""
        return f"{self._url}/{name}" if name else self._url

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    # --- reading ----------------------------------------------------------------------------------

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a small file."""
        self._files.invalidate_cache()
        with readable_store("read", self.at(name)):
            try:
                found = self._files.info(self._at(name))
                if found["type"] == "directory":  # other files have names that begin with it
                    return None
                return b"" if found["size"] > limit else bytes(self._files.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        self._files.invalidate_cache()
        with readable_store("read", self.at(name)):
            return bool(self._files.exists(self._at(name)))

    def names(self) -> list[str]:
        """Name what is directly below the URL."""
        self._files.invalidate_cache()
        try:
            paths = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def sizes(self) -> dict[str, int]:
        """Return the size of every file by relative path; nothing if there is none."""
        self._files.invalidate_cache()
        found = self._files.find(self._root, detail=True)
        return {path.removeprefix(f"{self._root}/"): item["size"] for path, item in found.items()}

    def files(self) -> Iterable[str]:
        """Name all files by relative path."""
        with readable_store("read", self._url):
            return list(self.sizes())

    def check_contents(self) -> dict[str, Any]:
        """Return the manifest of a release, once it is sure that every byte is what it says."""
        data, manifest = self.manifest_bytes(), self.manifest()
        with readable_store("read", self._url):
            found = {
                name: {"bytes": size, "sha256": self._sha256(name)}
                for name, size in self.sizes().items()
                if name not in (MANIFEST, SIGNATURE)
            }
        check_files(manifest["files"], found, self._url)
        check_root(manifest, data, self._url)
        return manifest

    def _sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._files.open(self._at(name), "rb") as file:
            while block := file.read(CHUNK):
                digest.update(block)
        return digest.hexdigest()

    # --- writing ----------------------------------------------------------------------------------

    def create(self, name: str, content: bytes) -> None:
        """Write a file that must not be there."""
        self._make_parent(name)
        try:
            self._files.pipe_file(self._at(name), content, mode="create")
        except FileExistsError:
            raise TransientError(f"{self._url}: another run is publishing: run again") from None

    def write(self, name: str, content: bytes) -> None:
        """Write a file anew, whether or not it is there."""
        self._make_parent(name)
        self._files.pipe_file(self._at(name), content)

    def upload(self, source: str, name: str) -> None:
        """Copy a file of this machine."""
        self._make_parent(name)
        self._files.put_file(source, self._at(name))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def _make_parent(self, name: str) -> None:
        if not self._is_flat:
            self._files.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)

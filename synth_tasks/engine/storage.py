"""Keeping a fitted synthesizer, to draw from it later without the data.

The file is CONFIDENTIAL: it holds donors and kept cells, as the synthesizer does. What can be shared is
made by `synth_tasks.engine.portable`.

The file is one line of text and a pickle. The line names the format, its version, the versions of the
package and of Python that wrote it, and the SHA-256 of the pickle.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
from pathlib import Path

from synth_tasks import __version__
from synth_tasks.engine.synthesizer import AnySynthesizer, StratifiedSynthesizer, Synthesizer
from synth_tasks.errors import PlanError, StorageError
from synth_tasks.files import readable_errors, write_atomically

MAGIC = "prefect-synth-synthesizer"
FORMAT_VERSION = "1"
LONGEST_HEADER = 200


def save_synthesizer(synthesizer: AnySynthesizer, path: Path | str) -> None:
    """Save a fitted synthesizer in a CONFIDENTIAL file that only its owner can read.

    Parameters
    ----------
    synthesizer : Synthesizer or StratifiedSynthesizer
        From `fit_synthesizer`.
    path : path-like
        File to write, in an existing folder; replaced in one step if it exists.
    """
    try:
        payload = pickle.dumps(synthesizer, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise PlanError(
            "the synthesizer cannot be saved: one of its methods keeps something that cannot be "
            "pickled; define the classes and functions of added methods at the top of a module"
        ) from None
    words = [MAGIC, FORMAT_VERSION, __version__, platform.python_version()]
    header = " ".join([*words, hashlib.sha256(payload).hexdigest()]) + "\n"
    with readable_errors("write", path):
        write_atomically(Path(path), lambda file: file.write(header.encode() + payload))


def load_synthesizer(path: Path | str) -> AnySynthesizer:
    """Load a synthesizer that was saved by `save_synthesizer`; its draws are the same.

    Load only what you saved yourself: a pickle can run any code when it is read. The checksum tells a
    damaged file; it does not tell who wrote it.

    Parameters
    ----------
    path : path-like
        File to read.

    Returns
    -------
    Synthesizer or StratifiedSynthesizer
    """
    payload = _checked_payload(Path(path))
    try:
        synthesizer = pickle.loads(payload)  # noqa: S301
    except Exception:
        raise StorageError(
            f"'{Path(path).name}' cannot be restored: install the methods and the versions of Python, "
            "numpy and scikit-learn it was saved with, or fit the synthesizer anew"
        ) from None
    if not isinstance(synthesizer, (Synthesizer, StratifiedSynthesizer)):
        raise StorageError(f"'{Path(path).name}' holds no synthesizer: name another file")
    return synthesizer


def _checked_payload(path: Path) -> bytes:
    """Return the pickle of a file after all that can be checked without reading it."""
    with readable_errors("read", path):
        content = path.read_bytes()
    header, _, payload = content.partition(b"\n")
    words = header[:LONGEST_HEADER].decode("ascii", errors="replace").split(" ")
    if words[0] != MAGIC or len(words) != 5:
        raise StorageError(f"'{path.name}' is no saved synthesizer: name another file")
    _, format_version, package_version, python_version, digest = words
    if (format_version, package_version) != (FORMAT_VERSION, __version__):
        raise StorageError(
            f"'{path.name}' was saved by version {package_version} of prefect-synth with Python "
            f"{python_version}: use that version, or fit the synthesizer anew"
        )
    if hashlib.sha256(payload).hexdigest() != digest:
        raise StorageError(f"'{path.name}' is damaged: fit the synthesizer anew and save it again")
    return payload

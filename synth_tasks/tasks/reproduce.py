"""Making a release again in a place of its own, to see whether the same comes out."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synth_tasks.errors import SpecError
from synth_tasks.files import make_private_folder, write_atomically
from synth_tasks.release.approval import Decision, recorded_decision
from synth_tasks.release.bundle import verify
from synth_tasks.release.integrity import is_folder, read_manifest
from synth_tasks.release.locations import require_local
from synth_tasks.release.reproduction import compare_origins
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import VERSION_PATTERN
from synth_tasks.release.verification import check_commitment
from synth_tasks.tasks.context import RunContext, find_secrets, prepare, stored_secrets
from synth_tasks.tasks.ingest import Ingested
from synth_tasks.tasks.part_ingest import IngestedParts
from synth_tasks.tasks.places import find_root
from synth_tasks.tasks.publish import describe_seed, policy_digest

PREFIX = "reproduction-"


@dataclass(frozen=True)
class Original:
    """A published release that is to be made again.

    Parameters
    ----------
    folder : Path
        Where it is.
    manifest : dict
        What it says of itself.
    number : int
        Of its version.
    decision : Decision or None
        Of a steward, which is part of the release and is not asked for again.
    """

    folder: Path
    manifest: dict[str, Any]
    number: int
    decision: Decision | None


def find_original(published: str, spec: ReleaseSpec) -> Original:
    """Return a release after making sure that it is intact and of the data set of a specification.

    Parameters
    ----------
    published : str
        Its folder on this machine, or a link such as ``latest`` to it.
    spec : ReleaseSpec
        Of the release.

    Returns
    -------
    Original

    Raises
    ------
    SpecError
        If it is no release here, or one of another data set.
    IntegrityError
        If it was changed or withdrawn.
    """
    folder = require_local(published, "RELEASE").resolve()
    match = VERSION_PATTERN.match(folder.name)
    if match is None or not is_folder(folder):
        raise SpecError(f"{folder} is no release: name a folder <dataset>/<version>")
    verify(folder)
    manifest = read_manifest(folder)
    if manifest.get("name") != spec.dataset.name:
        raise SpecError(
            f"dataset.name is '{spec.dataset.name}', the release is of another data set: give the "
            "specification of the release"
        )
    return Original(folder, manifest, int(match[1]), recorded_decision(manifest))


def open_seed(original: Original, spec: ReleaseSpec) -> tuple[int, str]:
    """Return seed and salt, which prove to anybody what the manifest commits to.

    The key of the digests is not told, so that nothing else of the data set can be guessed by it. The
    seed does let whoever guesses the data make the release again and compare.

    Returns
    -------
    seed : int
        The seed.
    salt : str
        Hexadecimal digits.

    Raises
    ------
    IntegrityError
        If the workspace holds another seed or key.
    SpecError
        If the seed is public.
    """
    found = find_secrets(spec, find_root(spec))
    if found.public:
        raise SpecError("publish.seed is public and stands in the manifest: nothing to open")
    check_commitment(original.folder, found.seed, found.salt.hex())
    return found.seed, found.salt.hex()


@contextmanager
def elsewhere(original: Original, spec: ReleaseSpec) -> Iterator[RunContext]:
    """Give a context with the key and seed of the workspace, but empty folders of its own.

    They lie in the private workspace, for they hold confidential data, and are removed in the end. The
    signing key is not asked for: whoever checks a release need not be able to sign one.
    """
    publish = {"signing_key": None, "signing_key_secret": None, "keep_workspace": False}
    unsigned = spec.model_copy(update={"publish": spec.publish.model_copy(update=publish)})
    own = prepare(unsigned, str(original.folder.parent.parent))
    with own.workspace().lock():
        workspace = own.workspace().folder
        for left in workspace.glob(f"{PREFIX}*"):  # by a run that was killed
            shutil.rmtree(left)
        place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=workspace))
        place.chmod(0o700)
        try:
            yield _move(own, place, original.number)
        finally:
            shutil.rmtree(place)


def _move(own: RunContext, place: Path, number: int) -> RunContext:
    found = own.secrets()
    # A public seed that is given once more by hand is still that of the specification.
    public = found.seed == own.spec.publish.seed
    folder = place / "workspace" / own.spec.dataset.name
    make_private_folder(folder)
    text = json.dumps(stored_secrets(replace(found, public=public)))
    write_atomically(folder / own.secrets_file, lambda file: file.write(text.encode()))
    return replace(
        own, root=str(place / "workspace"), target=str(place / "releases"), number=number
    )


def origins_differ(
    context: RunContext, ingested: Ingested | IngestedParts, original: Original
) -> list[str]:
    """Return a line for everything that decides the release and is not as its manifest says."""
    return compare_origins(
        original.manifest,
        context.spec,
        data_digest=ingested.fingerprint,
        policy_digest=policy_digest(context),
        seed=describe_seed(context.secrets(), context.spec),
    )

"""What every task of a release is told, and where its secrets are."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from synth_tasks.errors import SpecError
from synth_tasks.files import write_atomically
from synth_tasks.release.seeds import commitment_salt, parse_seed
from synth_tasks.release.signing import Signer, parse_signer, read_signer
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import ReleaseStore, open_store
from synth_tasks.release.workspace import KEY_BYTES, Secrets, Workspace, load_key, load_seed
from synth_tasks.seeding import draw_seed, generator
from synth_tasks.tasks.named_blocks import load_block
from synth_tasks.tasks.places import find_gate, find_places, find_target

SEED_VARIABLE = "SYNTH_SEED"
KEY_VARIABLE = "SYNTH_KEY"


@dataclass(frozen=True)
class RunContext:
    """Where a release is made. It holds no secret and may be sent to other processes.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    root : str
        Folder of all private workspaces.
    target : str
        Folder, URL or block of all releases.
    secrets_file : str
        Name of the file in the workspace with the secrets of this run.
    gate : str, optional
        The policy as JSON, if it is kept in a block: as it was when the run began.
    number : int, optional
        Number of the version, if an earlier release is made again; the next one if not given.
    stratum : int, optional
        Number of the stratum, 0, 1, ..., if the work is that on one of them.
    """

    spec: ReleaseSpec
    root: str
    target: str
    secrets_file: str
    gate: str | None = None
    number: int | None = None
    stratum: int | None = None

    def of_stratum(self, stratum: int) -> RunContext:
        """Return what the tasks of one stratum are told: its table is the whole table for them."""
        spec = self.spec
        synthesis = spec.synthesis.model_copy(update={"strata": [], "k": None})
        # Strata are worked on at the same time; each has one thread.
        run = spec.run.model_copy(update={"workers": 1})
        changed = {"synthesis": synthesis, "run": run, "partition": None}
        return replace(self, spec=spec.model_copy(update=changed), stratum=stratum)

    def seed(self) -> int:
        """Return the root of random numbers: one for each stratum, where there are any."""
        root = self.secrets().seed
        if self.stratum is None:
            return root
        return int.from_bytes(generator(root, "stratum", self.stratum).bytes(16), "big")

    def workspace(self) -> Workspace:
        """Open the private workspace of the data set."""
        return Workspace(Path(self.root), self.spec.dataset.name, self.secrets().key)

    def secrets(self) -> Secrets:
        """Read the secrets that `prepare` has put into the workspace."""
        path = Path(self.root) / self.spec.dataset.name / self.secrets_file
        item = json.loads(path.read_text())
        key, salt = bytes.fromhex(item["key"]), bytes.fromhex(item["salt"])
        return Secrets(item["seed"], key, item["origin"], item["public"], salt)

    def releases(self) -> ReleaseStore:
        """Return the published releases of the data set."""
        target = find_target(self.target)
        return open_store(target.url, self.spec.dataset.name, target.options)

    def version(self, digest: str) -> str:
        """Name the version that is going to be published."""
        if self.number is None:
            return self.releases().next_version(digest)
        return f"{self.number}-{digest[:8]}"


def prepare(spec: ReleaseSpec, to: str | None = None) -> RunContext:
    """Check where the release will be made and put its secrets into the workspace.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    to : str, optional
        Folder, URL or block of all releases; ``publish.to`` if not given.

    Returns
    -------
    RunContext
    """
    root, target = find_places(spec, to)
    find_signer(spec)  # a key that cannot sign is found before the work, not after it
    found = find_secrets(spec, root)
    workspace = Workspace(root, spec.dataset.name, found.key)
    text = json.dumps(stored_secrets(found))
    # Named by its content, so that a run started beside another one does not change its seed.
    name = f"run-{workspace.digest('run', text)[:24]}.json"
    write_atomically(workspace.folder / name, lambda file: file.write(text.encode()))
    return RunContext(spec, str(root), target, name, gate=find_gate(spec))


def stored_secrets(found: Secrets) -> dict[str, str | int | bool]:
    """Return secrets as the file of a run in the private workspace holds them."""
    return {
        "seed": found.seed,
        "key": found.key.hex(),
        "origin": found.origin,
        "public": found.public,
        "salt": found.salt.hex(),
    }


def find_secrets(spec: ReleaseSpec, root: Path) -> Secrets:
    """Return seed and key of a data set, from wherever they are kept; they are drawn if nowhere.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    root : Path
        Folder of all private workspaces.

    Returns
    -------
    Secrets
    """
    name, given = spec.dataset.name, spec.publish.seed
    if SEED_VARIABLE in os.environ:
        seed, origin = parse_seed(os.environ[SEED_VARIABLE], SEED_VARIABLE), "environment"
    elif given is not None:
        return Secrets(given, _find_key(spec, root), "specification", True, b"")
    elif spec.publish.seed_secret is not None:
        block = spec.publish.seed_secret
        seed = parse_seed(read_secret(block, "publish.seed_secret"), f"Prefect secret '{block}'")
        origin = "Prefect secret"
    else:
        seed, origin = load_seed(root, name, draw_seed), "private workspace"
    # The key of public data is public: as a salt it would let a short seed be guessed.
    salt = commitment_salt(_secret_key(name, root), name)
    return Secrets(seed, _find_key(spec, root), origin, False, salt)


def _find_key(spec: ReleaseSpec, root: Path) -> bytes:
    if spec.publish.seed is not None and KEY_VARIABLE not in os.environ:
        # Public data need no secret, and their digests should be the same everywhere.
        return hashlib.sha256(f"prefect-synth public {spec.dataset.name}".encode()).digest()
    return _secret_key(spec.dataset.name, root)


def _secret_key(dataset: str, root: Path) -> bytes:
    if KEY_VARIABLE in os.environ:
        try:
            key = bytes.fromhex(os.environ[KEY_VARIABLE])
        except ValueError:
            key = b""
        if len(key) < KEY_BYTES:
            raise SpecError(f"{KEY_VARIABLE} must have at least {2 * KEY_BYTES} hexadecimal digits")
        return key
    return load_key(root, dataset)


def find_signer(spec: ReleaseSpec) -> Signer | None:
    """Return the key that signs the release; None if it is not signed."""
    if spec.publish.signing_key is not None:
        # Not resolved: a link could be changed to lead to another key.
        return read_signer(Path(spec.base) / spec.publish.signing_key)
    if spec.publish.signing_key_secret is not None:
        setting = "publish.signing_key_secret"
        return parse_signer(read_secret(spec.publish.signing_key_secret, setting).encode(), setting)
    return None


def read_secret(block: str, setting: str) -> str:
    """Return the text in a Secret block of Prefect."""
    from prefect.blocks.system import Secret

    return str(load_block(Secret, "Secret", block, setting).get())

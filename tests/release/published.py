"""Small releases that were published as any other, but hold no data that had to be computed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from synth_tasks.release.bundle import write_manifest, write_public
from synth_tasks.release.integrity import MANIFEST, SIGNATURE
from synth_tasks.release.signing import PUBLIC_KEY, read_signer
from synth_tasks.release.stores import FolderStore, Published, ReleaseStore

FILES = {
    "data/people-1.csv": "x,y\n1,2\n",
    "data/people-2.csv": "x,y\n3,4\n",
    "validation/results.json": "[]\n",
    "README.md": "# People\n",
}


def make_key(folder: Path, name: str = "key") -> Path:
    """Make a private key as the documentation says."""
    path = folder / f"{name}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    path.chmod(0o600)
    return path


def digest_of(number: int) -> str:
    """Return the digest of the release that has this number."""
    return f"{number:08d}" + "ab" * 28


def publish_small(target: Path, number: int = 1, key: Path | None = None) -> Published:
    """Publish version `number` of the data set people in a folder."""
    return publish_to(FolderStore(target, "people"), number, key)


def publish_to(releases: ReleaseStore, number: int = 1, key: Path | None = None) -> Published:
    """Publish version `number` of a data set in any store."""
    digest = digest_of(number)
    manifest = {
        "digest": digest,
        "request_digest": f"request {number}",
        "name": "people",
        "synthesis": {"m": 2, "sets": 2},
        "policy": "strict",
        "policy_digest": "p",
        "worst_disclosure": {"self_linkage": 0.01},
        "gates": [
            {"severity": "critical", "passed": True},
            {"severity": "warning", "passed": False},
        ],
    }
    with releases.staging() as draft:
        for name, text in FILES.items():
            write_public(draft / name, text)
        if key is not None:
            write_public(draft / PUBLIC_KEY, read_signer(key).public_pem)
        write_manifest(draft, manifest)
        if key is not None:
            data = (draft / MANIFEST).read_bytes()
            write_public(draft / SIGNATURE, read_signer(key).sign(data))
        return releases.commit(draft, releases.next_version(digest))

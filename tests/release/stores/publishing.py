"""A small release, built and published."""

from __future__ import annotations

from synth_tasks.release.bundle import write_manifest, write_public

DIGEST, OTHER_DIGEST = "ab" * 32, "cd" * 32


def build(draft, digest=DIGEST, text="x"):
    write_public(draft / "data" / "people-1.csv", text)
    write_public(draft / "README.md", "# People")
    write_manifest(draft, {"digest": digest, "version": "1"})


def publish(releases, digest=DIGEST, text="x", version=None, before_commit=None):
    with releases.staging() as draft:
        build(draft, digest, text)
        if before_commit is not None:
            before_commit(draft)
        return releases.commit(draft, version or releases.next_version(digest))

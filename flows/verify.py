"""Check a release: ``python -m flows.verify RELEASE [--public-key FILE] [--seed N --salt HEX]``.

It needs the release and, for a signed release, the publisher's key; no workspace, and no Prefect. If
the ledger of the releases is beside it, that is checked too, and tells whether it was withdrawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flows.endings import ends_in_one_line
from flows.parsers import make_parser
from synth_tasks.errors import IntegrityError, SpecError, SynthError
from synth_tasks.files import read_limited
from synth_tasks.release.events import LEDGER
from synth_tasks.release.locations import local_path
from synth_tasks.release.places import Place
from synth_tasks.release.seeds import parse_seed
from synth_tasks.release.signing import MAX_KEY_BYTES
from synth_tasks.release.stores import open_release
from synth_tasks.release.verification import Verdict, check_commitment, verify_release

WRONG, REFUSED = 1, 2


@ends_in_one_line(REFUSED)
def main(arguments: list[str] | None = None) -> int:
    """Check a release from the command line; see ``--help``.

    Returns:
        Exit code: 0 intact, 1 changed or withdrawn, 2 wrong input.
    """
    options = _parse(arguments)
    try:
        key = None if options.public_key is None else _read_key(options.public_key)
        if (options.seed is None) != (options.salt is None):
            raise SpecError("--seed and --salt belong together: give both")
        release = _find(options.release)
        verdict = verify_release(release, key)
        if options.seed is not None:
            check_commitment(release, parse_seed(options.seed, "--seed"), options.salt)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG if isinstance(error, IntegrityError) else REFUSED
    opened = "the seed is the one that was committed to; " if options.seed is not None else ""
    sys.stdout.write(opened + _describe(verdict))
    return 0


def _find(location: str) -> Path | Place:
    folder = local_path(location, "RELEASE")
    if folder is not None:
        return folder
    releases, version = open_release(location)
    place = releases.place(version)
    if not place.files():
        raise SpecError(f"RELEASE: {location} is not there: name <url>/<dataset>/<version>")
    return place


def _read_key(path: str) -> bytes:
    try:
        return read_limited(path, MAX_KEY_BYTES + 1)
    except (OSError, ValueError):
        raise SpecError("--public-key: the file cannot be read: give a PEM file") from None


def _describe(verdict: Verdict) -> str:
    line = (
        f"intact: {verdict.n_files} files, Merkle root {verdict.root}; {_describe_signer(verdict)}"
    )
    if verdict.has_ledger:
        return f"{line}\n"
    return f"{line}; no {LEDGER} beside it to check: ask the publisher whether it was withdrawn\n"


def _describe_signer(verdict: Verdict) -> str:
    if verdict.signer is None:
        return "not signed: compare the root with the publisher's"
    if verdict.trusted:
        return "signed by the given key"
    return (
        f"signed by the key in the release, fingerprint {verdict.signer}: compare it with the "
        "publisher's, or give --public-key"
    )


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.verify",
        "Check that a release is what was published, to the byte.",
        {
            "compare checksums": "releases/boys/latest",
            "and who has signed": "releases/boys/latest --public-key public.pem",
        },
        "0 intact; 1 changed or withdrawn; 2 wrong input",
    )
    parser.add_argument("release", metavar="RELEASE", help="folder or URL of the release")
    parser.add_argument("--public-key", metavar="FILE", help="the publisher's public key (PEM)")
    parser.add_argument("--seed", metavar="N", help="seed that the publisher has shown")
    parser.add_argument("--salt", metavar="HEX", help="its salt, shown with it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

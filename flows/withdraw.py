"""Take a release back: ``python -m flows.withdraw RELEASE --reason TEXT --name WHO``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flows.endings import ends_in_one_line
from flows.parsers import make_parser
from synth_tasks.errors import SpecError, SynthError, printable
from synth_tasks.release.locations import local_path
from synth_tasks.release.signing import Signer, read_signer
from synth_tasks.release.stores import open_release
from synth_tasks.release.withdraw import Withdrawal, withdraw, withdraw_version

FAILED, REFUSED = 1, 2
UNSIGNED = (
    "; not signed, as the releases are: flows.verify refuses the ledger until the next release with "
    "the key signs it"
)


@ends_in_one_line(FAILED)
def main(arguments: list[str] | None = None) -> int:
    """Withdraw a release from the command line; see ``--help``.

    Returns:
        Exit code: 0 withdrawn, 1 it was withdrawn before or cannot be changed, 2 wrong input.
    """
    options = _parse(arguments)
    try:
        path = options.signing_key
        signer = None if path is None else read_signer(Path(path))
        done = _withdraw(options.release, options.reason, options.name, signer)
    except SynthError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED if isinstance(error, SpecError) else FAILED
    latest = "no version is left" if done.latest is None else f"`latest` names {done.latest}"
    signed = UNSIGNED if done.lacks_signature else ""
    where = printable(done.location)
    sys.stdout.write(f"withdrawn: {where}: its data are removed; {latest}{signed}\n")
    return 0


def _withdraw(release: str, reason: str, name: str, signer: Signer | None) -> Withdrawal:
    folder = local_path(release, "RELEASE")
    if folder is not None:
        return withdraw(folder, reason=reason, name=name, signer=signer)
    releases, version = open_release(release)
    return withdraw_version(releases, version, reason=reason, name=name, signer=signer)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "flows.withdraw",
        "Remove the data of a release; its manifest and the reason stay.",
        {"take one version back": 'releases/boys/1-0a1b2c3d --reason "wrong consent" --name Ada'},
        "0 withdrawn; 1 it was withdrawn before, or cannot be changed; 2 wrong input",
    )
    parser.add_argument("release", metavar="RELEASE", help="folder or URL of the release")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why; it is published")
    parser.add_argument("--name", metavar="WHO", required=True, help="who decided; published")
    parser.add_argument("--signing-key", metavar="FILE", help="private key (PEM) that signs it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

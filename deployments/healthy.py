"""Exit with 0 if a service answers: ``healthy.py http://host:port/path`` or ``tcp://host:port``."""

import socket
import sys
from urllib.parse import urlsplit
from urllib.request import urlopen

SECONDS = 5


def main(address: str) -> int:
    """Ask once.

    Returns
    -------
    int
        Exit code: 0 it answers, 1 it does not.
    """
    place = urlsplit(address)
    try:
        if place.scheme == "tcp":
            socket.create_connection((place.hostname, place.port), SECONDS).close()
        else:
            urlopen(address, timeout=SECONDS).close()  # noqa: S310  (the address is our own)
    except OSError as error:
        sys.stderr.write(f"{address} does not answer: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""The program of the process that reads a file of a statistics package, see `readstat`.

``python -P readstat_process.py READER PATH OPTIONS`` pickles the table, and what is known of its
columns, to its output. It knows nothing of the rest, so that it starts fast, and says nothing: texts of
errors may quote values.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from typing import Any

FAILED = 3  # neither Python itself nor a signal ends a process with it


def main(reader: str, path: str, options: str) -> int:
    """Read a file; return the exit code."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that the library prints may come between
    import pyreadstat

    try:
        frame, meta = getattr(pyreadstat, reader)(path, **json.loads(options))
    except Exception:  # a damaged file makes the library fail in many ways
        return FAILED
    with output:
        pickle.dump((frame, _facts(meta)), output, protocol=5)
    return 0


def _facts(meta: Any) -> dict[str, Any]:
    """Return what the file says about its rows and columns; the names are those of the library."""
    names = (
        "column_names_to_labels", "missing_ranges", "original_variable_types",
        "readstat_variable_types", "variable_measure", "variable_value_labels",
    )  # fmt: skip
    return {name: dict(getattr(meta, name)) for name in names} | {"number_rows": meta.number_rows}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Reading a published release back, without the data it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd

from synth_tasks.errors import SynthError
from synth_tasks.release.bundle import verify
from synth_tasks.release.integrity import read_manifest


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a table as releases write them: only an empty cell is missing."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


READERS = {"parquet": pd.read_parquet, "csv": _read_csv}
# Columns of ledger and estimates that name something, be it '2019' or 'NA'.
TEXTS = ("analysis", "rule", "term", "stratum", "family", "metric", "target", "keys")


@dataclass(frozen=True, slots=True)
class ReleaseContents:
    """What a release holds.

    Parameters
    ----------
    manifest : mapping
        How it was made, and every checksum.
    fields : mapping of str to mapping
        Frictionless descriptor of each variable, in order.
    sets : tuple of DataFrame, each (k, p)
        The synthetic sets.
    ledger : DataFrame
        Figures of utility and disclosure, as published.
    estimates : DataFrame
        Pooled estimates of all analyses, one row a term.
    """

    manifest: Mapping[str, Any]
    fields: Mapping[str, Mapping[str, Any]]
    sets: tuple[pd.DataFrame, ...]
    ledger: pd.DataFrame
    estimates: pd.DataFrame


def read_contents(folder: str | Path) -> ReleaseContents:
    """Read a release, after making sure that it is what its manifest says.

    Parameters
    ----------
    folder : path
        Folder of one version, or `latest`.

    Returns
    -------
    ReleaseContents

    Raises
    ------
    SynthError
        If the release is damaged, or holds no synthetic sets.
    """
    release = Path(folder)
    verify(release)
    resources = _read_resources(release)
    pooled = sorted((release / "inference").glob("pooled-*.csv"), key=_number)
    return ReleaseContents(
        manifest=read_manifest(release),
        fields={field["name"]: field for field in resources[0]["schema"]["fields"]},
        sets=tuple(_read_set(release, resource) for resource in resources),
        ledger=read_figures(release / "validation" / "ledger.csv"),
        estimates=pd.concat([read_figures(path) for path in pooled]) if pooled else pd.DataFrame(),
    )


def read_figures(file: Path | IO[bytes]) -> pd.DataFrame:
    """Read a ledger or pooled estimates as releases write them.

    Parameters
    ----------
    file : Path or binary file
        CSV.

    Returns
    -------
    DataFrame
        `TEXTS` are texts whatever they look like; only an empty cell is missing.
    """
    types = dict.fromkeys(TEXTS, "str")
    return pd.read_csv(file, dtype=types, keep_default_na=False, na_values=[""])


def _read_set(release: Path, resource: Mapping[str, Any]) -> pd.DataFrame:
    """Read a set, whether it is one file or several."""
    read, path = READERS[resource["format"]], resource["path"]
    paths = path if isinstance(path, list) else [path]
    parts = [read(release / each) for each in paths]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _read_resources(release: Path) -> list[dict[str, Any]]:
    """List the sets in one format: Parquet, which keeps types, if there is a choice."""
    path = release / "datapackage.json"
    if not path.is_file():
        raise SynthError(f"{path} is missing: this is not a release of synthetic sets")
    resources = json.loads(path.read_text(encoding="utf-8"))["resources"]
    for wanted in READERS:
        found = [r for r in resources if r["format"] == wanted]
        if found:
            return found
    raise SynthError(f"{path} lists no synthetic sets: this is not a release of synthetic sets")


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("pooled-"))

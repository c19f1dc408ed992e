"""In what a release that was made again differs from the published one, to the byte.

Names, counts and published settings are told, never a value of a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from synth_tasks.release.integrity import MANIFEST, ROOT, read_manifest
from synth_tasks.release.manifest import published_spec
from synth_tasks.release.packages import package_versions
from synth_tasks.release.signing import PUBLIC_KEY
from synth_tasks.release.source_code import engine_digest
from synth_tasks.release.spec import ReleaseSpec

MAX_NAMED = 5
ABSENT = object()


# --- what decides a release -----------------------------------------------------------------------


def compare_origins(
    manifest: Mapping[str, Any],
    spec: ReleaseSpec,
    *,
    data_digest: str,
    policy_digest: str,
    seed: Mapping[str, Any],
) -> list[str]:
    """Compare everything that decides the bytes of a release with what its manifest says.

    Parameters
    ----------
    manifest : mapping
        Of the release.
    spec : ReleaseSpec
        By which it is to be made again.
    data_digest, policy_digest : str
        Keyed hashes of the data and of the suites of expectations as they are now.
    seed : mapping
        What a manifest would say of the seed that is used now.

    Returns
    -------
    list of str
        One line for each difference, in the order spec, data, policy, seed, engine, packages; empty if
        there is none.
    """
    lines = []
    if manifest.get("spec_digest") != spec.digest():
        changes = list(_changes(manifest.get("spec"), published_spec(spec), "was", "is"))
        lines += [f"spec: {change}" for change in changes] or [
            "spec: differs in policy, publish or categories of variables, which the manifest does not "
            "hold"
        ]
    if manifest.get("data_digest") != data_digest:
        lines.append("data: the digest differs: other data, or another key of the workspace")
    if manifest.get("policy_digest") != policy_digest:
        lines.append("policy: the digest differs: other suites of expectations, or another key")
    if manifest.get("seed") != dict(seed):
        lines.append(
            "seed: the seed in the manifest differs"
            if "value" in manifest.get("seed", {})
            else "seed: the commitment in the manifest differs: another seed, or another key"
        )
    if manifest.get("engine_digest") != engine_digest():
        lines.append("engine: the code that draws differs: use the prefect-synth of the release")
    lines += [
        f"packages: {change}"
        for change in _changes(manifest.get("packages"), package_versions(), "was", "is")
    ]
    return lines


def _changes(old: Any, new: Any, was: str, now: str, path: str = "") -> Iterator[str]:
    """Yield a line for every leaf that differs."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        old, new = (dict(enumerate(part, start=1)) for part in (old, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else str(key)
            yield from _changes(old.get(key, ABSENT), new.get(key, ABSENT), was, now, inner)
    elif json.dumps(_plain(old), sort_keys=True) != json.dumps(_plain(new), sort_keys=True):
        yield f"{path} {was} {_short(old)}, {now} {_short(new)}"


def _plain(value: Any) -> Any:
    return "absent" if value is ABSENT else value


def _short(value: Any) -> str:
    text = "absent" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


# --- files ----------------------------------------------------------------------------------------


def compare_files(published: Path, again: Path) -> list[str]:
    """Compare two releases file by file; a signature and its key do not count.

    Parameters
    ----------
    published, again : Path
        Folders of intact releases.

    Returns
    -------
    list of str
        One line for each file that differs, which says in what; empty if they are identical.
    """
    old, new = _content(published), _content(again)
    lines = []
    for name in sorted({*old["files"], *new["files"]}):
        if name not in new["files"] or name not in old["files"]:
            where = "published release" if name in old["files"] else "release made again"
            lines.append(f"{name}: only in the {where}")
        elif old["files"][name] != new["files"][name]:
            lines.append(f"{name}: {_difference(published / name, again / name)}")
    for manifest in (old, new):
        del manifest["files"]
    changes = list(_changes(old, new, "published", "again"))
    if changes:
        lines.append(f"{MANIFEST}: {_first(changes)}")
    return lines


def _content(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    manifest.pop(ROOT, None)
    manifest["files"].pop(PUBLIC_KEY, None)
    return manifest


def _difference(old: Path, new: Path) -> str:
    if old.suffix == ".parquet":
        return _compare_tables(pd.read_parquet(old), pd.read_parquet(new))
    if old.suffix == ".csv":
        return _compare_tables(_read_text(old), _read_text(new))
    if old.suffix == ".json":
        was, now = (json.loads(path.read_text(encoding="utf-8")) for path in (old, new))
        changes = list(_changes(was, now, "published", "again"))
        return _first(changes) if changes else "other bytes, the same content"
    return "differs"


def _read_text(path: Path) -> pd.DataFrame:
    """Read a CSV file without reading anything into it."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _compare_tables(old: pd.DataFrame, new: pd.DataFrame) -> str:
    if list(old.columns) != list(new.columns):
        return f"columns {_first(sorted({*old.columns} ^ {*new.columns})) or 'in another order'}"
    if len(old) != len(new):
        return f"{len(new)} rows instead of {len(old)}"
    differing = []
    for name in old.columns:
        if old[name].dtype != new[name].dtype:
            differing.append(f"'{name}' (another type)")
        elif not old[name].equals(new[name]):
            same = (old[name] == new[name]) | (old[name].isna() & new[name].isna())
            differing.append(f"'{name}' ({int((~same.fillna(False)).sum())} of {len(old)} rows)")
    return f"column {_first(differing)}" if differing else "other bytes, the same content"


def _first(parts: list[str]) -> str:
    more = f" and {len(parts) - MAX_NAMED} more" if len(parts) > MAX_NAMED else ""
    return ", ".join(parts[:MAX_NAMED]) + more

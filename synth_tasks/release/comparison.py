"""What differs between two releases of a data set, in words and figures instead of bytes.

A release that is made anew, by another machine or with newer libraries, is compared with the published
one: specification, schema, synthetic sets, their distributions, the gate, the figures behind it and the
pooled estimates. Other bytes that hold the same (a newer Parquet writer) are no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from synth_tasks.errors import SynthError
from synth_tasks.release.contents import ReleaseContents
from synth_tasks.release.differences import (
    ABSENT,
    compare_distributions,
    compare_estimates,
    compare_ledgers,
    compare_sets,
)

DECIDED_BY = ("spec", "synthesis", "imputation", "pooling_rule", "data_digest", "seed")


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of difference.

    Parameters
    ----------
    title : str
        What was compared.
    differences : DataFrame
        One row a difference; empty if there is none.
    decisive : bool, default True
        Whether a difference means that the release has changed.
    """

    title: str
    differences: pd.DataFrame
    decisive: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences between a published release and one made anew.

    Parameters
    ----------
    name : str
        The data set.
    published, regenerated : str
        Their versions.
    sections : tuple of Section
        Everything that was compared.
    """

    name: str
    published: str
    regenerated: str
    sections: tuple[Section, ...]

    @property
    def changed(self) -> bool:
        """Whether readers of the release would get something else."""
        return any(s.decisive and len(s.differences) for s in self.sections)

    def to_markdown(self) -> str:
        """Return the verdict, what was found the same, and a table of every kind of difference."""
        verdict = "has changed" if self.changed else "is unchanged"
        lines = [f"# The release of {self.name} {verdict}", ""]
        lines += [f"Published: {self.published}. Made anew: {self.regenerated}.", ""]
        same = [s.title.lower() for s in self.sections if not len(s.differences)]
        if same:
            lines += [f"The same: {', '.join(same)}.", ""]
        for section in self.sections:
            if len(section.differences):
                remark = "" if section.decisive else " (no change of the release)"
                lines += [f"## {section.title}{remark}", "", *_table(section.differences), ""]
        return "\n".join(lines)


def compare_releases(published: ReleaseContents, regenerated: ReleaseContents) -> Comparison:
    """Compare a release made anew with the published one.

    Parameters
    ----------
    published, regenerated : ReleaseContents
        Two releases of one data set.

    Returns
    -------
    Comparison

    Raises
    ------
    SynthError
        If they are releases of different data sets.
    """
    old, new = published.manifest, regenerated.manifest
    if old["name"] != new["name"]:
        raise SynthError(
            f"these are releases of '{old['name']}' and of '{new['name']}': compare two of one data set"
        )
    sections = (
        Section("Settings", _compare_mappings(_part(old, DECIDED_BY), _part(new, DECIDED_BY))),
        Section("Schema", _compare_mappings(_schema(published), _schema(regenerated))),
        Section("Synthetic sets", compare_sets(published, regenerated)),
        Section("Distributions", compare_distributions(published, regenerated)),
        Section("Verdicts", _compare_mappings(_verdicts(old), _verdicts(new))),
        Section("Figures of the gate", compare_ledgers(published.ledger, regenerated.ledger)),
        Section("Pooled estimates", compare_estimates(published.estimates, regenerated.estimates)),
        Section("Files", _compare_mappings(_file_names(old), _file_names(new))),
        Section("Packages", _compare_mappings(old["packages"], new["packages"]), decisive=False),
    )
    return Comparison(old["name"], old["version"], new["version"], sections)


# --- settings, schema, verdicts -------------------------------------------------------------------


def _part(manifest: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: manifest[key] for key in keys if key in manifest}


def _schema(contents: ReleaseContents) -> dict[str, Any]:
    return {"variables": ", ".join(contents.fields), **contents.fields}


def _verdicts(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{gate['suite']}, {gate['subject']}: {gate['description']}": "passed"
        if gate["passed"]
        else f"failed ({gate['severity']})"
        for gate in manifest["gates"]
    }


def _file_names(manifest: Mapping[str, Any]) -> dict[str, str]:
    return dict.fromkeys(manifest["files"], "there")


def _compare_mappings(old: Mapping[str, Any], new: Mapping[str, Any]) -> pd.DataFrame:
    """Compare nested mappings, key by key."""
    before, after = dict(_flatten(old)), dict(_flatten(new))
    rows = [
        {"what": key, "published": before.get(key, ABSENT), "made anew": after.get(key, ABSENT)}
        for key in dict.fromkeys([*before, *after])
        if before.get(key, ABSENT) != after.get(key, ABSENT)
    ]
    return pd.DataFrame(rows)


def _flatten(item: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(item, Mapping) and item:
        for key, value in item.items():
            yield from _flatten(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, str(item)


# --- writing --------------------------------------------------------------------------------------


def _table(differences: pd.DataFrame) -> list[str]:
    cells = [list(differences.columns), ["---"] * len(differences.columns)]
    cells += differences.to_numpy().tolist()
    return [
        "| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in cells
    ]

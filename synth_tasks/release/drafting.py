"""Drafting the specification of a release from data that nobody has described yet.

The draft holds names of columns, counts, and the names of categories that enough rows share; no other
value of the data.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from synth_tasks.data import Kind, Schema, check_names, encode
from synth_tasks.errors import DataError, StorageError
from synth_tasks.files import make_private_folder, open_private, readable_errors
from synth_tasks.release.examples import propose_analyses
from synth_tasks.release.file_format import detect_source
from synth_tasks.release.profile import ColumnProfile, profile_columns, schema_of
from synth_tasks.release.relations import FoundRelation, find_relations
from synth_tasks.release.risks import propose_keys, propose_targets, share_unique
from synth_tasks.release.sections import DatasetSpec, DisclosureSpec
from synth_tasks.release.source import read_columns
from synth_tasks.release.spec import ReleaseSpec

SUITES = ("source", "completed", "synthetic", "gate")
TEMPLATE = "draft.yaml.j2"
# Beyond, multinomial regression is slow and a tree does as well.
MANY_CATEGORIES = 12
WIDE = 40


@dataclass(frozen=True)
class Draft:
    """What was found out about new data, and the specification drafted from it.

    Parameters
    ----------
    name : str
        Of the data set.
    text : str
        The specification, with comments.
    profiles : list of ColumnProfile
        The columns.
    schema : Schema
        Those that stay.
    relations : list of FoundRelation
        Columns that follow from others.
    keys, targets : list of str
        What an intruder may know, and want to know.
    n_rows : int
        Number of rows.
    """

    name: str
    text: str
    profiles: list[ColumnProfile]
    schema: Schema
    relations: list[FoundRelation]
    keys: list[str]
    targets: list[str]
    n_rows: int

    @property
    def formulas(self) -> dict[str, str]:
        """Passive variables and their formulas."""
        return {relation.target: relation.formula for relation in self.relations}

    @property
    def imputed_formulas(self) -> dict[str, str]:
        """Those of them that the imputation computes: none if there is nothing to impute."""
        incomplete = any(p.variable is not None and p.n_missing for p in self.profiles)
        return self.formulas if incomplete else {}


def draft_release(path: Path, folder: Path) -> Draft:
    """Read data and draft the specification of their release.

    Parameters
    ----------
    path : Path
        A file of comma-separated values (csv, tsv, txt), Parquet, Arrow, SPSS, Stata or SAS.
    folder : Path
        Where the specification will stand.

    Returns
    -------
    Draft

    Raises
    ------
    DataError, SpecError, StorageError
        If the file cannot be read, or no column can stay.
    """
    name = dataset_name(path)
    source = detect_source(path, _written_path(path, folder))
    dataset = DatasetSpec(name=name, source=source)
    least = DisclosureSpec().min_category_count
    frame, _ = read_columns(ReleaseSpec(dataset=dataset, base=str(folder)))
    check_names(list(frame.columns))
    if frame.empty:
        raise DataError(f"{path.name} has no rows: check the file")
    profiles = profile_columns(frame, least)
    schema = schema_of(profiles)
    if len(schema) < 2:
        raise DataError(
            f"{path.name}: {len(schema)} of {len(profiles)} columns can be synthesised: two are needed"
        )
    matrix = encode(frame[schema.names], schema)
    relations = find_relations(matrix, schema)
    derived = [relation.target for relation in relations]
    # What is computed needs no decimals of its own.
    profiles = [replace(p, doubts=()) if p.name in derived else p for p in profiles]
    keys = propose_keys(schema, matrix, derived)
    targets = propose_targets(schema, keys, derived)
    text = _environment().get_template(TEMPLATE).render(
        file=path.name,
        name=name,
        source=source.model_dump(exclude_defaults=True),
        profiles=profiles,
        n_rows=len(frame),
        least=least,
        relations=relations,
        visits=_visit_sequence(schema, derived),
        incomplete=[p.name for p in profiles if p.variable is not None and p.n_missing],
        imputers=_imputation_methods(profiles, relations),
        unread=_unread_matrix(relations),
        wide=len(schema) > WIDE,
        keys=keys,
        targets=targets,
        unique=share_unique(matrix, schema, keys),
        analyses=propose_analyses(schema, matrix, derived),
        suites=SUITES,
    )  # fmt: skip
    return Draft(name, text, profiles, schema, relations, keys, targets, len(frame))


def dataset_name(path: Path) -> str:
    """Make the name of a file the name of a data set: small letters, digits, dashes."""
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")
    return name[:63] or "data"


def write_draft(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the files of a draft, all or none, and never over another file.

    They name categories of the real data: only the owner can read them, whatever the umask.

    Parameters
    ----------
    folder : Path
        Where they are to be; made if missing.
    files : mapping of str to str
        Their texts, by path within `folder`.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    StorageError
        If a file is there already, or cannot be written.
    """
    paths = {folder / name: text for name, text in files.items()}
    for path in paths:
        if path.exists() or path.is_symlink():
            raise StorageError(
                f"{path} is there already and is not overwritten: move it, or give another folder "
                "with --to"
            )
    written: list[Path] = []
    try:
        for path, text in paths.items():
            with readable_errors("write", path):
                make_private_folder(path.parent)
                descriptor = open_private(path, os.O_WRONLY | os.O_EXCL)
                written.append(path)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _written_path(path: Path, folder: Path) -> str:
    """Name the data as seen from the specification if they are near, else by the whole path."""
    path, folder = path.resolve(), folder.resolve()
    near = path.is_relative_to(folder)
    return os.path.relpath(path, folder) if near else str(path)


def _visit_sequence(schema: Schema, derived: list[str]) -> list[str]:
    """Put variables of many categories last, where they make no other model slow; empty if none."""
    drawn = [v for v in schema if v.name not in derived]
    many = [v.name for v in drawn if len(v.categories) > MANY_CATEGORIES]
    return [v.name for v in drawn if v.name not in many] + many if many else []


def _imputation_methods(
    profiles: list[ColumnProfile], relations: list[FoundRelation]
) -> dict[str, str]:
    """Name the methods that differ from the defaults by kind."""
    methods = {r.target: r.formula for r in relations}
    for profile in profiles:
        variable = profile.variable
        if variable is not None and profile.n_missing and variable.name not in methods:
            regression = variable.kind in (Kind.NOMINAL, Kind.ORDINAL)
            if regression and len(variable.categories) > MANY_CATEGORIES:
                methods[variable.name] = "cart"
    return methods


def _unread_matrix(relations: list[FoundRelation]) -> dict[str, dict[str, int]]:
    """Keep a derived column from predicting what it is computed from."""
    rows: dict[str, dict[str, int]] = {}
    for relation in relations:
        for name in relation.inputs:
            rows.setdefault(name, {})[relation.target] = 0
    return rows


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("synth_tasks.release"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (YAML, not HTML; `flow` quotes)
    )
    environment.filters["flow"] = _flow
    return environment


class _OneLine(yaml.SafeDumper):
    """Writes line breaks in texts as escapes, so that a value stays in its line."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _represent_text)


def _flow(value: Any) -> str:
    """Write a value in one line of YAML, with escapes for what a terminal would obey."""
    text = _dump(value, allow_unicode=True)
    return text if text.isprintable() else _dump(value, allow_unicode=False)


def _dump(value: Any, allow_unicode: bool) -> str:
    text = yaml.dump(
        [value],
        Dumper=_OneLine,
        default_flow_style=True,
        allow_unicode=allow_unicode,
        sort_keys=False,
        width=10**9,
    )
    return text.strip()[1:-1]

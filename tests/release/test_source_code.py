"""Which code makes a release a new one, and which makes a finished stage one of the past."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import synth_tasks
from synth_tasks.release import source_code
from synth_tasks.release.source_code import ENGINE, engine_digest, stage_digest

PACKAGE = Path(synth_tasks.__file__).parent
# Where the way of the rows begins.
ROOTS = (
    "release.stages", "tasks.impute", "tasks.synthesize", "tasks.control", "tasks.part_models",
    "tasks.part_ingest",
)  # fmt: skip
# What these import decides nothing about what is drawn.
OTHERS = {
    "reads, and the hash of the data tells what was read": [
        "release.source", "release.sources.labelled", "release.sources.streams", "release.survey",
        "release.codebook",
    ],
    "checks, and changes nothing": [
        "release.analysis", "release.formats", "release.formats.labelled", "release.identifiers",
        "release.limits",
        "release.pooling_choice", "release.rehearsal", "release.required", "release.sections.checks",
        "release.sections.data", "release.sections.models", "release.spec", "tasks.validate",
    ],
    "keeps, shows and tells": [
        "errors", "files", "ledger", "release.bundle", "release.pictures._canvas", "release.results",
        "release.seeds", "release.signing", "release.stores", "release.stores.base",
        "release.workspace", "settings", "tasks.boundary", "tasks.named_blocks", "tasks.places",
        "tasks.remarks",
    ],
    "analyses sets that are drawn": [
        "utility.at_once", "utility.intervals",
        "inference.choice", "inference.fit", "inference.independence", "inference.inflation",
        "inference.likelihood_ratio",
        "inference.models", "inference.pooled", "inference.pooling",
    ],
}  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return {".".join(p.with_suffix("").parts).removesuffix(".__init__"): p for p in paths}


@cache
def imported(module: str) -> list[tuple[str, str]]:
    """List pairs of one of our modules and a name in it."""
    tree = ast.parse((PACKAGE / modules()[module]).read_text())
    return [
        (node.module.removeprefix("synth_tasks."), alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("synth_tasks.")
        for alias in node.names
    ]  # fmt: skip


def home(module: str, name: str) -> str:
    """Return the module that defines a name which a package may only pass on."""
    if f"{module}.{name}" in modules():
        return f"{module}.{name}"
    if modules()[module].name == "__init__.py":
        for inner, passed_on in imported(module):
            if passed_on == name:
                return home(inner, name)
    return module


def needed_by(roots: tuple[str, ...], without: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found | without:
            found.add(module)
            waiting += [home(*pair) for pair in imported(module)]
    return found


def test_all_code_that_decides_what_is_drawn_is_part_of_the_engine() -> None:
    others = {name for names in OTHERS.values() for name in names}
    needed = {modules()[module] for module in needed_by(ROOTS, others)}
    places = [Path(name) for name in ENGINE]
    missing = {path for path in needed if not {path, *path.parents} & set(places)}
    assert missing == set()
    assert all((PACKAGE / place).exists() for place in places)
    assert others <= set(modules())


def test_the_digests_of_the_code_are_stable_and_differ() -> None:
    assert engine_digest() == engine_digest() != stage_digest()
    assert len(engine_digest()) == len(stage_digest()) == 64


@pytest.mark.parametrize("name", ["release/division.py", "sdc/new.py"])
def test_another_engine_has_another_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(source_code, "_package", lambda: tmp_path)
    (tmp_path / name).parent.mkdir(parents=True)
    before = engine_digest.__wrapped__()
    (tmp_path / name).write_text("changed = True\n")
    assert engine_digest.__wrapped__() != before


def test_a_finished_stage_is_not_one_of_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_code, "package_versions", lambda: {"numpy": "1.0"})
    assert stage_digest.__wrapped__() != stage_digest()

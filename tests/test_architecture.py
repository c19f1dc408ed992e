"""The floors of the house: what may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import synth_tasks

ROOT = Path(synth_tasks.__file__).parents[1]
FLOORS = {
    **dict.fromkeys(["errors", "files", "ledger", "data", "expressions", "seeding", "datasets"], 1),
    **dict.fromkeys(["inference", "settings", "environment", "failures"], 1),
    **dict.fromkeys(["engine", "disclosure", "utility", "sdc", "release", "study"], 2),
    **dict.fromkeys(["tasks", "blocks", "plugin", "expectations"], 3),
    "flows": 4,
}
# The rooms that are usable alone: data frames in, values out.
PURE = {
    "engine", "disclosure", "utility", "sdc", "inference", "data", "expressions", "seeding",
    "errors", "ledger",
}  # fmt: skip
ORCHESTRATORS = {"prefect", "great_expectations"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_name(path): path
    for package in ("synth_tasks", "flows", "expectations")
    for path in sorted((ROOT / package).rglob("*.py"))
}
# The façade `synth_tasks` loads names on demand and belongs to no floor.
MODULES = [name for name in FILES if name != "synth_tasks"]


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "synth_tasks" else parts[0]


def resolve(module: str, name: str) -> str:
    """Name the module that ``from module import name`` needs."""
    if f"{module}.{name}" in FILES:
        return f"{module}.{name}"
    return synth_tasks._HOME_OF.get(name, module) if module == "synth_tasks" else module


def imports(module: str, everywhere: bool = True) -> set[str]:
    """List the modules a file imports; only those at import time unless `everywhere`."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(FILES[module].read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            found |= {resolve(str(node.module), alias.name) for alias in node.names}
        elif not everywhere and is_postponed(node):
            continue
        pending += ast.iter_child_nodes(node)
    return found


def is_postponed(node: ast.AST) -> bool:
    """Whether the code below is not run when the module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.dump(node.test)
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return what remains after taking away, again and again, all nodes that lead nowhere."""
    remaining = dict(graph)
    while leaves := [node for node, targets in remaining.items() if not targets & remaining.keys()]:
        for node in leaves:
            del remaining[node]
    return sorted(remaining)


def own_imports(module: str, everywhere: bool = True) -> set[str]:
    return imports(module, everywhere) & set(MODULES) - {module}


def test_the_house_is_found() -> None:
    assert {"synth_tasks.engine.mice", "synth_tasks.data", "synth_tasks.inference"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_lives_in_a_known_room(module: str) -> None:
    assert room(module) in FLOORS


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_from_a_floor_above(module: str) -> None:
    above = {name for name in own_imports(module) if FLOORS[room(name)] > FLOORS[room(module)]}
    assert above == set()


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        rooms = {room(name) for name in own_imports(module)}
        graph.setdefault(room(module), set()).update(rooms - {room(module)})
    assert find_cycle(graph) == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    assert find_cycle({module: own_imports(module, everywhere=False) for module in MODULES}) == []


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in PURE])
def test_computing_rooms_know_no_orchestrator(module: str) -> None:
    assert {name.split(".")[0] for name in imports(module)} & ORCHESTRATORS == set()


def test_a_cycle_would_be_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    return set(done.stdout.decode().split())


def test_importing_the_package_costs_nothing() -> None:
    loaded = loaded_after("import synth_tasks; dir(synth_tasks)")
    assert loaded & {"pandas", "numpy", "scipy", "sklearn", *ORCHESTRATORS} == set()


def test_the_engine_loads_no_orchestrator() -> None:
    loaded = loaded_after("from synth_tasks import mice, pool, load_boys")
    assert "synth_tasks.engine.mice" in loaded
    assert loaded & ORCHESTRATORS == set()


@pytest.mark.parametrize("name", synth_tasks.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(synth_tasks, name) is not None
    assert name in dir(synth_tasks)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        synth_tasks.nothing  # noqa: B018

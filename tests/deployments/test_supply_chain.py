import json
import re
import tomllib
from email.message import Message
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deployments.dependencies import Component, installed_components, licence_of
from deployments.licences import is_allowed
from deployments.sbom import main, make_sbom

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def components():
    return installed_components()


# --- what is installed ----------------------------------------------------------------------------


def test_the_licence_of_every_dependency_is_allowed(components):
    assert [f"{c.name}: {c.licence}" for c in components if not is_allowed(c.licence)] == []


def test_direct_and_indirect_dependencies_are_found_with_their_versions(components):
    found = {c.name: c for c in components}
    assert {"prefect-synth", "prefect", "numpy", "great-expectations", "llvmlite"} <= set(found)
    assert found["numpy"].version == version("numpy")
    assert "llvmlite" in found["numba"].needs
    assert "numpy" in found["prefect-synth"].needs
    assert components == sorted(components, key=lambda c: c.name)


def test_extras_count_as_far_as_they_are_installed(components):
    names = {c.name for c in components}
    assert "hypothesis" in names
    for name in ("pytest", "cryptography", "ray"):
        try:
            version(name)
        except PackageNotFoundError:
            assert name not in names


def test_every_dependency_that_is_named_is_listed(components):
    names = {c.name for c in components}
    assert {need for c in components for need in c.needs} <= names


def test_a_version_of_everything_that_is_installed_is_pinned(components):
    lines = (ROOT / "deployments" / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    pinned = {canonicalize_name(name) for name, _ in pins}
    assert {c.name for c in components} - pinned == {"prefect-synth"}
    assert len(pinned) == len(pins)


def test_what_is_not_installed_is_an_error():
    with pytest.raises(PackageNotFoundError):
        installed_components("no-such-distribution")


# --- licences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT OR GPL-3.0-only AND MIT", True),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR GPL-2.0-only)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH LLVM-exception", False),
        ("Apache-2.0 WITH other-exception", False),
        ("not stated", False),
        ("MIT MIT", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT )", False),
        ("", False),
    ],
)
def test_alternatives_need_one_and_sums_need_all(expression, allowed):
    assert is_allowed(expression) is allowed


def metadata(**fields):
    message = Message()
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            message[name.replace("_", "-")] = value
    return SimpleNamespace(metadata=message)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License_Expression": "MIT AND 0BSD", "License": "other"}, "MIT AND 0BSD"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"License": "Apache License 2.0"}, "Apache-2.0"),
        ({"License": "UNKNOWN"}, "UNKNOWN"),
        ({"Classifier": ["License :: OSI Approved :: MIT License", "Topic :: X"]}, "MIT"),
        (
            {"Classifier": [f"License :: OSI Approved :: {n}" for n in ("MIT License", "Odd")]},
            "MIT AND Odd",
        ),
        ({}, "not stated"),
    ],
)
def test_the_licence_is_read_from_what_counts_most(fields, expected):
    assert licence_of(metadata(**fields)) == expected


# --- bill of materials ----------------------------------------------------------------------------

PAIR = [
    Component("app", "1.0+local", "MIT OR (ISC AND MIT)", "It.", ("library",)),
    Component("library", "2.1", "Terms, see file", "", ()),
]


def test_a_bill_names_components_licences_and_who_needs_whom():
    bill = make_sbom(PAIR, "app")
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert bill["metadata"]["component"]["purl"] == "pkg:pypi/app@1.0%2Blocal"
    assert bill["metadata"]["component"]["licenses"] == [{"expression": "MIT OR (ISC AND MIT)"}]
    (library,) = bill["components"]
    assert library["licenses"] == [{"license": {"name": "Terms, see file"}}]
    assert bill["dependencies"] == [
        {"ref": "pkg:pypi/app@1.0%2Blocal", "dependsOn": ["pkg:pypi/library@2.1"]},
        {"ref": "pkg:pypi/library@2.1", "dependsOn": []},
    ]


def test_equal_installations_give_equal_bytes(components, tmp_path, capsys):
    assert main(["--output", str(tmp_path / "bom.json")]) == 0
    assert main([]) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "bom.json").read_text(encoding="utf-8") == text
    bill = json.loads(text)
    references = [c["bom-ref"] for c in bill["components"]]
    assert len(set(references)) == len(references) == len(components) - 1
    assert {d["ref"] for d in bill["dependencies"]} == {
        *references, bill["metadata"]["component"]["bom-ref"]
    }  # fmt: skip


# --- versions -------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
USED = ("dask", "formats", "postgresql", "s3", "signing")
DIRECT = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *(need for extra in USED for need in EXTRAS[extra])]
]


def pinned(name: str) -> dict[str, Version]:
    lines = (ROOT / "deployments" / name).read_text().splitlines()
    pairs = (line.split(";")[0].split("==") for line in lines if line and line[0] not in "# ")
    return {canonicalize_name(name): Version(version.strip()) for name, version in pairs}


@pytest.mark.parametrize("need", DIRECT, ids=lambda need: need.name)
def test_the_lowest_version_that_is_declared_is_the_one_that_is_tested(need):
    (lowest,) = [Version(s.version) for s in need.specifier if s.operator == ">="]
    tested = pinned("minimum.txt")[canonicalize_name(need.name)]
    assert tested.release[:2] == (*lowest.release, 0)[:2]
    assert tested >= lowest
    assert len(lowest.release) < 3 or tested == lowest


@pytest.mark.parametrize("need", DIRECT, ids=lambda need: need.name)
def test_the_versions_of_the_tests_are_allowed(need):
    assert pinned("constraints.txt")[canonicalize_name(need.name)] in need.specifier


@pytest.mark.parametrize("which", ["minimum", "latest"])
def test_both_ends_are_tested_by_the_checks(which):
    workflow = (ROOT / "deployments" / "ci" / "github.yml").read_text()
    assert f"run: .ci/versions {which}" in workflow
    script = (ROOT / ".ci" / "versions").read_text()
    assert f"  {which})" in script
    assert "python -m pip check" in script
    for path in re.findall(r"tests/[\w/.]+", script):
        assert (ROOT / path).exists(), path

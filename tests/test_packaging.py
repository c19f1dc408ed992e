"""What is in the wheel, as pyproject.toml says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
PLUGINS = [
    target for group in PROJECT["project"]["entry-points"].values() for target in group.values()
]


@pytest.mark.parametrize("target", [*PROJECT["project"]["scripts"].values(), *PLUGINS])
def test_what_commands_and_plugins_name_is_in_the_wheel(target: str) -> None:
    module = target.split(":")[0]
    assert module.split(".")[0] in WHEEL["packages"]
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("file", WHEEL["force-include"])
def test_files_that_are_added_exist(file: str) -> None:
    assert (ROOT / file).is_file()

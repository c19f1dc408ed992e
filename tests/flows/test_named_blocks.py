"""Releases whose places and policy are blocks of a real Prefect server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from flows.release import main
from synth_tasks.blocks import DisclosurePolicy, PrivateWorkspace, ReleaseStore
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stores import RemoteStore
from synth_tasks.tasks.context import prepare
from synth_tasks.tasks.validate import load_policy
from tests.release.builders import gate_item, make_site, people_content
from tests.s3_server import BUCKET, VARIABLES, run_s3

MET = {"name": "gate", "expectations": [gate_item("unique_exact_match", max_value=0.01)]}
REFUSING = {"name": "gate", "expectations": [gate_item("unique_exact_match", max_value=-1.0)]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    return make_site(tmp_path / "site")


def write_spec(site: Path, **sections: Any) -> Path:
    path = site / "spec.yaml"
    content = people_content(disclosure={"cross_fit": False}, **sections)
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server that nothing but a block leads to."""
    with run_s3() as environment, pytest.MonkeyPatch.context() as patch:
        for name in environment:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield environment["AWS_ENDPOINT_URL"]


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
def test_a_release_goes_where_blocks_say_and_by_the_policy_in_a_block(
    site: Path, tmp_path: Path, s3: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "key": VARIABLES["AWS_ACCESS_KEY_ID"], "secret": VARIABLES["AWS_SECRET_ACCESS_KEY"],
        "endpoint_url": s3,
    }  # fmt: skip
    secret = {name: SecretStr(value) for name, value in options.items()}
    ReleaseStore(url=f"s3://{BUCKET}/open", storage_options=secret).save("open-data")
    PrivateWorkspace(path=str(tmp_path / "private")).save("people-only")
    DisclosurePolicy(suite=MET).save("mild")
    spec = write_spec(
        site,
        publish={"to": "block:open-data"},
        policy={"suite": "block:mild"},
        run={"workspace_block": "people-only"},
    )
    assert main(["--spec", str(spec)]) == 0
    assert "unique_exact_match is within bounds" in capsys.readouterr().out

    store = RemoteStore(f"s3://{BUCKET}/open", "people", options)
    (version,) = store.versions()
    store.verify(version)
    assert (tmp_path / "private" / "people" / "reports" / version).is_dir()
    assert not (tmp_path / "workspace").exists()

    # What a stricter policy refuses is published no more, and the block has to be edited only.
    DisclosurePolicy(suite=REFUSING).save("mild", overwrite=True)
    assert main(["--spec", str(spec)]) == 1
    assert "the gate refuses the release" in capsys.readouterr().err
    assert store.versions() == [version]


def test_the_policy_of_a_run_is_that_of_its_beginning(site: Path) -> None:
    DisclosurePolicy(suite=MET).save("edited")
    content = people_content(policy={"suite": "block:edited"})
    context = prepare(build_spec(content, base=site))
    DisclosurePolicy(suite=REFUSING).save("edited", overwrite=True)
    gate = load_policy(context.spec, context.gate)["gate"]
    assert gate["expectations"] == json.loads(json.dumps(MET["expectations"]))


def test_a_folder_may_be_a_block_on_the_command_line_too(site: Path, tmp_path: Path) -> None:
    ReleaseStore(url=str(tmp_path / "open")).save("folder")
    assert main(["--spec", str(write_spec(site)), "--to", "block:folder"]) == 0
    assert (tmp_path / "open" / "people" / "latest").is_symlink()


def test_a_block_does_not_lead_confidential_files_into_the_releases(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PrivateWorkspace(path=str(tmp_path / "open" / "private")).save("inside")
    ReleaseStore(url=str(tmp_path / "open")).save("around")
    spec = write_spec(site, publish={"to": "block:around"}, run={"workspace_block": "inside"})
    assert main(["--spec", str(spec)]) == 2
    assert "lie in each other" in capsys.readouterr().err
    assert not (tmp_path / "open").exists()


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"publish": {"to": "block:nowhere"}},
         "publish.to: there is no Synthetic Release Store block 'nowhere': create it"),
        ({"policy": {"suite": "block:nothing"}},
         "policy.suite: there is no Disclosure Policy block 'nothing'"),
        # Of another kind.
        ({"policy": {"suite": "block:a-store"}},
         "policy.suite: there is no Disclosure Policy block 'a-store'"),
        ({"run": {"workspace_block": "nobody"}},
         "run.workspace_block: there is no Synthesis Private Workspace block 'nobody'"),
        ({"policy": {"suite": "block:odd"}}, "policy: 'block:odd' is not a suite"),
        ({"publish": {"to": "block:Open Data"}}, "publish.to: the name of a block has small letters"),
    ],
    ids=["no store", "no policy", "another kind", "no workspace", "no suite", "no name"],
)  # fmt: skip
def test_a_block_that_cannot_be_used_is_wrong_input(
    site: Path, capsys: pytest.CaptureFixture[str], sections: dict[str, Any], named: str
) -> None:
    ReleaseStore(url="/srv/releases").save("a-store", overwrite=True)
    DisclosurePolicy(suite={"expectations": ["odd"]}).save("odd", overwrite=True)
    assert main(["--spec", str(write_spec(site, **sections))]) == 2
    assert named in capsys.readouterr().err

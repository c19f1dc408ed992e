import json
import os
from dataclasses import replace

import pytest
import yaml

from flows import verify
from flows.reproduce import main, reproduce
from synth_tasks.release.spec_files import parse_spec
from synth_tasks.tasks.context import SEED_VARIABLE
from synth_tasks.tasks.ingest import ingest
from synth_tasks.tasks.reproduce import elsewhere, find_original, origins_differ
from tests.release.builders import make_people, make_site, people_content, write_gate, write_people
from tests.release.published import make_key
from tests.tasks.releasing import make_release

SMALL = {"synthesis": people_content()["synthesis"] | {"m": 2}}


def write_spec(folder, **sections):
    content = people_content(**SMALL | sections)
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def read(path):
    return parse_spec(path.read_text(), base=path.parent)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A signed release with a secret seed: its folder, its specification and its workspace."""
    site = make_site(tmp_path_factory.mktemp("site"))
    publish = {"seed": None, "to": str(site / "releases"), "signing_key": str(make_key(site))}
    spec = write_spec(site, publish=publish)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(site / "workspace"))
        patch.setenv(SEED_VARIABLE, "5")
        run = make_release(read(spec))
    # The checks need neither the private key nor the variable.
    os.unlink(site / "key.pem")
    return run.published.folder, spec, site / "workspace"


@pytest.fixture(autouse=True)
def _workspace(made, monkeypatch):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(made[2]))
    monkeypatch.delenv(SEED_VARIABLE, raising=False)
    yield
    os.environ.pop(SEED_VARIABLE, None)


def origins(made, **sections):
    """Compare what decides the release, without making it again."""
    folder, path, _ = made
    content = people_content(**SMALL | sections)
    content["publish"] = {"to": str(folder.parent.parent), "seed": None}
    spec = parse_spec(yaml.safe_dump(content), base=path.parent)
    original = find_original(str(folder), spec)
    with elsewhere(original, spec) as context:
        return origins_differ(context, ingest.fn(context), original)


# --- the flow -------------------------------------------------------------------------------------


def test_the_same_data_and_seed_give_the_same_bytes(made, capsys):
    folder, spec, workspace = made
    assert main([str(folder), "--spec", str(spec), "--seed", "5"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"identical: {folder}"
    assert not list((workspace / "people").glob("reproduction-*"))


def test_another_seed_is_told_with_the_files_and_columns_that_differ(made, capsys):
    folder, spec, _ = made
    assert main([str(folder), "--spec", str(spec), "--seed", "6"]) == 1
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[1].startswith("seed: the commitment in the manifest differs")
    (csv,) = [line for line in lines if line.startswith("data/people-1.csv: ")]
    assert "column 'hgt' (90 of 90 rows)" in csv
    assert any(line.startswith("data/people-2.parquet: column 'hgt'") for line in lines)
    assert output.err.startswith(f"error: {folder} differs: 1 settings and ")


def test_the_holder_can_open_the_seed_without_the_key(made, capsys):
    folder, spec, workspace = made
    command = [str(folder), "--spec", str(spec), "--open-seed", "--seed"]
    assert main([*command, "5"]) == 0
    opened = capsys.readouterr().out.split()
    key = json.loads((workspace / "people" / "secrets.json").read_text())["key"]
    assert opened[:3] == ["--seed", "5", "--salt"]
    assert key not in opened[3]
    assert verify.main([str(folder), *opened]) == 0
    assert main([*command, "6"]) == 2
    assert "commits to another seed" in capsys.readouterr().err


def test_it_can_be_deployed(made):
    parameters = reproduce.parameters.properties
    assert set(parameters) == {"published", "spec"}
    assert reproduce.to_deployment("audit").name == "audit"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dataset: {name: others, source: {builtin: boys}}", "of another data set"),
        ("dataset: {name: people, source: {csv: absent.csv}}", "file not found"),
        ("dataset: 1", "dataset"),
    ],
)
def test_wrong_input_is_one_line_and_2(made, tmp_path, capsys, text, message):
    (tmp_path / "spec.yaml").write_text(text)
    assert main([str(made[0]), "--spec", str(tmp_path / "spec.yaml")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_data_without_memory_for_them_are_refused_before_they_are_read(made, capsys):
    folder, spec, *_ = made
    other = spec.with_name("other.yaml")
    other.write_text(yaml.safe_dump(yaml.safe_load(spec.read_text()) | {"run": {"memory_gb": 0.1}}))
    assert main([str(folder), "--spec", str(other), "--seed", "5"]) == 2
    assert "and 0.1 GB may be used" in capsys.readouterr().err


def test_what_is_no_intact_release_is_2(made, tmp_path, capsys):
    import shutil

    assert main([str(tmp_path), "--spec", str(made[1])]) == 2
    copy = shutil.copytree(made[0], tmp_path / made[0].name)
    (copy / "README.md").write_text("x")
    assert main([str(copy), "--spec", str(made[1])]) == 2
    assert "README.md was changed" in capsys.readouterr().err


# --- what is compared first -----------------------------------------------------------------------


@pytest.fixture
def _seed(monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "5")


@pytest.mark.usefixtures("_seed")
def test_nothing_differs_at_first(made):
    assert origins(made) == []


@pytest.mark.usefixtures("_seed")
def test_a_changed_setting_is_named_with_both_values(made):
    changed = people_content()["synthesis"] | {"m": 2, "options": {"cart": {"minbucket": 7}}}
    assert origins(made, synthesis=changed) == [
        "spec: synthesis.options.cart.minbucket was 5, is 7"
    ]


@pytest.mark.usefixtures("_seed")
def test_a_setting_that_is_not_published_is_named_by_its_section(made, tmp_path):
    write_gate(made[1].parent).rename(made[1].parent / "other.json")
    write_gate(made[1].parent)
    (line,) = origins(made, policy={"suite": "other.json"})
    assert line.startswith("spec: differs in policy, publish or categories")


@pytest.mark.usefixtures("_seed")
def test_other_data_and_another_policy_are_told(made, tmp_path):
    folder, path, _ = made
    people = make_people()
    people.loc[3, "hgt"] += 0.1
    write_people(tmp_path, people)
    gate = json.loads((path.parent / "gate.json").read_text())
    gate["expectations"][0]["kwargs"]["max_value"] = 0.02
    (tmp_path / "gate.json").write_text(json.dumps(gate))
    content = people_content(**SMALL)
    content["publish"] = {"to": str(folder.parent.parent), "seed": None}
    spec = parse_spec(yaml.safe_dump(content), base=tmp_path)
    original = find_original(str(folder), spec)
    with elsewhere(original, spec) as context:
        lines = origins_differ(context, ingest.fn(context), original)
    assert [line.split(":")[0] for line in lines] == ["data", "policy"]


@pytest.mark.usefixtures("_seed")
def test_other_packages_and_another_engine_are_told(made, monkeypatch):
    import synth_tasks.release.reproduction as reproduction

    now = reproduction.package_versions()
    monkeypatch.setattr(reproduction, "package_versions", lambda: {**now, "numpy": "1.0"})
    monkeypatch.setattr(reproduction, "engine_digest", lambda: "other")
    engine, package = origins(made)
    assert engine.startswith("engine: the code that draws differs")
    assert package == f'packages: numpy was "{now["numpy"]}", is "1.0"'


def test_another_key_is_told(made, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv(SEED_VARIABLE, "5")
    assert [line.split(":")[0] for line in origins(made)] == ["data", "policy", "seed"]


def test_what_a_killed_run_has_left_is_removed(made):
    left = made[2] / "people" / "reproduction-left"
    left.mkdir()
    spec = read(made[1])
    with elsewhere(find_original(str(made[0]), spec), spec) as context:
        assert not left.exists()
        assert replace(context).version("ab" * 32).startswith("1-abab")


def test_a_public_seed_given_by_hand_is_that_of_the_specification(tmp_path, monkeypatch):
    site = make_site(tmp_path / "site")
    spec = read(write_spec(site, publish={"to": str(site / "releases"), "seed": 11}))
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    run = make_release(spec)
    monkeypatch.setenv(SEED_VARIABLE, "11")
    original = find_original(run.published.location, spec)
    with elsewhere(original, spec) as context:
        assert origins_differ(context, ingest.fn(context), original) == []
    monkeypatch.setenv(SEED_VARIABLE, "12")
    with elsewhere(original, spec) as context:
        (line,) = origins_differ(context, ingest.fn(context), original)
    assert line == "seed: the seed in the manifest differs"

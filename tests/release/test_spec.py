import json
import os
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from prefect.utilities.collections import visit_collection
from pydantic import BaseModel

import synth_tasks
from synth_tasks.errors import SpecError
from synth_tasks.inference import MODELS
from synth_tasks.release.sections import AnalysisSpec, PoolingSpec, SpecModel
from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.release.spec_files import MAX_SPEC_BYTES, parse_spec, read_spec
from tests.release.builders import people_content, people_spec

BOYS = Path(synth_tasks.__file__).parents[1] / "deployments" / "boys.yaml"
MINIMAL = "dataset: {name: people, source: {csv: people.csv}}\n"


def refusal(text: str) -> str:
    """Return the one line with which a specification is refused."""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, base=Path("."), origin="release.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def models(annotation: object) -> list[type[BaseModel]]:
    inner = [found for part in get_args(annotation) for found in models(part)]
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return [annotation, *inner] if is_model else inner


def all_models(root: type[BaseModel] = ReleaseSpec) -> list[type[BaseModel]]:
    parts = [m for field in root.model_fields.values() for m in models(field.annotation)]
    return [root, *(inner for part in parts for inner in all_models(part))]


# --- what is understood ---------------------------------------------------------------------------


def compare(content: object, found: object, where: str = "") -> None:
    """Every key that is written arrives under its own name with its own value."""
    if isinstance(content, dict) and isinstance(found, BaseModel):
        by_key = {f.alias or name: name for name, f in type(found).model_fields.items()}
        for key, value in content.items():
            compare(value, getattr(found, by_key[key]), f"{where}.{key}")
    elif isinstance(content, dict):
        assert isinstance(found, dict), where
        assert content.keys() == found.keys(), where
        for key, value in content.items():
            compare(value, found[key], f"{where}.{key}")
    elif isinstance(content, list):
        assert isinstance(found, list), where
        for number, (one, other) in enumerate(zip(content, found, strict=True)):
            compare(one, other, f"{where}[{number}]")
    else:
        assert content == found, where


def test_every_key_of_the_boys_arrives():
    compare(yaml.safe_load(BOYS.read_text()), read_spec(BOYS))


def test_a_minimal_spec_has_the_documented_defaults():
    spec = parse_spec(MINIMAL, Path("."))
    assert (spec.synthesis.m, spec.synthesis.method, spec.imputation.maxit) == (5, "cart", 10)
    assert spec.publish.formats == ["parquet", "csv"]
    assert spec.publish.seed is None
    assert spec.policy.suite == "expectations/default/gate.json"


def test_every_key_is_documented():
    undocumented = [
        f"{model.__name__}.{name}"
        for model in all_models()
        if model is not ReleaseSpec
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert len(all_models()) == 25
    assert undocumented == []


@pytest.mark.parametrize(
    ("sections", "rule"),
    [
        ("", "reiter2003"),
        ("imputation: {m: 3}", "reiter2004"),
        ("synthesis: {keep: [a]}", "reiter2003"),
        ("pooling: {rule: raab2016}", "raab2016"),
        ("synthesis: {proper: true}\npooling: {rule: raab2016_proper}", "raab2016_proper"),
        ("synthesis: {proper: true, m: 50}\npooling: {rule: rrr2003}", "rrr2003"),
        ("pooling: {rule: population_synthetic}", "population_synthetic"),
    ],
)
def test_the_pooling_rule_follows_from_the_spec_or_is_checked_against_it(sections, rule):
    assert parse_spec(MINIMAL + sections, Path(".")).pooling_rule == rule


def test_the_keys_of_an_analysis_name_every_model():
    fields = AnalysisSpec.model_fields
    assert all(model in fields["model"].description for model in MODELS)
    for model, entry in MODELS.items():
        assert model in fields[entry.needs].description
    assert {option for entry in MODELS.values() for option in entry.options} <= set(fields)


def test_options_make_another_analysis():
    analyses = [
        AnalysisSpec(model="ols", formula="y ~ x"),
        AnalysisSpec(model="ols", formula="y ~ x", covariance="HC3"),
        AnalysisSpec(model="quantile", variables=["a", "b"], probabilities=[0.1, 0.5]),
    ]
    assert [analysis.label for analysis in analyses] == [
        "ols: y ~ x",
        "ols: y ~ x, HC3",
        "quantile: a, b, probabilities 0.1, 0.5",
    ]
    assert analyses[2].options == {"probabilities": [0.1, 0.5]}


def test_a_spec_cannot_be_changed_later():
    spec = parse_spec(MINIMAL, Path("."))
    with pytest.raises(ValueError, match="frozen"):
        spec.synthesis.m = 7


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dataset: {name: x, source: {csv: a}, licens: MIT}", "dataset.licens: unknown key"),
        (MINIMAL + "synthesys: {m: 5}", "synthesys: unknown key"),
        (MINIMAL + "disclosure: {key: [age]}", "disclosure.key: unknown key"),
        (MINIMAL + "synthesis: {m: 0}", "synthesis.m: input should be greater than or equal to 1"),
        (MINIMAL + "synthesis: {m: 1}", "a single synthetic set does not tell"),
        (MINIMAL + "synthesis: {m: many}", "synthesis.m: input should be a valid integer"),
        (
            MINIMAL + "imputation: {m: 0}",
            "imputation.m: input should be greater than or equal to 1",
        ),
        (MINIMAL + "synthesis: {conditioning: real}", "'synthetic' or 'observed'"),
        (
            MINIMAL + "publish: {formats: [sav]}",
            "publish.formats.0: input should be 'parquet', 'csv', 'spss'",
        ),
        (MINIMAL + "publish: {formats: []}", "publish.formats: list should have at least 1 item"),
        (
            MINIMAL + "publish: {seed: -1}",
            "publish.seed: input should be greater than or equal to 0",
        ),
        (
            MINIMAL + "variables: {age: {kind: age}}",
            "variables.age.kind: input should be 'numeric'",
        ),
        (MINIMAL + "run: {workers: 0}", "run.workers: input should be greater than or equal to 1"),
        (
            MINIMAL + "imputation: {predictor_matrix: {a: {b: 2}}}",
            "imputation.predictor_matrix.a.b",
        ),
        ("synthesis: {m: 5}", "dataset: field required"),
        ("dataset: {source: {csv: a}}", "dataset.name: field required"),
        ("dataset: {name: x}", "dataset.source: field required"),
        (
            "dataset: {name: x, source: {}}",
            "dataset.source: give exactly one of builtin, csv, parquet, arrow",
        ),
        (
            "dataset: {name: x, source: {csv: a, parquet: b}}",
            "dataset.source: give exactly one of builtin, csv, parquet, arrow",
        ),
        ("dataset: {name: x, source: {builtin: girls}}", "dataset.source.builtin: input should be"),
        (
            MINIMAL + "analysis: [{model: mean, variables: [a]}, {model: mean, variables: [a]}]",
            "analysis: the same analysis is listed twice",
        ),
        (
            MINIMAL + "analysis: [{model: mean}]",
            "analysis.0: the model 'mean' needs variables: add",
        ),
        (
            MINIMAL + "analysis: [{model: gam, formula: y ~ x}]",
            "analysis.0: unknown model 'gam': use one of ols, logit, poisson, gamma, ordered_logit, "
            "multinomial_logit, mean, variance, quantile, correlation, table, cramers_v",
        ),
        (
            MINIMAL + "analysis: [{model: mean, variables: [a], covariance: HC3}]",
            "analysis.0: the model 'mean' takes no covariance: it is for ols, logit, poisson, gamma",
        ),
        (
            MINIMAL + "analysis: [{model: quantile, variables: [a], probabilities: [50]}]",
            "analysis.0: probabilities must be numbers between 0 and 1",
        ),
        (
            MINIMAL + "pooling: {rule: rubin}",
            "pooling.rule: unknown pooling rule 'rubin': use auto or one of reiter2003 (of Reiter "
            "(2003)), rubin1987 (of Rubin (1987))",
        ),
        (
            MINIMAL + "pooling: {rule: rubin1987}",
            "pooling.rule: the rule rubin1987 does not hold: it is for when missing values were "
            "imputed and observed ones are real, and these sets come from synthesis; use reiter2003",
        ),
        (
            MINIMAL + "imputation: {m: 3}\npooling: {rule: raab2016}",
            "these sets come from imputation and synthesis; use reiter2004",
        ),
        (MINIMAL + "pooling: {rule: rrr2003}", "parameters were fitted once, not drawn; use"),
        (
            MINIMAL + "synthesis: {keep: [a]}\npooling: {rule: raab2016}",
            "synthesis.keep or synthesis.rows leave real ones; use reiter2003",
        ),
        (MINIMAL + "pooling: {unconverged: drop}", "pooling.unconverged: input should be 'refuse'"),
        (MINIMAL + "publish: {to: 'block:'}", "publish.to: the name of a block has small letters"),
        (MINIMAL + "policy: {suite: 'block:My/suite'}", "policy.suite: the name of a block has"),
        (MINIMAL + "run: {workspace_block: a/b}", "run.workspace_block: string should match"),
        ("", "expected keys such as dataset"),
        ("- a\n- b", "expected keys such as dataset"),
        ("boys", "expected keys such as dataset"),
        ("dataset: [", "not valid YAML (line 1, column 11)"),
        ("dataset: {name: !!python/object/apply:os.getcwd []}", "not valid YAML (line 1"),
        ("day: 2024-99-99", "not valid YAML"),
        ("1: 2\n" + MINIMAL, "the key 1 is no text: write it in quotes"),
    ],
)
def test_a_refusal_names_key_and_remedy_in_one_line(text, named):
    message = refusal(text)
    assert message.startswith("release.yaml: ")
    assert named in message


@pytest.mark.parametrize(
    "name", ["../people", "a/b", "..", ".", "", "/etc", "People", "a b", "a\n", "-a", "x" * 64]
)
def test_a_dataset_name_is_a_plain_folder_name(name):
    with pytest.raises(SpecError, match=r"dataset\.name: string should match pattern"):
        build_spec({"dataset": {"name": name, "source": {"csv": "a"}}}, Path("."))


def test_several_mistakes_are_counted():
    assert refusal(MINIMAL + "synthesis: {m: 0, q: 2}").endswith("(and 1 more)")


def test_yaml_aliases_are_refused():
    message = refusal("dataset: &a {name: x}\nvariables: *a\n")
    assert "aliases (*name) are not allowed: write the value out" in message


def test_a_yaml_bomb_is_refused_before_it_grows():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "aliases" in refusal("\n".join(levels))


def test_an_anchor_that_nothing_refers_to_and_an_ampersand_in_a_text_are_harmless():
    spec = parse_spec("dataset: &d {name: x, title: R & D, source: {csv: a}}", Path("."))
    assert spec.dataset.title == "R & D"


def test_deep_nesting_is_no_crash():
    assert "not valid YAML" in refusal("a: " + "[" * 400)
    assert "more than 500 open brackets" in refusal("a: " + "[" * 5000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("dataset: {title: é}".encode("latin-1"), "is not UTF-8"),
        (b"#" * (MAX_SPEC_BYTES + 1), "larger than 1000000 bytes"),
    ],
)
def test_a_file_that_is_no_spec_is_refused(tmp_path, content, reason):
    path = tmp_path / "release.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=re.escape(str(path))) as caught:
        read_spec(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_what_is_no_file_are_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere.yaml: No such file or directory$"):
        read_spec(tmp_path / "nowhere.yaml")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(SpecError, match=f"cannot read the release spec {path}: it is no regul"):
            read_spec(path)


def test_a_seed_in_the_open_is_for_public_data_only(tmp_path):
    content = people_content()
    content["dataset"]["public"] = False
    with pytest.raises(SpecError, match=r"publish.seed stands in the open.*dataset.public: true"):
        build_spec(content, base=tmp_path)
    content["publish"]["seed"] = None
    build_spec(content, base=tmp_path)
    content["dataset"]["source"] = {"builtin": "boys"}
    content["publish"]["seed"] = 1
    build_spec(content, base=tmp_path)


# --- digest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"run": {"workers": 7, "timeout_minutes": 5}},
        {"run": {"workspace_block": "people-only"}},
        {"publish": {"to": "elsewhere"}},
        {"publish": {"to": "block:open-data"}},
        {"publish": {"seed": 99}},
        {"publish": {"seed": None, "seed_secret": "block"}},
        {"publish": {"keep_workspace": True}},
        {"study": {"replicates": 7}},
        {"frontier": {"tolerance": 0.1}},
    ],
)
def test_where_and_by_which_seed_does_not_count(tmp_path, change):
    changed, spec = people_spec(tmp_path, **change), people_spec(tmp_path)
    assert changed.digest() == spec.digest()
    assert changed.asked_digest() == spec.asked_digest()


def test_the_folder_of_the_spec_does_not_count(tmp_path):
    assert people_spec(tmp_path).digest() == people_spec(tmp_path / "other").digest()


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": {"name": "persons"}},
        {"dataset": {"title": "Persons"}},
        {"dataset": {"description": "text"}},
        {"dataset": {"licence": "CC0-1.0"}},
        {"dataset": {"citations": ["someone"]}},
        {"dataset": {"drop": ["visit"]}},
        {"variables": {"hgt": {"decimals": 1}}},
        {"imputation": {"maxit": 3}},
        {"imputation": {"post": {"hgt": "clip(hgt, 100, 250)"}}},
        {"synthesis": {"m": 4}},
        {"synthesis": {"method": "sample"}},
        {"synthesis": {"options": {"cart": {"minbucket": 6}}}},
        {"synthesis": {"proper": True}},
        {"analysis": []},
        {"analysis": [{"model": "ols", "formula": "wgt ~ hgt", "covariance": "HC3"}]},
        {"pooling": {"rule": "raab2016"}},
        {"pooling": {"unconverged": "keep"}},
        {"disclosure": {"keys": ["hgt"]}},
        {"disclosure": {"targets": []}},
        {"policy": {"suite": "other.json"}},
        {"policy": {"suite": "block:strict"}},
        {"policy": {"synthetic": "set.json"}},
        {"publish": {"formats": ["csv"]}},
    ],
)
def test_everything_else_counts(tmp_path, change):
    changed, spec = people_spec(tmp_path, **change), people_spec(tmp_path)
    assert changed.digest() != spec.digest()
    assert changed.asked_digest() != spec.asked_digest()


class Later(ReleaseSpec):
    """The specification as a later version of the code may know it."""

    added: int = 3
    pooling: PoolingSpec = PoolingSpec(unconverged="keep")


def test_what_is_asked_for_is_the_same_in_a_later_version_of_the_code(tmp_path):
    content = people_content(sdc=[{"step": "drop_replicated_uniques"}])
    del content["pooling"]
    spec = build_spec(content, tmp_path)
    later = Later.model_validate({**content, "base": str(tmp_path)})
    assert later.digest() != spec.digest()
    assert later.asked_digest() == spec.asked_digest()


def test_what_is_asked_for_is_the_same_with_the_defaults_written_out(tmp_path):
    spec = people_spec(tmp_path)
    content = spec.model_dump(mode="json", exclude={"base"})
    assert build_spec(content, tmp_path).asked_digest() == spec.asked_digest()
    bare = {"dataset": {"name": "boys", "source": {"builtin": "boys"}}}
    elsewhere = {**bare, "publish": {"to": "elsewhere"}}
    digests = {build_spec(each, tmp_path).asked_digest() for each in (bare, elsewhere)}
    assert len(digests) == 1


def test_steps_of_disclosure_control_differ_by_their_names(tmp_path):
    names = ("drop_replicated_uniques", "redraw_replicated_uniques")
    specs = [people_spec(tmp_path, sdc=[{"step": name}]) for name in names]
    assert specs[0].asked_digest() != specs[1].asked_digest()


def test_every_section_was_asked_whether_it_counts():
    asked = {"dataset", "variables", "imputation", "synthesis", "analysis", "disclosure", "policy"}
    not_content = {"publish", "run", "study", "frontier", "base"}
    assert set(ReleaseSpec.model_fields) == asked | {"pooling", "sdc", "partition"} | not_content


# --- paths ----------------------------------------------------------------------------------------


def test_a_relative_path_is_looked_up_beside_the_spec_then_in_the_current_folder(
    tmp_path, monkeypatch
):
    beside, current = tmp_path / "beside", tmp_path / "current"
    for folder in (beside, current):
        folder.mkdir()
        (folder / "people.csv").write_text(folder.name)
    (beside / "release.yaml").write_text(MINIMAL)
    monkeypatch.chdir(current)
    spec = read_spec(beside / "release.yaml")
    assert spec.find("people.csv").read_text() == "beside"
    (beside / "people.csv").unlink()
    assert spec.find("people.csv").read_text() == "current"
    assert spec.find(str(current / "people.csv")) == current / "people.csv"


def test_a_spec_read_by_a_relative_path_survives_a_change_of_folder(tmp_path, monkeypatch):
    (tmp_path / "release.yaml").write_text(MINIMAL)
    (tmp_path / "people.csv").write_text("a")
    monkeypatch.chdir(tmp_path)
    spec = read_spec("release.yaml")
    monkeypatch.chdir("/")
    assert spec.find("people.csv") == tmp_path / "people.csv"


def test_a_missing_file_is_reported_with_the_folders_that_were_searched(tmp_path):
    with pytest.raises(SpecError, match=f"file not found: 'x.csv' .looked in {tmp_path} and "):
        people_spec(tmp_path).find("x.csv")


# --- what Prefect does with parameters ------------------------------------------------------------


@pytest.mark.parametrize("by_alias", [True, False])
def test_a_spec_survives_json_by_alias_and_by_name(tmp_path, by_alias):
    for spec in (people_spec(tmp_path), read_spec(BOYS)):
        content = json.loads(json.dumps(spec.model_dump(mode="json", by_alias=by_alias)))
        again = ReleaseSpec.model_validate(content)
        assert again == spec
        assert again.digest() == spec.digest()
        assert again.disclosure.key_variables == spec.disclosure.key_variables != []


def test_prefect_can_walk_through_a_spec():
    spec = read_spec(BOYS)
    assert visit_collection(spec, lambda x: x, return_data=True) == spec


@pytest.mark.parametrize(
    "model", [m for m in dict.fromkeys(all_models()) if issubclass(m, SpecModel)]
)
def test_no_model_looks_like_a_mapping(model):
    assert not hasattr(model, "keys")
    assert "keys" not in model.model_fields


def test_the_schema_for_the_user_interface_describes_the_keys():
    schema = ReleaseSpec.model_json_schema()
    assert "keys" in schema["$defs"]["DisclosureSpec"]["properties"]
    assert "dataset" in schema["required"]


def test_an_example_of_every_section_is_in_the_builder(tmp_path):
    content = people_content()
    left_out = {"run", "study", "frontier", "sdc", "partition", "base"}
    assert set(content) == set(ReleaseSpec.model_fields) - left_out
    compare(content, people_spec(tmp_path))


def test_where_the_data_come_from_does_not_count(tmp_path):
    elsewhere = people_spec(tmp_path, dataset={"source": {"csv": "other.csv"}})
    assert elsewhere.digest() == people_spec(tmp_path).digest()


def test_a_number_has_no_categories(tmp_path):
    with pytest.raises(SpecError, match=r"variables\.hgt: a numeric variable has no categories"):
        people_spec(tmp_path, variables={"hgt": {"kind": "numeric", "categories": ["a", "b"]}})

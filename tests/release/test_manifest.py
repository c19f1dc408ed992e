import json

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.files import file_sha256
from synth_tasks.release.formats import write_data
from synth_tasks.release.manifest import (
    describe_partial,
    make_datapackage,
    make_manifest,
    package_versions,
)
from synth_tasks.release.plans import plan_synthesis, provenance_of
from synth_tasks.release.results import Check, SuiteResult
from synth_tasks.release.stages import fill_provisionally, load_source
from tests.release.builders import BMI, make_site, people_spec


def make(spec) -> dict:
    table = load_source(spec)
    plan = plan_synthesis(spec, table.schema, fill_provisionally(table.matrix, table.schema))
    check = Check("expect", "wgt is never missing", "critical", True, "6 of 90 unexpected")
    return make_manifest(
        spec,
        release_version="1-abababab",
        digests={"digest": "d", "request_digest": "r", "data_digest": "f", "spec_digest": "s"},
        policy="strict",
        policy_digest="p",
        seed={"policy": "secret"},
        plan=plan,
        provenance=provenance_of(spec, plan),
        pooling_rule=spec.pooling_rule,
        results=[SuiteResult("source", "the data", (check,))],
        missing_shares={"wgt": 0.07},
        worst_disclosure={"self_linkage": 0.01},
    )


@pytest.fixture
def spec(tmp_path):
    return people_spec(make_site(tmp_path), publish={"to": "/secret/target"})


def test_the_manifest_says_how_the_sets_were_made(spec):
    manifest = make(spec)
    synthesis = manifest["synthesis"]
    assert set(manifest) == {
        *("manifest_version", "name", "version", "title", "digest", "data_digest", "spec_digest"),
        *("seed", "synthesis", "imputation", "pooling_rule", "gates", "guarantee", "spec"),
        *("policy", "worst_disclosure", "disclosure_control", "approval"),
        *("packages", "policy_digest", "engine_digest", "request_digest"),
    }
    assert (synthesis["m"], synthesis["n"], synthesis["k"], synthesis["proper"]) == (
        3,
        90,
        90,
        False,
    )
    assert synthesis["methods"]["bmi"] == BMI
    assert (synthesis["methods"]["hgt"], synthesis["methods"]["wgt"]) == ("norm", "cart")
    assert synthesis["predictors"]["region"] == []
    assert synthesis["predictors"]["hgt"] == ["region"]
    assert synthesis["predictors"]["wgt"] == ["hgt", "region"]
    assert sorted(synthesis["synthesised"]) == sorted(load_source(spec).schema.names)
    assert manifest["imputation"] == {"m": 1, "maxit": 2, "missing_shares": {"wgt": 0.07}}
    assert "no formal privacy guarantee" in manifest["guarantee"]
    assert json.loads(json.dumps(manifest)) == manifest


def test_the_manifest_of_a_nested_release_counts_imputations_and_syntheses(tmp_path):
    manifest = make(people_spec(make_site(tmp_path), imputation={"m": 4}))
    synthesis = manifest["synthesis"]
    assert (synthesis["m"], synthesis["r"], synthesis["sets"]) == (4, 3, 12)
    assert synthesis["stage"] == "imputation and synthesis"
    assert manifest["pooling_rule"] == "reiter2004"
    assert manifest["imputation"]["m"] == 4


def test_the_manifest_of_a_partial_release_says_what_is_real(tmp_path):
    synthesis = {"keep": ["region"], "rows": "hgt > 150"}
    manifest = make(people_spec(make_site(tmp_path), synthesis=synthesis))
    assert manifest["synthesis"]["kept"] == ["region"]
    assert manifest["synthesis"]["rows"] == "hgt > 150"
    assert describe_partial(manifest) == (
        "the columns region are those of the real data, and rows that do not meet the condition "
        "hgt > 150 are real"
    )
    assert describe_partial(make(people_spec(make_site(tmp_path)))) == ""


def test_the_manifest_tells_no_paths_and_no_figures_of_the_suites(spec):
    manifest = make(spec)
    text = json.dumps(manifest)
    assert "source" not in manifest["spec"]["dataset"]
    for hidden in ("people.csv", "/secret/target", "gate.json", "of 90 unexpected"):
        assert hidden not in text
    assert manifest["gates"] == [
        {
            "suite": "source",
            "subject": "the data",
            "description": "wgt is never missing",
            "severity": "critical",
            "passed": True,
        }
    ]


def test_versions_of_all_libraries_are_there():
    versions = package_versions()
    assert {"python", "prefect-synth", "numpy", "pandas", "prefect", "great-expectations"} <= set(
        versions
    )
    assert "absent" not in versions.values()


def test_the_data_package_describes_every_file(spec, tmp_path):
    frame = pd.DataFrame(
        {
            "x": [1.5, 2.5, 3.0],
            "n": [1, 2, 2],
            "s": pd.Categorical(["a", "b", "c"], ordered=True),
            "g": ["p", "q", "r"],
            "b": [True, False, True],
            "day": pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-02"]),
            "time": pd.to_datetime(["2024-01-31 12:00", "2024-02-01 13:00", "2024-02-02 00:00"]),
        }
    )
    schema = infer_schema(frame)
    files = write_data(tmp_path, "people", [frame], ["parquet", "csv"])
    package = make_datapackage(spec, schema, "1-abababab", tmp_path, files)
    assert package["name"] == "people-synthetic"
    assert [r["path"] for r in package["resources"]] == files
    names = [r["name"] for r in package["resources"]]
    assert len(set(names)) == 2
    for resource in package["resources"]:
        path = tmp_path / resource["path"]
        assert resource["bytes"] == path.stat().st_size
        assert resource["hash"] == f"sha256:{file_sha256(path)}"
    fields = {f.pop("name"): f for f in package["resources"][1]["schema"]["fields"]}
    assert {name: field["type"] for name, field in fields.items()} == {
        "x": "number",
        "n": "integer",
        "s": "string",
        "g": "string",
        "b": "boolean",
        "day": "date",
        "time": "datetime",
    }
    assert fields["s"]["constraints"]["enum"] == ["a", "b", "c"]
    assert (fields["s"]["ordered"], fields["g"]["ordered"]) == (True, False)
    assert fields["time"]["format"] == "any"


def test_the_types_of_the_data_package_hold_for_the_csv_file(tmp_path, spec):
    days = pd.DataFrame({"day": pd.to_datetime(["2024-01-31", "2024-02-01"])})
    (path,) = write_data(tmp_path, "people", [days], ["csv"])
    assert (tmp_path / path).read_text() == "day\n2024-01-31\n2024-02-01\n"
    assert infer_schema(days)["day"].time_step == np.timedelta64(1, "D") // np.timedelta64(1, "us")


@pytest.mark.parametrize("licence", ["", "CC0-1.0"])
def test_a_licence_is_named_only_if_there_is_one(tmp_path, licence):
    spec = people_spec(tmp_path, dataset={"licence": licence, "citations": ["someone (2020)"]})
    schema = infer_schema(pd.DataFrame({"a": [1, 2]}))
    package = make_datapackage(spec, schema, "1", tmp_path, [])
    assert package.get("licenses") == ([{"name": licence}] if licence else None)
    assert package["sources"] == [{"title": "someone (2020)"}]

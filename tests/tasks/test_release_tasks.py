"""A whole release of a small confidential data set, task by task."""

import json
import math
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from expectations.gate import run_gate
from synth_tasks import fit_model, load_portable, pool
from synth_tasks.data import Schema
from synth_tasks.errors import DataError, GateError, PlanError, SynthError
from synth_tasks.files import file_sha256
from synth_tasks.release.bundle import verify
from synth_tasks.release.codebook import Codebook, ColumnNotes
from synth_tasks.release.events import read_ledger
from synth_tasks.release.integrity import checksums
from synth_tasks.release.report import ReportContent, withhold_real
from synth_tasks.release.signing import read_signer
from synth_tasks.release.source import read_source
from synth_tasks.release.stages import load_source
from synth_tasks.release.verification import verify_release
from synth_tasks.release.withdraw import withdraw
from synth_tasks.tasks import assess
from synth_tasks.tasks.context import SEED_VARIABLE, prepare
from synth_tasks.tasks.impute import impute
from synth_tasks.tasks.ingest import ingest
from synth_tasks.tasks.pool import read_analysis
from synth_tasks.tasks.publish import draw_picture, find_published, publish, purge
from synth_tasks.tasks.validate import apply_gate, load_policy, refuse_failures, validate
from tests.r import run_r
from tests.release.builders import (
    BMI,
    MARKER,
    gate_item,
    make_people,
    make_site,
    people_spec,
    write_gate,
    write_people,
)
from tests.release.published import make_key
from tests.tasks.releasing import Run, draw, make_release


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def run(site, tmp_path_factory) -> Run:
    """One release that all tests look at."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTH_WORKSPACE", str(folder / "workspace"))
        return make_release(people_spec(site, publish={"to": str(folder / "releases")}))


@pytest.fixture(scope="module")
def real(run) -> pd.DataFrame:
    return run.context.workspace().read_frame(run.made.completed.refs[0])


def released_sets(folder: Path) -> list[pd.DataFrame]:
    return [pd.read_parquet(path) for path in sorted((folder / "data").glob("*.parquet"))]


# --- the bundle -----------------------------------------------------------------------------------


def test_the_bundle_is_complete_and_intact(run):
    folder = run.published.folder
    verify(folder)
    assert run.published.new
    assert sorted(checksums(folder)) == [
        "README.md",
        *(f"data/people-{i}.{suffix}" for i in (1, 2, 3) for suffix in ("csv", "parquet")),
        "datapackage.json",
        "inference/pooled-1.csv",
        "inference/pooled-2.csv",
        "report.html",
        "validation/ledger.csv",
        "validation/results.json",
        "validation/validation.html",
    ]
    assert (folder.parent / "latest").resolve() == folder


def test_every_suite_was_met(run):
    assert [(s.suite, s.passed) for s in run.made.suites] == [
        *(("source", True), ("completed", True)),
        *([("synthetic", True)] * 3),
        ("gate", True),
    ]


def test_the_sets_have_the_shape_and_the_types_of_the_data(run, real):
    sets = released_sets(run.published.folder)
    assert len(sets) == 3
    for frame in sets:
        assert frame.shape == real.shape == (90, 8)
        assert frame.dtypes.to_dict() == real.dtypes.to_dict()
        assert not frame.isna().any().any()
        np.testing.assert_allclose(frame["bmi"], frame["wgt"] / (frame["hgt"] / 100) ** 2)
        assert set(frame["children"]) <= set(real["children"])


def test_observed_values_stay_and_holes_are_filled(run, real):
    raw = run.context.workspace().read_frame(run.made.ingested.ref)
    for name in raw:
        observed = raw[name].notna()
        assert raw[name][observed].tolist() == real[name][observed].tolist(), name
    assert not real.isna().any().any()


def test_pooled_estimates_are_those_of_the_published_sets(run):
    sets = released_sets(run.published.folder)
    expected = pool([fit_model(s, "ols", "wgt ~ hgt + region") for s in sets]).table
    found = pd.read_csv(run.published.folder / "inference" / "pooled-1.csv")
    assert found["analysis"].unique().tolist() == ["ols: wgt ~ hgt + region"]
    assert found["term"].tolist() == expected["term"].tolist()
    np.testing.assert_allclose(found["estimate"], expected["estimate"])
    np.testing.assert_allclose(found["conf_low"], expected["conf_low"])


def test_the_manifest_names_the_seed_of_public_data(run):
    manifest = json.loads((run.published.folder / "manifest.json").read_text())
    assert manifest["seed"]["value"] == 11
    assert manifest["version"] == run.published.version
    assert manifest["imputation"]["missing_shares"]["wgt"] == 0.07


def test_the_picture_is_a_png(run):
    assert draw_picture.fn(run.context, run.made).startswith(b"\x89PNG")


# --- nothing of the real data ---------------------------------------------------------------------


def told(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_real_value_that_was_not_drawn_is_nowhere_in_the_release(run, real):
    sets = released_sets(run.published.folder)
    drawn = {value for frame in sets for value in frame["hgt"]}
    assert MARKER in set(real["hgt"])
    assert MARKER not in drawn
    released = told(run.published.folder)
    for text in (str(MARKER), f"{MARKER:.3f}", f"{MARKER:.2f}"):
        assert text.encode() not in released
    assert np.float64(MARKER).tobytes() not in released


def test_no_estimate_from_the_real_data_is_in_the_release(run):
    released, searched = told(run.published.folder), 0
    for ref in run.made.analyses:
        result = read_analysis(ref)
        for value in result.real[["estimate", "std_error", "conf_low"]].to_numpy().ravel():
            if len(text := f"{value:.8g}") >= 9:  # shorter ones come up by chance
                searched += 1
                assert text[:-1].encode() not in released
    assert searched > 12
    inside = run.made.ledger[run.made.ledger["metric"].isin(["UiO", "correlation_difference"])]
    assert len(inside) > 3
    assert b"UiO," not in released
    assert b"correlation_difference," not in released


def test_the_private_report_stays_in_the_workspace(run):
    report = Path(run.context.root) / "people" / "reports" / run.published.version / "report.html"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert file_sha256(report) != file_sha256(run.published.folder / "report.html")
    result = read_analysis(run.made.analyses[0])
    assert len(result.real) == 4


def test_findings_about_the_real_data_are_not_told(run):
    results = json.loads((run.published.folder / "validation" / "results.json").read_text())
    assert {r["suite"] for r in results} == {"source", "completed", "synthetic", "gate"}
    for result in results:
        if result["suite"] in ("source", "completed"):
            assert {check["detail"] for check in result["checks"]} == {""}


def test_a_finding_on_a_private_metric_is_not_told_even_if_it_passes(run):
    suite = {"name": "gate", "expectations": [gate_item("UiO", max_value=100)]}
    gate = run_gate(suite, run.made.ledger, 3)
    assert gate.passed
    assert gate.checks[0].detail.startswith("UiO: value ")
    empty = ("", "", "", "", "", [])
    content = ReportContent(*empty, Schema(()), [], run.made.ledger, [gate], [], manifest={})
    assert withhold_real(content).suites[0].checks[0].detail == ""


def test_published_rows_are_shuffled(run, real):
    workspace = run.context.workspace()
    for ref, frame in zip(run.sets, released_sets(run.published.folder), strict=True):
        in_source_order = workspace.read_frame(ref)
        assert sorted(frame["hgt"]) == sorted(in_source_order["hgt"])
        assert (frame["hgt"] == in_source_order["hgt"]).mean() < 0.2
        # A row moves as a whole.
        whole = in_source_order.apply(tuple, axis=1)
        assert set(frame.apply(tuple, axis=1)) == set(whole)


def test_the_published_ledger_is_coarse(run):
    ledger = pd.read_csv(run.published.folder / "validation" / "ledger.csv")
    assert len(ledger) > 50
    for column in ("value", "lower", "upper", "control"):
        values = ledger[column].dropna()
        assert all(v == 0 or v == float(f"{v:.2g}") for v in values), column
    exact = run.made.ledger["value"]
    assert any(v and v != float(f"{v:.2g}") for v in exact if math.isfinite(v))


def test_no_path_of_this_machine_is_in_the_release(run, site):
    released = told(run.published.folder)
    for path in (str(site), run.context.root, run.context.target, "people.csv", "gate.json"):
        assert path.encode() not in released


# --- nothing new ----------------------------------------------------------------------------------


def spec_like(made: Run, site: Path, **sections):
    publish_to = {"to": made.context.target} | sections.pop("publish", {})
    return people_spec(site, publish=publish_to, **sections)


@pytest.fixture
def again(run, monkeypatch):
    """The workspace of the release that was made."""
    monkeypatch.setenv("SYNTH_WORKSPACE", run.context.root)


def test_an_equal_release_is_found(again, run, site):
    context = prepare(spec_like(run, site, run={"workers": 1}))
    found = find_published.fn(context, ingest.fn(context).fingerprint)
    assert (found.version, found.folder) == (run.published.version, run.published.folder)
    assert not found.new


def test_another_seed_makes_nothing_new(again, run, site):
    context = prepare(spec_like(run, site, publish={"seed": 12}))
    assert find_published.fn(context, ingest.fn(context).fingerprint) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"synthesis": {"m": 4}},
        {"dataset": {"title": "Other people"}},
        {"analysis": []},
        {"publish": {"formats": ["csv"]}},
        {"variables": {"hgt": {"decimals": 4, "label": "Height in cm"}}},
    ],
)
def test_another_spec_makes_something_new(again, run, site, change):
    context = prepare(spec_like(run, site, **change))
    assert find_published.fn(context, ingest.fn(context).fingerprint) is None


def test_another_label_in_the_source_makes_something_new(again, run, site, monkeypatch):
    codebook = Codebook({"hgt": ColumnNotes("Height in cm")})
    monkeypatch.setattr(
        "synth_tasks.release.stages.read_documented",
        lambda spec, url: (read_source(spec), codebook),
    )
    found = ingest.fn(prepare(spec_like(run, site)))
    assert found.fingerprint != run.made.ingested.fingerprint
    assert Codebook.from_dict(found.codebook) == codebook


def test_other_data_make_something_new(again, run, tmp_path):
    people = make_people()
    people.loc[3, "hgt"] += 0.1
    context = prepare(spec_like(run, make_site(tmp_path, people)))
    assert find_published.fn(context, ingest.fn(context).fingerprint) is None


def test_another_policy_makes_something_new(again, run, tmp_path):
    write_people(tmp_path)
    write_gate(tmp_path, gate_item("unique_exact_match", max_value=0.02))
    context = prepare(spec_like(run, tmp_path))
    assert find_published.fn(context, ingest.fn(context).fingerprint) is None


def test_finished_stages_are_not_computed_again(again, run, site, monkeypatch):
    monkeypatch.setattr("synth_tasks.tasks.impute.run_plan", None)
    monkeypatch.setattr("synth_tasks.tasks.synthesize.fit_synthesizer", None)
    expected = (run.made.ingested, run.made.completed, run.made.synthesizers, run.sets)
    assert draw(prepare(spec_like(run, site))) == expected


def test_figures_are_of_the_keys_that_this_specification_has(again, run, site, monkeypatch):
    """A formula changes who may know what, even where it changes no byte of a set."""
    known = []
    measure = assess.assess_disclosure
    monkeypatch.setattr(
        assess, "assess_disclosure", lambda *a, **k: known.append(k["keys"]) or measure(*a, **k)
    )
    controlled = run.made.controlled[0]
    for methods in ({}, {"bmi": BMI}, {}):
        synthesis = {"method_by_variable": methods}
        spec = people_spec(site, synthesis=synthesis, disclosure={"keys": [], "targets": []})
        assess.assess_set.fn(prepare(spec), controlled, 1)
    without, with_formula = known
    assert "bmi" in without
    assert "bmi" not in with_formula


# --- the same everywhere --------------------------------------------------------------------------


def test_the_same_public_seed_gives_the_same_bytes_in_another_workspace(
    run, site, tmp_path, monkeypatch
):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    spec = people_spec(site, publish={"to": str(tmp_path / "releases")}, run={"workers": 1})
    other = make_release(spec)
    assert other.published.version == run.published.version
    ours, theirs = checksums(run.published.folder), checksums(other.published.folder)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    manifests = [
        (p.folder / "manifest.json").read_bytes() for p in (run.published, other.published)
    ]
    assert manifests[0] == manifests[1]


def test_a_secret_seed_draws_other_sets_and_is_only_committed_to(run, site, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv(SEED_VARIABLE, "918273645546372819")
    spec = people_spec(site, publish={"to": str(tmp_path / "releases"), "seed": None})
    other = make_release(spec)
    assert b"918273645546372819" not in told(other.published.folder)
    manifest = json.loads((other.published.folder / "manifest.json").read_text())
    assert set(manifest["seed"]) == {"policy", "commitment"}
    assert manifest["data_digest"] != run.made.ingested.fingerprint  # another key
    ours, theirs = (released_sets(r.published.folder)[0] for r in (run, other))
    assert not ours.equals(theirs)
    purge(other.context)
    assert list((Path(other.context.root) / "people" / "stages").iterdir()) == []


# --- proof ----------------------------------------------------------------------------------------


def test_a_release_is_signed_and_entered_in_the_ledger(tmp_path, workspace_root):
    key = make_key(tmp_path)
    run, manifest = released(tmp_path, publish={"signing_key": str(key)})
    found = verify_release(run.published.folder, read_signer(key).public_pem)
    assert (found.root, found.trusted) == (manifest["merkle_root"], True)
    assert key.read_bytes().splitlines()[1] not in told(run.published.folder)
    assert str(key) not in told(run.published.folder).decode("utf-8", errors="replace")
    assert "manifest.json.sig" in (run.published.folder / "README.md").read_text()
    assert (run.published.folder.parent / "ledger.json.sig").is_file()
    (event,) = read_ledger(run.published.folder.parent)
    assert event["merkle_root"] == manifest["merkle_root"]
    assert event["policy_digest"] == manifest["policy_digest"]
    assert (event["policy"], event["sets_so_far"]) == ("gate", 3)
    published = pd.read_csv(run.published.folder / "validation" / "ledger.csv")
    linkage = published.loc[published["metric"] == "self_linkage", "value"]
    assert event["worst"]["self_linkage"] == linkage.max()
    assert set(event["worst"]) <= set(published["metric"])
    assert (event["m"], event["sets"], event["gate"]["critical"]) == (3, 3, 0)


def test_a_ledger_that_was_changed_is_found_before_the_work(run, tmp_path):
    copies = shutil.copytree(run.context.target, tmp_path / "copies", symlinks=True)
    context = replace(run.context, target=str(copies))
    (copies / "people" / "ledger.json").unlink()
    assert find_published.fn(context, run.made.ingested.fingerprint) is not None
    assert len(read_ledger(copies / "people")) == 1  # made anew from what is there
    (copies / "people" / "ledger.json").write_text("{}")
    with pytest.raises(SynthError, match=r"ledger\.json was changed"):
        find_published.fn(context, run.made.ingested.fingerprint)


@pytest.mark.parametrize("changed", [None, "engine_digest", "policy_digest"])
@pytest.mark.parametrize("remains", [True, False])
def test_a_withdrawn_release_is_not_made_again(run, tmp_path, monkeypatch, changed, remains):
    copies = shutil.copytree(run.context.target, tmp_path / "copies", symlinks=True)
    folder = (copies / "people" / "latest").resolve()
    withdraw(folder, reason="wrong", name="me")
    if not remains:
        shutil.rmtree(folder)
    if changed is not None:  # as after an upgrade
        monkeypatch.setattr(f"synth_tasks.tasks.publish.{changed}", lambda *_: "other")
    context = replace(run.context, target=str(copies))
    with pytest.raises(SynthError, match="was withdrawn by me: wrong"):
        find_published.fn(context, run.made.ingested.fingerprint)
    with pytest.raises(SynthError, match="was withdrawn by me: wrong"):
        publish.fn(context, run.made)
    assert not (copies / "people" / "latest").is_symlink()


# --- other ways to synthesise ---------------------------------------------------------------------


def released(folder: Path, people: pd.DataFrame | None = None, **sections) -> tuple[Run, dict]:
    site = make_site(folder / "site", people)
    write_gate(site, gate_item("spmse_marginal", max_value=1000))
    publish = {"to": str(folder / "releases")} | sections.pop("publish", {})
    run = make_release(people_spec(site, publish=publish, **sections))
    verify(run.published.folder)
    return run, json.loads((run.published.folder / "manifest.json").read_text())


def test_several_imputations_are_each_synthesised_and_pooled_as_nested(tmp_path, workspace_root):
    run, manifest = released(tmp_path, imputation={"m": 2})
    assert len(run.made.completed.refs) == 2
    assert len(released_sets(run.published.folder)) == 6
    assert (manifest["synthesis"]["m"], manifest["synthesis"]["r"]) == (2, 3)
    first = read_analysis(run.made.analyses[0])
    assert first.rule == manifest["pooling_rule"] == "reiter2004"
    sets = [run.context.workspace().read_frame(ref) for ref in run.sets]
    fits = [fit_model(s, "ols", "wgt ~ hgt + region") for s in sets]
    expected = pool(fits, "reiter2004", r=3).table
    np.testing.assert_allclose(first.pooled["t"], expected["t"])
    report = (run.published.folder / "report.html").read_text()
    assert "(1 + 1 / M) B" in report


def test_another_rule_and_other_models_reach_the_release(tmp_path, workspace_root):
    analysis = [
        {"model": "ols", "formula": "wgt ~ hgt", "covariance": "HC3"},
        {"model": "quantile", "variables": ["wgt"], "probabilities": [0.5]},
    ]
    run, manifest = released(tmp_path, pooling={"rule": "raab2016"}, analysis=analysis)
    assert manifest["pooling_rule"] == "raab2016"
    frames = [run.context.workspace().read_frame(ref) for ref in run.sets]
    fits = [fit_model(s, "ols", "wgt ~ hgt", covariance="HC3") for s in frames]
    found = read_analysis(run.made.analyses[0])
    assert (found.rule, found.label) == ("raab2016", "ols: wgt ~ hgt, HC3")
    np.testing.assert_allclose(found.pooled["t"], pool(fits, "raab2016").table["t"])
    assert read_analysis(run.made.analyses[1]).pooled["term"].tolist() == ["wgt[50%]"]
    assert "T = ū (1 + (n / k) / m)" in (run.published.folder / "report.html").read_text()
    assert 'rule="raab2016"' in (run.published.folder / "README.md").read_text()


def test_missing_values_and_spikes_that_are_data_are_published(tmp_path, workspace_root):
    people = make_people(300)
    people["income"] = np.arange(300) % 70 * 10.0 + 1000
    people.loc[::3, "income"] = -8.0
    people.loc[1::5, "income"] = np.nan
    run, manifest = released(
        tmp_path,
        people,
        variables={
            "stage": {"kind": "ordinal", "categories": ["low", "mid", "high"]},
            "income": {"spikes": [-8], "keep_missing": True},
        },
        synthesis={"visit_sequence": "roman"},
    )
    assert "income" not in [
        n for n, share in manifest["imputation"]["missing_shares"].items() if share
    ]
    for frame in released_sets(run.published.folder):
        assert frame["income"].isna().mean() == pytest.approx(0.2, abs=0.1)
        assert (frame["income"] == -8).mean() == pytest.approx(0.27, abs=0.11)
        ordinary = frame["income"][frame["income"].notna() & (frame["income"] != -8)]
        assert ordinary.between(1000, 1690).all()
        assert frame.drop(columns="income").notna().all(axis=None)
    package = json.loads((run.published.folder / "datapackage.json").read_text())
    fields = {f["name"]: f for f in package["resources"][0]["schema"]["fields"]}
    assert not fields["income"]["constraints"]["required"]
    assert fields["hgt"]["constraints"]["required"]
    assert 'na.strings = ""' in (run.published.folder / "README.md").read_text()


def test_a_survey_file_is_published_with_its_labels_for_every_reader(tmp_path, workspace_root):
    pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")
    people = make_people(120)[["hgt", "stage", "region", "children"]]
    codes = {"stage": ["low", "mid", "high"], "region": ["north", "south", "east"]}
    for name, labels in codes.items():
        people[name] = people[name].map({label: i * 10.0 for i, label in enumerate(labels)})
    people["hgt"] = people["hgt"].where(people.index % 8 > 0, -8)
    pyreadstat.write_sav(
        people.astype(float),
        str(tmp_path / "people.sav"),
        column_labels={"hgt": "Height in cm"},
        variable_value_labels={
            **{name: {i * 10: t for i, t in enumerate(labels)} for name, labels in codes.items()},
            "hgt": {-8: "refused"},
        },
        missing_ranges={"hgt": [-8]},
        variable_measure={"stage": "ordinal", "region": "nominal"},
        variable_format={"children": "F8.0"},
    )
    run, _ = released(
        tmp_path,
        dataset={"source": {"spss": str(tmp_path / "people.sav")}},
        variables={"hgt": {"spikes": [-8]}, "stage": {}},
        imputation={"method": {}, "predictor_matrix": {}},
        synthesis={"method_by_variable": {}, "visit_sequence": "roman"},
        analysis=[{"model": "ols", "formula": "children ~ region"}],
        publish={"formats": ["csv", "parquet", "spss", "stata", "long_csv"]},
    )
    folder = run.published.folder
    assert len(list((folder / "data").iterdir())) == 3 * 4 + 1
    (first, *_) = released_sets(folder)
    frame, meta = pyreadstat.read_sav(str(folder / "data" / "people-1.sav"), user_missing=True)
    labels = {name: dict(enumerate(texts)) for name, texts in codes.items()}
    for name, texts in labels.items():
        assert meta.variable_value_labels[name] == {10 * i: text for i, text in texts.items()}
        assert (frame[name] / 10).map(texts).tolist() == first[name].tolist()
    assert frame["hgt"].tolist() == first["hgt"].tolist()
    assert meta.variable_measure["stage"] == "ordinal"
    assert meta.missing_ranges == {"hgt": [{"lo": -8, "hi": -8}]}
    assert meta.column_names_to_labels["hgt"] == "Height in cm"
    package = json.loads((folder / "datapackage.json").read_text())
    assert package["resources"][0]["schema"]["fields"][0]["title"] == "Height in cm"
    long = pd.read_csv(folder / "data" / "people-long.csv")
    assert long[long[".imp"] == 0].drop(columns=[".imp", ".id"]).isna().all(axis=None)
    assert long[long[".imp"] == 1]["hgt"].tolist() == first["hgt"].tolist()

    code = (folder / "README.md").read_text().split("```r\n")[1].split("```")[0]
    printed = run_r(code, folder, "mice").splitlines()[-3:]
    pooled = pd.read_csv(folder / "inference" / "pooled-1.csv")
    found = np.array([line.split()[2:4] for line in printed], dtype=float)
    np.testing.assert_allclose(found, pooled[["estimate", "std_error"]], rtol=1e-6)


def test_strata_smoothing_rules_and_another_number_of_rows(tmp_path, workspace_root):
    run, manifest = released(
        tmp_path,
        synthesis={
            "k": 70,
            "strata": ["region"],
            "min_stratum_size": 10,
            "smoothing": "density",
            "rules": {"smoker": {"hgt > 170": False}},
        },
    )
    assert (manifest["synthesis"]["n"], manifest["synthesis"]["k"]) == (90, 70)
    for frame in released_sets(run.published.folder):
        assert len(frame) == 70
        assert not frame.loc[frame["hgt"] > 170, "smoker"].any()
    assert {"self_linkage", "own_value"} <= set(run.made.ledger["metric"])


def test_models_without_donors_may_be_published(tmp_path, workspace_root):
    run, _ = released(tmp_path, synthesis={"donor_free": True}, publish={"synthesizer": True})
    folder = run.published.folder
    synthesizer = load_portable(folder / "synthesizer.json")
    assert synthesizer.draw_table(seed=1).shape == (90, 8)
    assert str(MARKER) not in (folder / "synthesizer.json").read_text()
    assert "load_portable" in (folder / "README.md").read_text()
    # What was measured is what is published: the sets come from the same models.
    again = synthesizer.draw(run.context.secrets().seed, 1)
    np.testing.assert_array_equal(again, run.context.workspace().read_table(run.sets[0])[0])


@pytest.mark.parametrize("method", ["rf", "norm.boot", "pmm"])
def test_every_method_can_be_stored_between_tasks(tmp_path, workspace_root, method):
    methods = {"bmi": BMI, "wgt": method}
    run, _ = released(tmp_path, synthesis={"m": 2, "method_by_variable": methods})
    assert len(released_sets(run.published.folder)) == 2


def test_a_partial_synthesis_says_what_is_real(tmp_path, workspace_root, real):
    run, manifest = released(tmp_path, synthesis={"keep": ["region"], "rows": "hgt > 165"})
    frame = run.context.workspace().read_frame(run.sets[0])
    rows = real["hgt"] > 165
    assert frame["region"].equals(real["region"])
    assert (frame.loc[~rows, "wgt"] == real.loc[~rows, "wgt"]).all()
    assert (frame.loc[rows, "wgt"] == real.loc[rows, "wgt"]).mean() < 0.2
    assert manifest["synthesis"]["kept"] == ["region"]
    for file in ("README.md", "report.html"):
        text = (run.published.folder / file).read_text()
        assert "the columns region are those of the real data" in text


# --- failures -------------------------------------------------------------------------------------


@pytest.fixture
def target(tmp_path, workspace_root) -> dict[str, str]:
    return {"to": str(tmp_path / "releases")}


def test_a_failure_while_publishing_leaves_no_trace_of_a_release(again, run, target, monkeypatch):
    context = replace(run.context, target=target["to"])

    def fail(*_):
        raise RuntimeError(f"while writing {MARKER}")

    monkeypatch.setattr("synth_tasks.tasks.publish.make_datapackage", fail)
    with pytest.raises(SynthError, match=r"^publish failed: RuntimeError in publish\.py"):
        publish.fn(context, run.made)
    assert list((Path(target["to"]) / "people").iterdir()) == []


def test_unreadable_data_are_refused_without_a_value(site, target, tmp_path):
    folder = make_site(tmp_path / "bad")
    text = (folder / "people.csv").read_text().replace("south", str(MARKER), 1)
    (folder / "people.csv").write_text(text)
    labels = {"kind": "nominal", "categories": ["north", "south", "east"]}
    spec = people_spec(folder, variables={"region": labels}, publish=target)
    with pytest.raises(DataError, match=r"column 'region' has 1 value.s. outside") as caught:
        ingest.fn(prepare(spec))
    assert str(MARKER) not in str(caught.value)


def test_holes_that_stay_are_refused_by_the_name_of_the_column(site, target):
    imputation = {"method": {"bmi": "", "wgt": ""}, "predictor_matrix": {}}
    context = prepare(people_spec(site, imputation=imputation, publish=target))
    with pytest.raises(PlanError, match="imputation: column 'wgt' still has 6 missing values"):
        impute.fn(context, ingest.fn(context).ref)


def test_a_planted_error_fails_the_suite_of_the_set(run):
    workspace = run.context.workspace()
    matrix, schema = workspace.read_table(run.sets[0])
    matrix[3, schema.position("bmi")] += 0.5
    matrix[4, schema.position("region")] = np.nan
    ref = workspace.write_table(workspace.folder / "planted.parquet", matrix, schema)
    result = validate.fn(run.context, ref, "synthetic", "planted")
    assert [c.description for c in result.failures("critical")] == [
        "region is never missing",
        "bmi is exactly what its formula gives",
    ]


def test_the_gate_refuses_with_the_rows_of_the_ledger(run, tmp_path, target):
    write_people(tmp_path)
    write_gate(tmp_path, gate_item("spmse_marginal", max_value=0.001))
    context = prepare(people_spec(tmp_path, publish=target))
    with pytest.raises(GateError, match=r"spmse_marginal .* set [123]: value .*allowed ≤ 0.001"):
        refuse_failures(apply_gate.fn(context, run.made.ledger))


def test_a_broken_policy_is_found_before_anything_is_started(tmp_path):
    write_gate(tmp_path, {**gate_item("spmse_marginal", max_value=1), "meta": {}})
    with pytest.raises(SynthError, match=r"expectation 1 of 'gate.json' lacks meta.metric"):
        load_policy(people_spec(tmp_path), gate=None)


def test_data_without_holes_need_no_imputation(tmp_path, target):
    people = make_people().dropna()
    context = prepare(people_spec(make_site(tmp_path / "whole", people), publish=target))
    ingested, completed, _, _ = draw(context)
    assert sum(ingested.missing_values.values()) == 0
    raw, done = (context.workspace().read_table(r)[0] for r in (ingested.ref, completed.refs[0]))
    np.testing.assert_array_equal(raw, done)


def test_the_source_is_read_as_the_stage_reads_it(run, site):
    table = load_source(run.context.spec)
    np.testing.assert_array_equal(
        table.matrix, run.context.workspace().read_table(run.made.ingested.ref)[0]
    )


def test_the_published_figures_do_not_add_up_to_real_counts(run):
    """With m sets, m values of one S_pMSE are m equations in the real counts of a variable."""
    ledger = pd.read_csv(run.published.folder / "validation" / "ledger.csv")
    by_variable = {"spmse_marginal", "spmse_pair", "correlation_difference", "own_value", "UiO"}
    assert not by_variable & set(ledger["metric"])
    results = json.loads((run.published.folder / "validation" / "results.json").read_text())
    details = " ".join(check["detail"] for suite in results for check in suite["checks"])
    assert not [metric for metric in by_variable if metric in details]

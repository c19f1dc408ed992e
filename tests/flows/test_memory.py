"""What there is no memory for is refused before its data are read."""

import pytest
import yaml

from flows import command_line, frontier, release, study
from flows.partitioned import make_parts
from synth_tasks.errors import SpecError
from synth_tasks.tasks.context import prepare
from synth_tasks.tasks.part_ingest import ingest_parts
from tests.release.builders import make_site, people_content
from tests.tasks.part_releasing import census_site, census_spec


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))


@pytest.mark.parametrize(
    ("flow", "reader"), [(release, release), (study, command_line), (frontier, frontier)]
)
def test_a_file_is_refused_by_its_size(tmp_path, monkeypatch, capsys, flow, reader):
    site = make_site(tmp_path / "site")
    text = yaml.safe_dump(people_content(run={"memory_gb": 0.1}))
    (site / "spec.yaml").write_text(text)
    monkeypatch.setattr(reader, "load_source", None)  # nothing is read
    assert flow.main(["--spec", str(site / "spec.yaml")]) == 2
    assert "and 0.1 GB may be used" in capsys.readouterr().err


def test_parts_are_refused_when_their_strata_are_known(tmp_path, capsys):
    site = census_site(tmp_path / "site")
    content = census_spec(site, run={"memory_gb": 0.1}).model_dump(mode="json", exclude_unset=True)
    content.pop("base", None)
    (site / "spec.yaml").write_text(yaml.safe_dump(content))
    assert release.main(["--spec", str(site / "spec.yaml")]) == 2
    assert "strata of up to" in capsys.readouterr().err
    assert release.main(["--spec", str(site / "spec.yaml"), "--dry-run"]) == 0


def test_a_flow_that_was_started_elsewhere_refuses_them_after_the_reading(tmp_path):
    context = prepare(census_spec(census_site(tmp_path / "site"), run={"memory_gb": 0.1}))
    ingested = ingest_parts.fn(context)
    with pytest.raises(SpecError, match=r"strata of up to \d+ rows .* 0.1 GB may be used"):
        make_parts(context, ingested, None)

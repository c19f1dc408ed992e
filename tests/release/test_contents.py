from pathlib import Path

import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.errors import SynthError
from synth_tasks.release.bundle import write_json, write_manifest, write_public
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.contents import read_contents, read_figures
from synth_tasks.release.formats import write_data
from synth_tasks.release.manifest import make_datapackage
from tests.release.builders import make_site, people_spec

FRAME = pd.DataFrame({"hgt": [1.1, 0.1 + 0.2, 3.0], "code": ["NA", "b", "None"]})
LEDGER = "family,metric,target,keys,set,value\ndisclosure,self_linkage,,,1,0.01\n"


def write_release(folder: Path, tmp_path: Path, formats: list[str]) -> Path:
    """Write a release of two sets with the functions that publish."""
    folder.mkdir()
    spec = people_spec(make_site(tmp_path / "site"))
    schema, codebook = infer_schema(FRAME), Codebook()
    files = write_data(folder, "people", [FRAME, FRAME], formats, schema, codebook)
    package = make_datapackage(spec, schema, "1-abababab", folder, files, codebook)
    write_json(folder / "datapackage.json", package)
    write_public(folder / "validation" / "ledger.csv", LEDGER)
    for number in (2, 10):
        table = f"analysis,term,estimate,std_error\nols: {number},NA,1.5,\n"
        write_public(folder / "inference" / f"pooled-{number}.csv", table)
    write_manifest(folder, {"digest": "ab" * 32, "name": "people"})
    return folder


@pytest.mark.parametrize("formats", [["parquet", "csv"], ["csv"]], ids=["both", "CSV only"])
def test_sets_are_read_as_they_were_written(tmp_path: Path, formats: list[str]) -> None:
    contents = read_contents(write_release(tmp_path / "release", tmp_path, formats))
    assert len(contents.sets) == 2
    assert contents.sets[0]["hgt"].tolist() == pytest.approx(FRAME["hgt"].tolist(), rel=1e-15)
    assert contents.sets[0]["code"].tolist() == ["NA", "b", "None"]
    assert list(contents.fields) == ["hgt", "code"]


def test_figures_and_estimates_are_read_in_the_order_of_the_analyses(tmp_path: Path) -> None:
    contents = read_contents(write_release(tmp_path / "release", tmp_path, ["csv"]))
    assert contents.estimates["analysis"].tolist() == ["ols: 2", "ols: 10"]
    assert contents.estimates["term"].tolist() == ["NA", "NA"]
    assert contents.estimates["std_error"].isna().all()
    assert contents.ledger["value"].tolist() == [0.01]


def test_names_that_look_like_numbers_or_missing_values_are_names(tmp_path: Path) -> None:
    path = tmp_path / "pooled-1.csv"
    path.write_text("analysis,rule,term,estimate\nmean: 2020,none,2019,1\nmean: 2020,null,NA,\n")
    found = read_figures(path)
    assert found["term"].tolist() == ["2019", "NA"]
    assert found["rule"].tolist() == ["none", "null"]
    assert found["estimate"].tolist()[0] == 1
    assert found["estimate"].isna().tolist() == [False, True]


def test_a_release_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    folder = write_release(tmp_path / "release", tmp_path, ["csv"])
    (folder / "data" / "people-1.csv").write_text("hgt,code\n1,b\n")
    with pytest.raises(SynthError, match="changed after publication"):
        read_contents(folder)


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, {"digest": "ab" * 32})
    with pytest.raises(SynthError, match=r"datapackage\.json is missing"):
        read_contents(tmp_path)
    write_json(tmp_path / "datapackage.json", {"resources": []})
    write_manifest(tmp_path, {"digest": "ab" * 32})
    with pytest.raises(SynthError, match="lists no synthetic sets"):
        read_contents(tmp_path)

import re
from pathlib import Path

import pandas as pd

from flows.release import main
from synth_tasks.data import Kind, infer_schema
from tests.benchmarks.census import census, census_block, write_census


def test_a_longer_census_begins_with_a_shorter_one():
    short, long = census(1000), census(60_000)
    assert (short.shape, long.shape) == ((1000, 20), (60_000, 20))
    pd.testing.assert_frame_equal(long.head(1000), short)
    pd.testing.assert_frame_equal(long.tail(10_000).reset_index(drop=True), census_block(1, 10_000))


def test_files_hold_the_census(tmp_path):
    folder = write_census(tmp_path / "census", 60_000)
    pd.testing.assert_frame_equal(pd.read_parquet(folder), census(60_000))


def test_there_are_twenty_regions_all_kinds_and_holes_in_one_column():
    frame = census(20_000)
    kinds = {variable.kind for variable in infer_schema(frame)}
    assert kinds == {*Kind} - {Kind.STRING}
    assert frame["region"].nunique() == 20
    assert frame.columns[frame.isna().any()].tolist() == ["income"]
    assert frame["work"].nunique() == len(frame["work"].cat.categories)


def test_columns_depend_on_each_other():
    frame = census(20_000)
    assert frame["income"].corr(frame["hours"]) > 0.3
    assert frame.groupby("school", observed=True)["income"].mean().is_monotonic_increasing
    by_region = frame.groupby("region", observed=True)["urban"].mean()
    assert by_region.max() - by_region.min() > 0.1
    assert (frame.loc[frame["status"] != "employed", "hours"] == 0).all()


def test_the_guide_shows_the_specification_that_its_command_needs(tmp_path, monkeypatch, capsys):
    guide = Path(__file__).parents[2] / "deployments" / "README.md"
    command, specification = re.findall(
        r"```bash\n(python -m tests.benchmarks.census .*?)```.*?```yaml\n(.*?)```",
        guide.read_text(),
        re.DOTALL,
    )[0]
    assert command.splitlines()[-1] == "python -m flows.release --spec census.yaml"
    monkeypatch.setenv("SYNTH_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "census.yaml").write_text(specification)
    write_census(tmp_path / "census", 20_000)
    assert main(["--spec", "census.yaml", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "census: 20000 rows" in shown
    assert "no step holds it" in shown

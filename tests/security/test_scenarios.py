"""Whatever happens to a run: nothing is lost, nothing leaks, and the next one ends with equal bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security import crashes
from tests.security.__main__ import HEAD, SCENARIOS, main
from tests.security.releasing import Place, count_differences
from tests.security.tally import Lab, Tally


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


def test_a_release_that_was_killed_is_taken_up_and_ends_with_the_same_bytes(lab: Lab) -> None:
    assert crashes.random_kills(lab, times=1) == Tally(times=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_clean(lab: Lab, name: str) -> None:
    _, _, quick = SCENARIOS[name]
    tally = quick(lab)
    if tally.times == 0:
        pytest.skip(tally.note)
    assert (tally.lost, tally.leaked, tally.different) == (0, 0, 0), tally


# --- what is counted ------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.of_markers(tmp_path)


def finish_stage(place: Place, name: str) -> Path:
    result = place.workspace / "people" / "stages" / name / "result.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text("{}")
    return result


def test_a_stage_that_is_computed_again_is_a_loss(place: Place) -> None:
    finish_stage(place, "raw-1")
    assert place.count_losses() == 0
    finish_stage(place, ".set-1.draft")
    finish_stage(place, "set-1").with_suffix(".other").write_text("{}")
    assert (place.count_losses(), place.n_stages()) == (0, 2)
    again = place.workspace / "people" / "stages" / "set-1" / "result.other"
    again.replace(again.with_suffix(".json"))
    assert place.count_losses() == 1


def test_a_stage_that_vanishes_is_a_loss(place: Place) -> None:
    result = finish_stage(place, "raw-1")
    assert place.count_losses() == 0
    result.unlink()
    assert place.count_losses() == 1


def test_half_a_release_and_a_wrong_latest_are_losses(place: Place) -> None:
    version = place.out / "people" / "1-00000000"
    version.mkdir(parents=True)
    (place.out / "people" / "latest").symlink_to("2-00000000")
    assert place.count_losses() == 2
    version.rmdir()
    assert place.count_losses() == 2  # it has vanished, and `latest` is still wrong


def test_files_that_differ_or_are_not_there_are_counted() -> None:
    assert count_differences({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""}) == 2


def test_only_what_was_done_without_damage_is_clean() -> None:
    assert Tally(times=1).clean
    assert not Tally().clean
    assert not any(Tally(times=1, **{what: 1}).clean for what in ("lost", "leaked", "different"))


# --- the table ------------------------------------------------------------------------------------


@pytest.fixture
def _two_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(lab: Lab) -> Tally:
        raise AssertionError(lab.folder.name)

    monkeypatch.setitem(SCENARIOS, "kills", ("killed", lambda _: Tally(50), lambda _: Tally(3)))
    monkeypatch.setitem(SCENARIOS, "clock", ("clock", lambda _: Tally(2, 0, 1, 0, "why"), fails))


@pytest.mark.usefixtures("_two_scenarios")
def test_the_table_has_a_row_for_each_scenario(capsys, tmp_path: Path) -> None:
    assert main(["kills", "clock", "--folder", str(tmp_path)]) == 1
    output = capsys.readouterr()
    rows = "| killed | 50 | 0 | 0 | 0 |\n| clock (why) | 2 | 0 | 1 | 0 |\n"
    assert output.out == HEAD + rows
    assert "error: not clean: clock" in output.err


@pytest.mark.usefixtures("_two_scenarios")
def test_a_scenario_that_breaks_is_not_clean(capsys, tmp_path: Path) -> None:
    assert main(["--quick", "clock", "--folder", str(tmp_path)]) == 1
    assert "did not end as it should) | 0 |" in capsys.readouterr().out
    assert main(["--quick", "kills", "--folder", str(tmp_path)]) == 0


def test_an_unknown_scenario_is_named(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["flood"])
    assert "unknown: flood" in capsys.readouterr().err

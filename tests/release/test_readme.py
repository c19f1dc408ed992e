import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from synth_tasks import fit_model, pool
from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.inference import RULES
from synth_tasks.release.formats import write_data
from synth_tasks.release.readme import POOLING, make_readme
from tests.r import run_r
from tests.release.builders import people_spec


def make_sets(m: int, rename: dict[str, str] | None = None) -> list[pd.DataFrame]:
    rng = np.random.default_rng(5)
    sets = []
    for _ in range(m):
        x = rng.normal(size=60).round(3)
        frame = pd.DataFrame(
            {
                "x": x,
                "n": pd.array(rng.poisson(3, 60), dtype="Int64"),
                "y": (x + rng.normal(size=60)).round(3),
                "g": pd.Categorical(
                    rng.choice(["north", "east"], 60), categories=["north", "east"]
                ),
                "s": pd.Categorical(
                    rng.choice(["I", "II", "III"], 60), categories=["I", "II", "III"], ordered=True
                ),
                "b": pd.array(rng.random(60) > 0.5, dtype="boolean"),
            }
        )
        sets.append(frame.rename(columns=rename or {}))
    return sets


def write(
    folder,
    sets,
    formulas=(),
    formats=("parquet", "csv"),
    missing=0.0,
    r=1,
    kept=(),
    n=None,
    schema=None,
    rule=None,
) -> str:
    spec = people_spec(
        folder,
        analysis=[{"model": "ols", "formula": formula} for formula in formulas],
        publish={"formats": list(formats)},
        synthesis={"keep": list(kept)},
        dataset={"licence": "CC0-1.0", "description": "About people."},
    )
    write_data(folder, "people", sets, formats)
    manifest = {
        "version": "1-abababab",
        "synthesis": {
            "m": len(sets) // r,
            "r": r,
            "sets": len(sets),
            "n": n or len(sets[0]),
            "k": len(sets[0]),
            "kept": list(kept),
        },
        "imputation": {"missing_shares": {"x": missing, "y": 0.0}},
        "pooling_rule": rule or ("reiter2004" if r > 1 else "reiter2003"),
    }
    return make_readme(spec, schema or infer_schema(sets[0]), manifest)


def block(readme: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)
    return found


def read_printed(text: str) -> pd.DataFrame:
    rows = [line.split() for line in text.splitlines()[1:]]
    return pd.DataFrame({r[0]: [float(r[-2]), float(r[-1])] for r in rows}).T


def run_python(readme: str, folder) -> pd.DataFrame:
    """Run the code as a reader would, in the folder of the release, and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", block(readme, "python")], cwd=folder, capture_output=True, text=True
    )
    assert done.stderr == ""
    return read_printed(done.stdout)


def run_here(readme: str, folder, monkeypatch, capsys) -> pd.DataFrame:
    """Run the code in this process, which has loaded its libraries already."""
    monkeypatch.chdir(folder)
    exec(block(readme, "python"), {})  # noqa: S102
    return read_printed(capsys.readouterr().out)


@pytest.mark.parametrize("formats", [("parquet", "csv"), ("csv",)])
def test_the_python_code_runs_and_agrees_with_the_package(tmp_path, formats):
    sets = make_sets(10)
    readme = write(tmp_path, sets, ["y ~ s", "y ~\n x+ n + g"], formats)
    printed = run_python(readme, tmp_path)
    formula = "y ~ x + n + g"
    if formats == ("csv",):  # a CSV file does not know that north comes first
        sets = [s.assign(g=s["g"].astype(str)) for s in sets]
    table = pool([fit_model(s, "ols", formula) for s in sets]).table
    assert len(printed) == 4
    by_size = np.argsort(table["estimate"].to_numpy())
    np.testing.assert_allclose(
        printed.sort_values(0).to_numpy(),
        table[["estimate", "std_error"]].to_numpy()[by_size],
        atol=1e-6,
    )


def test_the_code_for_nested_sets_agrees_with_the_package(tmp_path, monkeypatch, capsys):
    sets = make_sets(6)
    readme = write(tmp_path, sets, ["y ~ x + n"], missing=0.2, r=2)
    printed = run_here(readme, tmp_path, monkeypatch, capsys)
    fits = [fit_model(s, "ols", "y ~ x + n") for s in sets]
    table = pool(fits, rule="reiter2004", r=2).table
    np.testing.assert_allclose(printed.to_numpy(), table[["estimate", "std_error"]], atol=1e-6)
    assert 'for s in sets], rule="reiter2004", r=2).table' in readme
    assert "nest <- rep(1:3, each = 2)" in block(readme, "r")
    assert "they were imputed M = 3" in readme
    assert "imputed once" not in readme


@pytest.mark.parametrize("r", [1, 2])
def test_the_code_for_sets_of_another_size_agrees_with_the_package(
    tmp_path, monkeypatch, capsys, r
):
    sets = make_sets(6)
    readme = write(tmp_path, sets, ["y ~ x + n"], r=r, n=300)
    printed = run_here(readme, tmp_path, monkeypatch, capsys)
    fits = [fit_model(s, "ols", "y ~ x + n") for s in sets]
    table = pool(fits, rule="reiter2004" if r > 1 else "reiter2003", r=r, n=300).table
    np.testing.assert_allclose(printed.to_numpy(), table[["estimate", "std_error"]], atol=1e-6)
    assert "multiply the variances within sets by 60/300" in readme
    assert ", n=300).table" in readme


@pytest.mark.parametrize("n", [60, 240])
@pytest.mark.parametrize("rule", ["rrr2003", "raab2016", "raab2016_proper", "population_synthetic"])
def test_the_code_for_other_rules_agrees_with_the_package(tmp_path, monkeypatch, capsys, rule, n):
    sets = make_sets(6)
    readme = write(tmp_path, sets, ["y ~ x + n"], n=n, rule=rule)
    printed = run_here(readme, tmp_path, monkeypatch, capsys)
    fits = [fit_model(s, "ols", "y ~ x + n") for s in sets]
    table = pool(fits, rule=rule, n=n).table
    np.testing.assert_allclose(printed.to_numpy(), table[["estimate", "std_error"]], atol=1e-6)
    size = ", n=240" if n > 60 else ""
    assert f'for s in sets], rule="{rule}"{size}).table' in readme
    resized = n > 60 and rule.startswith("raab")
    assert ("multiply the variances within sets by 60/240" in readme) == resized


def test_every_rule_for_synthetic_sets_is_explained():
    assert set(POOLING) == {
        rule for rule in RULES if rule not in ("rubin1987", "population_imputed")
    }


R_SCRIPT = shutil.which("Rscript")


@pytest.mark.skipif(R_SCRIPT is None, reason="R is not installed")
@pytest.mark.parametrize("rule", ["rrr2003", "raab2016", "raab2016_proper", "population_synthetic"])
def test_the_r_code_for_other_rules_agrees_with_the_package(tmp_path, rule):
    sets = make_sets(4)
    readme = write(tmp_path, sets, ["y ~ x + n"], ("csv",), n=240, rule=rule)
    done = subprocess.run(
        [str(R_SCRIPT), "-e", block(readme, "r")], cwd=tmp_path, capture_output=True, text=True
    )
    printed = pd.DataFrame(
        [[float(v) for v in line.split()[1:]] for line in done.stdout.splitlines()[-3:]]
    )
    fits = [fit_model(s, "ols", "y ~ x + n") for s in sets]
    table = pool(fits, rule=rule, n=240).table
    np.testing.assert_allclose(
        printed.to_numpy(), table[["estimate", "std_error", "df"]], rtol=1e-4
    )


def test_a_partial_synthesis_does_not_claim_that_its_rows_are_nobodys(tmp_path):
    readme = write(tmp_path, make_sets(2), ["y ~ x"], kept=["g"])
    assert "the columns g are those of the real data." in readme
    assert "no row belongs to a person" not in readme
    assert "no row belongs to a person" in write(tmp_path, make_sets(2), ["y ~ x"])


def test_without_a_formula_for_every_language_a_mean_is_shown(tmp_path, monkeypatch, capsys):
    sets = make_sets(2, {"x": "body weight", "n": "class", "y": "in"})
    readme = write(tmp_path, sets, ["`body weight` ~ s"])
    printed = run_here(readme, tmp_path, monkeypatch, capsys)
    means = [s["body weight"].mean() for s in sets]
    assert printed.iloc[0, 0] == pytest.approx(np.mean(means), rel=1e-4)
    assert "lm(`body weight` ~ 1, data = s)" in block(readme, "r")


ODD = {"x": "body weight (kg)", "n": "class", "y": "a+b"}


def test_a_model_of_columns_with_odd_names_runs_in_both_ways(tmp_path, monkeypatch, capsys):
    sets = make_sets(3, ODD)
    readme = write(tmp_path, sets, ["`a+b`~ `body weight (kg)`+class + g"])
    formula = "`a+b` ~ `body weight (kg)` + `class` + g"
    table = pool([fit_model(s, "ols", formula) for s in sets]).table
    estimates = sorted(table["estimate"])
    code = block(readme, "python").replace("# from", "from").replace("# print", "print")
    monkeypatch.chdir(tmp_path)
    exec(code.replace("print(", "shown.append("), {"shown": (shown := [])})  # noqa: S102
    for found in shown:
        np.testing.assert_allclose(sorted(found["estimate"]), estimates, rtol=1e-6)
    assert len(shown) == 2


def test_the_r_code_of_columns_with_odd_names_agrees_with_the_package(tmp_path):
    sets = make_sets(3, ODD)
    formula = "`a+b` ~ `body weight (kg)` + `class` + g"
    code = block(write(tmp_path, sets, [formula], ["csv", "long_csv"]), "r")
    found = last_table(run_r(code, tmp_path, "mice"))
    np.testing.assert_allclose(found, expected_of(sets, formula), rtol=1e-6)
    assert "pool.syn" in code


@pytest.mark.parametrize("name", ["g", "b"])
def test_without_any_number_a_share_is_shown(tmp_path, monkeypatch, capsys, name):
    sets = [s[[name]] for s in make_sets(2)]
    printed = run_here(write(tmp_path, sets), tmp_path, monkeypatch, capsys)
    shares = [(s[name] == (True if name == "b" else "north")).mean() for s in sets]
    assert printed.iloc[0, 0] == pytest.approx(np.mean(shares), rel=1e-4)


def test_where_every_column_keeps_missing_values_their_share_is_shown(
    tmp_path, monkeypatch, capsys
):
    holed = [s[["n", "b"]].mask(pd.Series(np.arange(60) % 4 == 0), axis=0) for s in make_sets(2)]
    keep = VariableOverride(keep_missing=True)
    schema = infer_schema(holed[0], {"n": keep, "b": keep})
    printed = run_here(write(tmp_path, holed, schema=schema), tmp_path, monkeypatch, capsys)
    assert printed.iloc[0, 0] == pytest.approx(0.25)


def test_the_example_is_no_column_that_was_kept(tmp_path):
    readme = write(tmp_path, make_sets(2), kept=["x"])
    assert '"n ~ 1"' in block(readme, "python")


def test_the_r_code_reads_all_sets_and_gives_categories_their_order(tmp_path):
    code = block(write(tmp_path, make_sets(10), ["y ~ x + g"]), "r")
    assert 'sprintf("data/people-%02d.csv", i)' in code
    assert "lapply(1:10," in code
    assert 's[["g"]] <- factor(s[["g"]], levels = c("north", "east"))' in code
    assert 's[["b"]] <- toupper(s[["b"]]) == "TRUE"' in code
    ordered = 's[["s"]] <- factor(s[["s"]], levels = c("I", "II", "III"), ordered = TRUE)'
    assert ordered in code
    assert "lm(y ~ x + g, data = s)" in code
    assert "b / 10" in code


def test_without_csv_the_r_code_reads_parquet(tmp_path):
    code = block(write(tmp_path, make_sets(2), ["y ~ x"], ["parquet"]), "r")
    assert 'arrow::read_parquet(sprintf("data/people-%d.parquet", i))' in code
    assert "read.csv" not in code


def test_labels_with_quotes_stay_labels_in_r(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5], "g": pd.Categorical(['a "b"', "c\\d"])})
    code = block(write(tmp_path, [frame, frame]), "r")
    assert r'levels = c("a \"b\"", "c\\d")' in code


def test_the_readme_says_what_the_release_is(tmp_path):
    readme = write(tmp_path, make_sets(3), ["y ~ x"])
    assert readme.startswith("# People\n\nAbout people.\n")
    assert "3 synthetic data sets of 60 rows each, version 1-abababab, licence CC0-1.0." in readme
    assert "no formal privacy guarantee" in readme
    assert "imputed" not in readme


def test_the_readme_warns_of_imputed_values(tmp_path):
    readme = write(tmp_path, make_sets(2), ["y ~ x"], missing=0.17)
    assert "The real data had holes (x 17%); they were imputed once before synthesis." in readme


def test_formulas_that_the_languages_read_differently_are_not_shown(tmp_path):
    # An ordered factor has polynomial contrasts in R, a nullable boolean stops patsy.
    for formula in ["y ~ s", "y ~ b", "y ~ x * g", "y ~ .", "log(y) ~ x"]:
        code = block(write(tmp_path, make_sets(2), [formula]), "python")
        assert '"x ~ 1"' in code


# --- R --------------------------------------------------------------------------------------------


def last_table(printed: str) -> np.ndarray:
    """Read estimate, standard error and degrees of freedom of what the code prints last."""
    lines = printed.strip().splitlines()
    start = max(i for i, line in enumerate(lines) if line.split()[-1] in ("df", "p.value"))
    header = lines[start].replace("p.value", "p").split()
    header = [name for name in header if name != "term"]
    rows = [line.split()[-len(header) :] for line in lines[start + 1 :]]
    frame = pd.DataFrame(rows, columns=header).astype(float)
    error = "std.error" if "std.error" in frame else "std_error"
    return frame[["estimate", error, "df"]].to_numpy()


def expected_of(sets, formula: str, **options) -> np.ndarray:
    table = pool([fit_model(s, "ols", formula) for s in sets], **options).table
    return table[["estimate", "std_error", "df"]].to_numpy()


@pytest.mark.parametrize("n", [None, 300])
@pytest.mark.parametrize("r", [1, 2])
def test_the_r_code_agrees_with_the_package(tmp_path, r, n):
    sets = make_sets(6)
    code = block(write(tmp_path, sets, ["y ~ x + g"], r=r, n=n), "r")
    rule = "reiter2004" if r > 1 else "reiter2003"
    expected = expected_of(sets, "y ~ x + g", rule=rule, r=r, n=n)
    np.testing.assert_allclose(last_table(run_r(code, tmp_path)), expected, rtol=1e-6)


def test_mice_pools_the_long_file_as_the_package_does(tmp_path):
    sets = make_sets(5)
    readme = write(tmp_path, sets, ["y ~ x + n + g"], ["csv", "long_csv"])
    printed = run_r(block(readme, "r"), tmp_path, "mice")
    assert "std.error" in printed.splitlines()[-5]
    expected = expected_of(sets, "y ~ x + n + g")
    np.testing.assert_allclose(last_table(printed), expected, rtol=1e-6)
    assert "`data/people-long.csv`: all sets in one file, for `mice::as.mids`" in readme


@pytest.mark.parametrize("options", [{"r": 2}, {"n": 300}])
def test_no_rule_of_mice_is_offered_where_it_would_be_wrong(tmp_path, options):
    readme = write(tmp_path, make_sets(6), ["y ~ x"], ["csv", "long_csv"], **options)
    assert "pool.syn(" not in readme
    assert "`pool.syn` has no rule for these sets: pool as above" in readme


def test_mice_is_not_shown_where_it_would_confuse_columns(tmp_path):
    names = {"n": "a b", "y": "a.b"}
    readme = write(tmp_path, make_sets(3, names), ["x ~ g"], ["csv", "long_csv"])
    assert "pool.syn" not in readme
    assert "`data/people-long.csv`" in readme


def test_categories_that_look_like_numbers_or_truth_values_stay_categories_in_r(tmp_path):
    rng = np.random.default_rng(3)
    sets = [
        pd.DataFrame(
            {
                "y": rng.normal(size=50).round(2),
                "a b": pd.Categorical(rng.choice(["T", "F"], 50), categories=["T", "F"]),
                "c": pd.Categorical(rng.choice(["02", "01", "1"], 50), ["02", "01", "1"]),
                "d": pd.Categorical(rng.choice([0.5, 1.0, 2.0], 50), [0.5, 1.0, 2.0]),
            }
        )
        for _ in range(3)
    ]
    readme = write(tmp_path, sets, ["y ~ c"], ["csv", "long_csv"])
    show = "\nfor (s in list(sets[[1]], complete(imp, 1))) cat(unlist(lapply(s[-1], table)), '\\n')"
    printed = run_r(block(readme, "r") + show, tmp_path, "mice").splitlines()
    counts = [sets[0][name].value_counts(sort=False) for name in ("a b", "c", "d")]
    expected = [str(count) for column in counts for count in column]
    assert [line.split() for line in printed[-2:]] == [expected, expected]


def test_names_that_mice_cannot_use_are_changed_as_r_does(tmp_path):
    names = {"x": "body weight", "n": "1st", "y": "in", "g": "größe", "s": "_s", "b": ".5"}
    sets = make_sets(3, names)
    readme = write(tmp_path, sets, (), ["csv", "long_csv"])
    code = block(readme, "r")
    assert "lm(body.weight ~ 1)" in code
    printed = run_r(
        code + "\ncat(names(complete(imp, 1)), names(categories), sep = '|')", tmp_path, "mice"
    )
    assert printed.splitlines()[-1] == "body.weight|X1st|in.|größe|X_s|X.5|größe|X_s"

import threading
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.ledger import Measurement, make_ledger
from synth_tasks.release import pictures
from synth_tasks.release.results import AnalysisResult


def draw_table(n: int = 80, seed: int = 1) -> pd.DataFrame:
    """Every kind of variable, with missing values."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "number": x,
            "count": rng.poisson(3, n),
            "flag": x > 0,
            "group": pd.Categorical(rng.choice(["a", "b", "c"], n), categories=["a", "b", "c"]),
            "stage": pd.Categorical(
                rng.choice(["I", "II", "III"], n), categories=["I", "II", "III"], ordered=True
            ),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D"),
        }
    )
    frame.loc[:7, "number"] = np.nan
    return frame


def draw_wide(columns: int, n: int = 30, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, columns)), columns=[f"v{i}" for i in range(columns)])


def estimates(terms: int = 3, shift: float = 0.0) -> pd.DataFrame:
    scale = 10.0 ** np.arange(terms)
    return pd.DataFrame(
        {
            "term": [f"t{i}" for i in range(terms)],
            "estimate": scale + shift,
            "std_error": scale / 10,
            "conf_low": 0.8 * scale + shift,
            "conf_high": 1.2 * scale + shift,
        }
    )


def an_analysis(terms: int = 3) -> AnalysisResult:
    return AnalysisResult("ols: y ~ x", "reiter2003", estimates(terms), estimates(terms, 0.1))


def a_ledger(names: list[str], sets: int = 2) -> pd.DataFrame:
    rows = []
    for number in range(1, sets + 1):
        rows += [
            Measurement("utility", "spmse_marginal", 1.0, target=name, set_number=number)
            for name in names
        ]
        rows += [
            Measurement("utility", "spmse_pair", 4.0 * number, target=f"{a}:{b}", set_number=number)
            for i, a in enumerate(names)
            for b in names[i + 1 :]
        ]
        rows += [
            Measurement("disclosure", "exact_match", 0.0, "", "", number, 0.0, 0.01, 0.0),
            Measurement("disclosure", "self_linkage", 0.2, "", "", number, 0.1, 0.3, 0.01),
            Measurement("disclosure", "repU", 3.0, keys="age+sex", set_number=number),
            Measurement("disclosure", "new_attack", 0.3, target="x", set_number=number),
            Measurement("disclosure", "new_attack", 0.7, target="y", set_number=number),
        ]  # fmt: skip
    rows.append(Measurement("disclosure", "self_linkage_average", 0.01, null=0.01))
    return make_ledger(rows)


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in parse(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_every_variable_has_a_panel():
    table = draw_table()
    figure = pictures.marginals(infer_schema(table), [draw_table(seed=s) for s in (2, 3)])
    assert [axes.get_title("left") for axes in figure.axes] == list(table.columns)


def test_the_share_of_missing_values_stands_above_the_panel():
    table = draw_table()
    figure = pictures.marginals(infer_schema(table), [table])
    assert figure.axes[0].get_title("right") == "10 % missing"
    assert figure.axes[1].get_title("right") == ""


def test_only_the_first_variables_are_drawn_and_the_picture_says_so():
    table = draw_wide(40)
    svg = pictures.to_svg(pictures.marginals(infer_schema(table), [table]))
    assert "24 of 40 variables" in texts(svg)


def test_only_the_first_sets_are_drawn_and_the_picture_says_so():
    table = draw_wide(2)
    figure = pictures.marginals(infer_schema(table), [table] * 25)
    assert len(figure.axes[0].lines) == 20
    assert "synthetic, the first 20 of 25 sets" in texts(pictures.to_svg(figure))


def test_a_density_integrates_to_one():
    table = draw_wide(1, n=500)
    figure = pictures.marginals(infer_schema(table), [table])
    x, y = figure.axes[0].lines[0].get_data()
    assert np.trapezoid(y, x) == pytest.approx(1, abs=0.02)


def test_a_long_tail_does_not_squeeze_the_rest():
    values = np.r_[np.linspace(0, 1, 999), 1e6]
    table = pd.DataFrame({"x": values})
    figure = pictures.marginals(infer_schema(table), [table])
    assert figure.axes[0].get_xlim()[1] < 2


def test_bars_show_the_share_of_each_category():
    table = pd.DataFrame({"c": ["a"] * 3 + ["b"]})
    figure = pictures.marginals(infer_schema(table), [table])
    assert [patch.get_width() for patch in figure.axes[0].patches] == [75, 25]


def test_many_categories_are_cut_to_the_most_frequent():
    labels = [f"c{i}" for i in range(20)]
    table = pd.DataFrame({"c": pd.Categorical(labels * 2 + ["c7"] * 9, categories=labels)})
    figure = pictures.marginals(infer_schema(table), [table])
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(shown) == 10
    assert "c7" in shown
    assert shown[-1] == "11 others"


@pytest.mark.parametrize("real", [True, False])
def test_constants_and_single_sets_can_be_drawn(real):
    table = pd.DataFrame(
        {"zero": np.zeros(10), "x": np.arange(10.0) ** 2, "d": pd.Timestamp("2020-02-02")}
    )
    schema = infer_schema(table)
    assert len(pictures.marginals(schema, [table], table if real else None).axes) == 3
    pictures.to_svg(pictures.correlations(schema, [table], table if real else None))


def test_a_column_without_observed_values_can_be_drawn():
    table = draw_table()
    empty = table.assign(number=np.nan, count=pd.array([pd.NA] * len(table), dtype="Int64"))
    assert len(pictures.marginals(infer_schema(table), [empty]).axes) == 6


def test_correlations_have_one_panel_and_three_with_real_data():
    table = draw_table()
    schema = infer_schema(table)
    assert len(pictures.correlations(schema, [table]).axes) == 1
    three = pictures.correlations(schema, [table], draw_table(seed=5))
    assert [a.get_title("left") for a in three.axes] == ["real", "synthetic", "synthetic − real"]


def test_the_difference_from_the_same_data_is_zero():
    table = draw_table()
    figure = pictures.correlations(infer_schema(table), [table], table)
    assert {text.get_text() for text in figure.axes[2].texts} == {"0"}


def test_two_variables_make_a_correlation_and_one_makes_a_sentence():
    for columns, expected in ((2, 1), (1, 0)):
        table = draw_wide(columns)
        assert len(pictures.correlations(infer_schema(table), [table]).axes) == expected


def test_each_analysis_has_a_panel():
    analyses = [an_analysis(3), an_analysis(50)]
    for with_real in (True, False):
        figure = pictures.coefficients(analyses, with_real=with_real)
        assert len(figure.axes) == 2
        assert len(figure.axes[1].get_yticks()) == 40
        assert "first 40 of 50 terms" in figure.axes[1].get_title("left")


def test_coefficients_without_real_show_no_real_estimate():
    analysis = an_analysis()
    other = AnalysisResult(analysis.label, analysis.rule, analysis.pooled, estimates(3, 4711.0))
    one, two = (pictures.to_svg(pictures.coefficients([a], False)) for a in (analysis, other))
    assert one == two
    assert "4712" in pictures.to_svg(pictures.coefficients([other], True))


def test_coefficients_that_are_not_finite_or_not_there_are_drawn():
    pooled = estimates().assign(
        conf_low=-np.inf, conf_high=[np.inf, 1.0, 1.0], estimate=[0.0, 0.0, 1.0]
    )
    analysis = AnalysisResult("ols", "reiter2003", pooled, estimates(2))
    assert "0.000 [−∞, ∞]" in texts(pictures.to_svg(pictures.coefficients([analysis], False)))
    assert "– [–, –]" in texts(pictures.to_svg(pictures.coefficients([analysis], True)))


def test_the_decimals_follow_the_interval():
    row = {"estimate": -0.0698, "conf_low": -0.0839, "conf_high": -0.0557}
    assert pictures.format_interval(row) == "−0.0698 [−0.0839, −0.0557]"
    assert (
        pictures.format_interval({"estimate": 1234.5, "conf_low": 900, "conf_high": 1500})
        == "1234 [900, 1500]"
    )


def test_pairs_are_averaged_over_sets_in_the_lower_triangle():
    table = draw_table()
    figure = pictures.pair_utility(a_ledger(list(table.columns)), infer_schema(table))
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert cells.count("1.0") == 6
    assert cells.count("6.0") == 15


def test_names_with_colons_find_their_pairs():
    table = pd.DataFrame({"a:b": [0.1, 0.2], "c": [1.5, 2.5]})
    figure = pictures.pair_utility(a_ledger(["a:b", "c"]), infer_schema(table))
    assert len(figure.axes[0].texts) == 3


def test_of_many_variables_those_with_the_worst_pairs_are_shown():
    table = draw_wide(45)
    ledger = a_ledger(list(table.columns), sets=1)
    ledger.loc[ledger["target"] == "v3:v44", "value"] = 50.0
    figure = pictures.pair_utility(ledger, infer_schema(table))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == 30
    assert {"v3", "v44"} <= set(names)


def test_each_disclosure_metric_has_a_panel_and_averages_join_theirs():
    figure = pictures.disclosure(a_ledger(["x", "y"]))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == [
        "Copies of real rows",
        "Linkage to the source row",
        "Replicated uniques (repU)",
        "new attack",
    ]
    linkage, unknown = figure.axes[1], figure.axes[3]
    assert [label.get_text() for label in linkage.get_yticklabels()] == ["1", "2", "all"]
    assert unknown.get_xlabel() == "largest of all targets"
    assert unknown.lines[0].get_xdata() == [0.7]


def test_an_interval_beyond_the_null_value_has_the_colour_of_alarm():
    copies, linkage = pictures.disclosure(a_ledger(["x"])).axes[:2]
    assert linkage.lines[0].get_color() != copies.lines[0].get_color()
    assert linkage.lines[0].get_color() != linkage.lines[2].get_color()


def test_nothing_measured_makes_a_sentence():
    empty = make_ledger([])
    table = draw_wide(2)
    for figure in (
        pictures.disclosure(empty),
        pictures.pair_utility(empty, infer_schema(table)),
        pictures.coefficients([], with_real=False),
    ):
        assert len(figure.axes) == 0
        assert len(figure.texts) == 1


def test_every_metric_of_the_package_has_a_wording():
    from synth_tasks import disclosure, utility

    every = (
        *disclosure.METRICS,
        *utility.METRICS,
        *utility.GENERAL_METRICS,
        *utility.SPECIFIC_METRICS,
    )
    for metric in every:
        wording = pictures.describe_metric(metric.name)
        assert wording.meaning, metric.name
        assert wording.unit in ("share", "percent", "")


def test_svg_is_named_and_can_be_inlined():
    table = draw_table()
    svg = pictures.to_svg(
        pictures.marginals(infer_schema(table), [table]), "How <to> read & use it"
    )
    root = parse(svg)
    assert svg.startswith("<svg")
    assert root[0].text == "Distributions"
    assert root[1].text == "How <to> read & use it"
    assert root.get("aria-labelledby").split() == [root[0].get("id"), root[1].get("id")]
    assert not root.findall("{http://www.w3.org/2000/svg}metadata")


def test_identifiers_resolve_and_differ_between_pictures():
    table = draw_table()[["number", "stage"]]
    schema = infer_schema(table)
    seen: set[str] = set()
    for figure in (pictures.marginals(schema, [table]), pictures.marginals(schema, [table, table])):
        root = parse(pictures.to_svg(figure))
        identifiers = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(set(identifiers)) == len(identifiers)
        assert seen.isdisjoint(identifiers)
        seen.update(identifiers)
        for element in root.iter():
            link = element.get("{http://www.w3.org/1999/xlink}href", "#").removeprefix("#")
            mask = element.get("clip-path", "url(#)").removeprefix("url(#").removesuffix(")")
            assert {link, mask} - {""} <= set(identifiers)


def test_names_are_text_and_neither_formulas_nor_markup():
    names = ["a$x_1$b", "<script>", 'q id="x"', "new\nline\x07", "体重", "x" * 60]
    table = draw_wide(len(names)).set_axis(names, axis=1)
    written = texts(pictures.to_svg(pictures.marginals(infer_schema(table), [table])))
    assert {"a$x_1$b", "<script>", 'q id="x"', "new line", "体重", "x" * 19 + "…"} <= {
        text.strip() for text in written
    }


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [("1000D", "2059"), ("10D", "2020-05"), ("1D", "2020-01-15"), ("1min", "2020-01-01\n00:15")],
)
def test_dates_are_written_as_coarsely_as_they_are_far_apart(spacing, expected):
    days = pd.date_range("2020-01-01", periods=30, freq=spacing) + pd.Timedelta("1min")
    table = pd.DataFrame({"day": days, "x": range(30)})
    figure = pictures.marginals(infer_schema(table), [table])
    assert expected in [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_pictures_are_deterministic_whatever_the_settings_around():
    table = draw_table()[["number", "stage"]]
    schema = infer_schema(table)
    figure = pictures.marginals(schema, [table])
    first, image = pictures.to_svg(figure), pictures.to_png(figure, 60)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        again = pictures.marginals(schema, [table])
        assert pictures.to_svg(again) == first
        assert pictures.to_png(again, 60) == image
    assert pictures.to_svg(figure) == first
    assert image.startswith(b"\x89PNG")


def test_drawing_leaves_the_settings_alone():
    before = dict(matplotlib.rcParams)
    pictures.to_svg(pictures.coefficients([an_analysis()], True))
    assert dict(matplotlib.rcParams) == before


def test_threads_draw_the_same_picture():
    table = draw_wide(2)
    schema = infer_schema(table)
    found: list[str] = []

    def work() -> None:
        found.append(pictures.to_svg(pictures.marginals(schema, [table])))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1

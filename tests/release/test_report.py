import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.inference import RULES
from synth_tasks.ledger import Measurement, make_ledger
from synth_tasks.release.report import (
    ReportContent,
    render_report,
    render_validation,
    summarise,
    withhold_real,
)
from synth_tasks.release.results import AnalysisResult, Check, SuiteResult

VOID = {"meta", "br", "wbr", "img", "link"}
MARKER = 918273.6455


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are balanced."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def draw_table(seed: int, shift: float = 0.0, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x + shift,
            "y": x + rng.normal(size=n) + shift,
            "g": pd.Categorical(rng.choice(["a", "b"], n), categories=["a", "b"]),
            "s": pd.Categorical(rng.choice(["I", "II"], n), categories=["I", "II"], ordered=True),
        }
    )


def estimates(centre: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "term": ["(Intercept)", "x"],
            "estimate": centre,
            "std_error": 0.1,
            "df": [5.5, np.inf],
            "p_value": [0.0001, 0.0432],
            "conf_low": centre - 0.2,
            "conf_high": centre + 0.2,
        }
    )


def a_ledger(hidden: float = 0.01) -> pd.DataFrame:
    rows = [Measurement("disclosure", "self_linkage_average", 0.02, null=0.01)]
    for number in (1, 2):
        rows += [
            Measurement("utility", "spmse_marginal", 1.25, target="x", set_number=number),
            Measurement("utility", "spmse_pair", 1.5, target="x:y", set_number=number),
            Measurement("utility", "spmse_pair_max", 1.5, set_number=number, null=1.0),
            Measurement("utility", "correlation_difference", hidden, target="x:y", set_number=number),
            Measurement("utility", "missing_rate_difference", hidden, target="x", set_number=number),
            Measurement("disclosure", "exact_match", 0.0, set_number=number, null=0.0),
            Measurement("disclosure", "UiO", hidden, keys="x+g", set_number=number),
            Measurement("disclosure", "own_value", 0.3, target="x", null=hidden, set_number=number),
            Measurement("disclosure", "an_unknown_metric", hidden, set_number=number),
        ]  # fmt: skip
    return make_ledger(rows)


def a_check(success: bool = True, severity: str = "critical", **changes: str) -> Check:
    given = {"name": "expect_something", "description": "x is there", "detail": "", "source": ""}
    return Check(**{**given, **changes}, severity=severity, success=success)


def some_suites(found: str = "") -> list[SuiteResult]:
    return [
        SuiteResult("source", "source", (a_check(detail=f"{found} in the source"),)),
        SuiteResult("synthetic", "set 1", (a_check(detail="0 of 60"),)),
        SuiteResult("synthetic", "set 2", (a_check(detail="0 of 60"),)),
        SuiteResult(
            "gate",
            "ledger",
            (
                a_check(description="no copies", source="Raab & al."),
                a_check(False, "warning", description="pairs", detail="spmse_pair x:y 3.25"),
                a_check(False, "info", description="cor", detail=f"correlation_difference {found}"),
            ),
        ),
    ]


@pytest.fixture(scope="module")
def content() -> ReportContent:
    real = draw_table(0)
    return ReportContent(
        title="Growth <b>& more</b>",
        name="growth",
        version="1-abcdef01",
        description="A small table.",
        licence="CC0-1.0",
        sources=["Somebody (2000). A study."],
        schema=infer_schema(real),
        sets=[draw_table(1), draw_table(2)],
        ledger=a_ledger(),
        suites=some_suites("some"),
        analyses=[AnalysisResult("ols: y ~ x", "reiter2003", estimates(1.5), estimates(1.6))],
        manifest={
            "digest": "12ab",
            "pooling_rule": "reiter2003",
            "packages": {"numpy": "2.4.6", "pandas": "3.1.1"},
            "synthesis": {"n": 60, "k": 60, "proper": False, "methods": {"x": "cart"}},
        },
        real=real,
    )


@pytest.mark.parametrize("name", RULES)
def test_every_pooling_rule_is_explained(content, name):
    analyses = [replace(content.analyses[0], rule=name, unconverged=(2, 4))]
    manifest = {**content.manifest, "pooling_rule": name}
    manifest["synthesis"] = {**manifest["synthesis"], "k": 120}
    html = render_report(replace(content, analyses=analyses, manifest=manifest), private=False)
    wording = RULES[name].wording
    text = unescape(html)
    for said in (wording.name, wording.between, wording.total, wording.df, wording.source):
        assert said in text
    assert ("multiply ū by 120/60 first" in text) == RULES[name].uses_sample_size
    assert "Did not converge on set 2, 4." in text


@pytest.fixture(scope="module")
def public(content) -> str:
    return render_report(content, private=False)


@pytest.fixture(scope="module")
def private(content) -> str:
    return render_report(content, private=True)


@pytest.fixture(scope="module")
def validation(content) -> str:
    return render_validation(content.suites, "Validation of <growth>")


@pytest.mark.parametrize("name", ["public", "private", "validation"])
def test_a_page_is_well_formed_and_loads_nothing(name, request):
    html = request.getfixturevalue(name)
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert {"script", "link", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    policies = [value for name, value in page.attributes if value.startswith("default-src")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    for attribute, value in page.attributes:
        assert not attribute.startswith("on")
        if attribute in ("src", "href", "xlink:href", "action", "data"):
            assert value.startswith("#")
    assert "url(http" not in html
    assert "@import" not in html


@pytest.mark.parametrize("name", ["public", "private", "validation"])
def test_identifiers_are_unique_and_anchors_resolve(name, request):
    attributes = Page(request.getfixturevalue(name)).attributes
    identifiers = [value for name, value in attributes if name == "id"]
    assert len(set(identifiers)) == len(identifiers)
    assert {v[1:] for n, v in attributes if n.endswith("href")} <= set(identifiers)


def test_text_is_escaped(public, validation):
    assert "Growth <b>& more</b>" in Page(public).words
    assert "<growth>" in Page(validation).words
    assert "<b>& more" not in public


def test_hostile_names_of_columns_are_escaped(content):
    hostile = "<script>alert(1)</script>"
    names = {"x": hostile, "g": '"><img src=http://x.y>'}
    sets = [s.rename(columns=names) for s in content.sets]
    page = Page(
        render_report(
            replace(content, sets=sets, schema=infer_schema(sets[0]), real=None), private=False
        )
    )
    assert {"script", "img"}.isdisjoint(page.tags)
    assert hostile in page.words


def test_the_public_report_does_not_depend_on_the_real_data(content, public):
    other = replace(
        content,
        real=draw_table(9, shift=MARKER),
        ledger=a_ledger(hidden=MARKER),
        suites=some_suites(str(MARKER)),
        analyses=[replace(a, real=estimates(MARKER)) for a in content.analyses],
    )
    assert render_report(other, private=False) == public
    assert str(int(MARKER)) not in public
    assert render_report(replace(content, real=None), private=False) == public
    assert str(int(MARKER)) in render_report(other, private=True)


def test_what_is_withheld(content):
    left = withhold_real(content)
    assert left.real is None
    assert all(a.real.empty for a in left.analyses)
    assert set(left.ledger["metric"]).isdisjoint(
        {
            "UiO",
            "own_value",
            "spmse_marginal",
            "spmse_pair",
            "correlation_difference",
            "missing_rate_difference",
            "an_unknown_metric",
        }
    )
    details = [check.detail for suite in left.suites for check in suite.checks]
    assert details == ["", "0 of 60", "0 of 60", "", "", ""]


def test_the_private_report_says_so(public, private):
    banner = "PRIVATE: contains aggregates of the real data"
    assert banner in Page(private).words
    assert banner not in public
    assert "real estimate" in private
    assert "real estimate" not in public


def test_the_same_content_gives_the_same_text(content, public, private, validation):
    assert render_report(content, private=False) == public
    assert render_report(content, private=True) == private
    assert render_validation(content.suites, "Validation of <growth>") == validation
    for html in (public, private, validation):
        assert " object at 0x" not in html


def test_the_report_tells_the_essentials(public):
    words = Page(public).words
    for expected in (
        "growth · version 1-abcdef01 · 2 synthetic sets of 60 rows · CC0-1.0",
        "T = ū + b / m",
        "no formal privacy guarantee",
        "Analyse every set",
        "Somebody (2000). A study.",
        "numpy 2.4.6",
        "1.50 0.10 [1.30, 1.70] 5.5 <.001",
        "met in 2 of 2",
        "s binary I, II",
        "x numeric numbers cart",
    ):
        assert expected in words
    assert public.count("<svg") == 4


def test_pictures_that_have_no_data_are_left_out(content):
    bare = replace(content, ledger=make_ledger([]), suites=[], analyses=[], manifest={}, sources=[])
    for private in (True, False):
        html = render_report(replace(bare, sets=content.sets[:1]), private=private)
        assert html.count("<svg") == 2
        assert "1 synthetic set of 60 rows" in html
        assert "no critical check was made" in html


def test_many_variables_dates_and_booleans(content):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(30, 40)), columns=[f"v{i}" for i in range(40)])
    table["flag"] = table["v0"] > 0
    table["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, 30), unit="D")
    schema = infer_schema(table)
    odd = replace(content, schema=schema, sets=[table], real=table, analyses=[])
    page = Page(render_report(odd, private=False))
    assert "24 of 42 variables" in page.words
    assert "False, True" in page.words
    assert "dates" in page.words


@pytest.mark.parametrize(
    ("checks", "levels", "sentence"),
    [
        ([], ["bad", "info", "info"], "no critical check was made"),
        ([a_check()], ["good", "info", "info"], "the one critical check is met"),
        ([a_check(), a_check()], ["good", "info", "info"], "all 2 critical checks are met"),
        (
            [a_check(False), a_check()],
            ["bad", "info", "info"],
            "Not passed. 1 of 2 critical checks failed: x is there.",
        ),
        ([a_check(), a_check(False, "warning")], ["good", "warning", "info"], "Passed"),
        ([a_check(), a_check(True, "info")], ["good", "info", "good"], "Passed"),
    ],
)
def test_lights(checks, levels, sentence):
    lights = summarise([SuiteResult("gate", "ledger", tuple(checks))])
    assert [light.level for light in lights] == levels
    assert sentence in lights[0].sentence


def test_failures_are_named_but_not_all_of_them():
    checks = [a_check(False, description=f"rule {i}") for i in range(5)]
    light = summarise([SuiteResult("gate", "ledger", tuple(checks))])[0]
    assert "failed: rule 0; rule 1; rule 2; and 2 more." in light.sentence


def test_validation_lists_every_suite_and_check(content, validation):
    words = Page(validation).words
    assert "source source ✓ passed 1 1 0 0 0" in words
    assert "gate ledger ✓ passed 3 1 0 1 1" in words
    assert "pairs expect_ something warning ! failed spmse_pair x:y 3.25" in words
    n_checks = sum(len(suite.checks) for suite in content.suites)
    assert len(re.findall(">expect_<wbr>something<", validation)) == n_checks


def test_validation_of_nothing_is_a_page():
    assert "no critical check was made" in Page(render_validation([], "Empty")).words

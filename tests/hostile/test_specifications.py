import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.release.spec_files import parse_spec, read_spec
from tests.hostile.bounds import bounded
from tests.hostile.strategies import JSON, TEXTS, cases, only_typed_errors, refused
from tests.release.builders import people_content

SECTIONS = {
    name: sorted(field.annotation.model_fields) if hasattr(field.annotation, "model_fields") else []
    for name, field in ReleaseSpec.model_fields.items()
}


def use(spec):
    """Do with a specification what every run does with it, before anything else."""
    spec.digest()
    spec.model_dump_json()
    repr(spec)
    if spec.dataset.source.path is not None:
        spec.find(spec.dataset.source.path)
    spec.find(spec.policy.suite)


@cases()
@given(st.dictionaries(st.sampled_from(sorted(SECTIONS)) | TEXTS, JSON, max_size=4))
def test_any_content_is_accepted_or_refused_in_one_line(tmp_path, content):
    with only_typed_errors():
        use(build_spec(content, tmp_path))


@cases()
@given(st.data())
def test_any_value_in_the_place_of_a_right_one_is_accepted_or_refused(tmp_path, data):
    content = people_content()
    section = data.draw(st.sampled_from(sorted(set(SECTIONS) - {"base"})))
    if isinstance(content.get(section, {}), dict) and SECTIONS[section]:
        key = data.draw(st.sampled_from(SECTIONS[section]) | TEXTS)
        content[section] = {**content.get(section, {}), key: data.draw(JSON)}
    else:
        content[section] = data.draw(JSON)
    with only_typed_errors():
        use(build_spec(content, tmp_path))


YAML_WORDS = st.sampled_from(
    [
        "dataset:", "name:", "x", "source:", "{", "}", "[", "]", ":", "-", "\n", "  ", "\t", "&a",
        "*a", "<<", "!!int", "!!bool", "!!float", "!!timestamp", "!!binary", "!!set", "!!omap",
        "!!python/object:os.system", "!!null", "? ", "|", ">", "'", '"', "#", "%YAML 9.9", "---",
        "...", "@", "`", "0x" + "f" * 9000, "1:1:1", ".nan", ".inf", "2020-99-99", "~", "\0", "\ufeff",
        "9" * 5000, "1_0", "=", "no", "'\\x'", '"\\ud800"', "\x85", ",",
    ]
)  # fmt: skip


@cases()
@given(st.lists(YAML_WORDS | TEXTS, max_size=14), st.sampled_from(["", " ", "\n"]))
@example(["!!bool", "x"], " ")
@example(["!!int", "''"], " ")
@example(["!!timestamp", "x"], " ")
@example(["{", "?", "[", "]", "}"], " ")
@example(
    ["dataset: {name: x, source: {builtin: boys}}\nsynthesis: {options: {a: {b: 0x" + "f" * 9000],
    "",
)
def test_any_text_is_accepted_or_refused_in_one_line(tmp_path, words, between):
    with only_typed_errors():
        use(parse_spec(between.join(words), tmp_path))


@cases(100, 2000)
@given(st.binary(max_size=60))
def test_any_file_is_accepted_or_refused_in_one_line(tmp_path, data):
    (tmp_path / "spec.yaml").write_bytes(data)
    with only_typed_errors():
        read_spec(tmp_path / "spec.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
        "x: &x {y: *x}",
        "? &k [1]\n: *k",
    ],
)
def test_what_refers_to_itself_or_multiplies_is_refused(tmp_path, text):
    with refused("YAML aliases"):
        parse_spec(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "dataset: " + "'" + "x" * 900_000 + "'",
        "a: " + "9" * 100_000,
        "a: 0x" + "f" * 100_000,
        "dataset: {name: x, source: {builtin: boys}}\nvariables: {a: {categories: ["
        + "x," * 20_000
        + "]}}",
    ],
)
def test_large_texts_take_bounded_time_and_memory(tmp_path, text):
    with bounded(megabytes=300), only_typed_errors():
        use(parse_spec(text, tmp_path))


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "spec.yaml").open("wb") as file:
        file.truncate(10**12)
    with refused("larger than 1000000 bytes"):
        read_spec(tmp_path / "spec.yaml")


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".", "..", "A", "", "x" * 64, "x\n", "x\0", "-x", "é"]
)
def test_a_name_cannot_lead_to_another_folder(tmp_path, name):
    with refused(r"dataset\.name"):
        build_spec({"dataset": {"name": name, "source": {"builtin": "boys"}}}, tmp_path)


@pytest.mark.parametrize(
    "path", ["a\0b", "x" * 5000, "~", ".", "..", "/", "/dev/zero", "pipe", "loop"]
)
def test_a_path_that_is_no_file_is_refused(tmp_path, path):
    import os

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    spec = build_spec({"dataset": {"name": "x", "source": {"csv": path}}}, tmp_path)
    with refused("file not found"):
        spec.find(path)


@pytest.mark.parametrize(
    "value",
    [datetime.date(2020, 1, 1), b"\xff", {1, 2}, (1,), object(), float("nan"), 2**20000],
    ids=["date", "bytes", "set", "tuple", "object", "nan", "huge"],
)
def test_what_json_cannot_hold_is_refused_wherever_it_stands(tmp_path, value):
    content = people_content(synthesis={"options": {"cart": {"minbucket": value}}})
    with refused(r"synthesis\.options\.cart\.minbucket"):
        build_spec(content, tmp_path)


def test_a_key_that_yaml_does_not_read_as_text_is_named(tmp_path):
    text = "dataset: {name: x, source: {builtin: boys}}\nsynthesis: {options: {cart: {no: 1}}}"
    with refused("False is no text: write it in quotes"):
        parse_spec(text, tmp_path)

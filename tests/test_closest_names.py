import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data.closest import closest_names, columns_there, did_you_mean

COLUMNS = ["age", "hgt", "wgt", "body weight", "Region"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("agee", "age"), ("AGE", "age"), ("region", "Region"), ("body_weight", "body weight")],
)
def test_a_slip_leads_to_the_column_that_was_meant(written, meant):
    assert closest_names(written, COLUMNS)[0] == meant


def test_a_name_that_is_like_none_leads_nowhere():
    assert closest_names("income", COLUMNS) == []
    assert did_you_mean("income", COLUMNS) == ""
    assert columns_there("income", ["age", "hgt"]) == "the data have age, hgt"


def test_columns_that_differ_only_in_capitals_are_both_suggested():
    assert did_you_mean("Hgtt", ["hgt", "HGT", "age"]) == "did you mean 'hgt' or 'HGT'?"


def test_of_a_wide_table_only_the_first_columns_are_listed():
    wide = [f"item_{i:03d}" for i in range(100)]
    text = columns_there("itm_099", wide)
    assert "item_039 and 60 more: did you mean 'item_099'" in text
    assert "item_040" not in text


@given(st.lists(st.text(min_size=1), unique=True, max_size=30), st.data())
def test_a_known_name_is_always_closest_to_itself(names, data):
    if names:
        name = data.draw(st.sampled_from(names))
        same = [n for n in names if n.casefold() == name.casefold()]
        assert closest_names(name, names)[: len(same)] == same[:3]

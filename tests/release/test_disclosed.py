import pandas as pd

from synth_tasks.release.disclosed import worst_figures


def ledger(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["family", "metric", "value"])


def test_the_worst_figure_is_on_the_side_that_discloses():
    frame = ledger(
        ("disclosure", "self_linkage", 0.01),
        ("disclosure", "self_linkage", 0.03),
        ("disclosure", "self_linkage_rank", 0.5),
        ("disclosure", "self_linkage_rank", 0.2),
    )
    assert worst_figures(frame) == {"self_linkage": 0.03, "self_linkage_rank": 0.2}


def test_private_unknown_and_other_metrics_are_left_out():
    frame = ledger(
        ("disclosure", "dcap", 30.0),  # private
        ("disclosure", "unheard_of", 1.0),
        ("disclosure", "k_anonymity", 2.0),  # no side discloses
        ("utility", "spmse_pair_max", 9.0),
    )
    assert worst_figures(frame) == {}

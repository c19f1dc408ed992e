"""Measure with sdmetrics and anonymeter what `export` wrote; prints a Markdown table.

It runs in an environment of its own, for both want an older pandas:

    python -m venv others && others/bin/pip install sdmetrics==0.32.0 anonymeter==1.1.0
    others/bin/python tests/disclosure/beside_others/measure.py FOLDER
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator
from sdmetrics.single_table import CategoricalZeroCAP, NewRowSynthesis

ATTACKS = 1500
LINKED = (
    ["age", "sex", "race", "occupation", "schooling", "hours"],
    ["wage", "gain", "weight", "pressure", "commute", "tenure"],
)


def read(folder: Path, number: int, table: str) -> pd.DataFrame:
    """Read a table with categories as text."""
    frame = pd.read_parquet(folder / f"{number}-{table}.parquet")
    categories = [c for c in frame if str(frame[c].dtype) == "category"]
    return frame.astype(dict.fromkeys(categories, str))


def main(folder: Path) -> None:
    """Print a line for each figure that both sides have."""
    warnings.filterwarnings("ignore")
    names, keys, targets = json.loads((folder / "names.json").read_text())
    print("| synthesis | figure | other package | prefect-synth |\n|---|---|---|---|")
    for number, name in enumerate(names):
        trained, held_out, synthetic = (
            read(folder, number, table) for table in ("trained", "held_out", "synthetic")
        )
        ledger = pd.read_parquet(folder / f"{number}-ledger.parquet")

        def ours(metric: str, target: str = "", ledger: pd.DataFrame = ledger) -> float:
            rows = ledger[ledger["metric"] == metric]
            return float((rows[rows["target"] == target] if target else rows)["value"].iloc[0])

        for target in targets:
            known = [t[[*keys, target]].astype(str) for t in (trained, synthetic)]
            score = CategoricalZeroCAP.compute(*known, key_fields=keys, sensitive_fields=[target])
            dcap = f"{100 * (1 - score):.4f} | {ours('dcap', target):.4f}"
            print(f"| {name} | DCAP of {target}, % (sdmetrics) | {dcap} |")
        kinds = {c: "numerical" if trained[c].dtype.kind == "f" else "categorical" for c in trained}
        new = NewRowSynthesis.compute(
            trained,
            synthetic,
            metadata={"columns": {c: {"sdtype": kind} for c, kind in kinds.items()}},
            numerical_match_tolerance=1e-12,
        )
        print(f"| {name} | exact copies (sdmetrics) | {1 - new:.4f} | {ours('exact_match'):.4f} |")
        for target in targets:
            known = [c for c in trained if c != target]
            attack = InferenceEvaluator(
                ori=trained, syn=synthetic, aux_cols=known, secret=target,
                regression=kinds[target] == "numerical", n_attacks=ATTACKS, control=held_out,
            )  # fmt: skip
            attack.evaluate(n_jobs=1)
            rates = attack.results()
            excess = rates.attack_rate.value - rates.control_rate.value
            mine = ours("attribute_prediction_excess", target)
            print(
                f"| {name} | attribute excess of {target} (anonymeter) | {excess:.3f} | {mine:.3f} |"
            )
        link = LinkabilityEvaluator(
            ori=trained, syn=synthetic, aux_cols=LINKED, n_attacks=ATTACKS, control=held_out
        )
        link.evaluate(n_jobs=1)
        rates = link.results()
        excess = rates.attack_rate.value - rates.control_rate.value
        auc = ours("membership_distance_auc")
        print(
            f"| {name} | linkability excess (anonymeter); membership AUC | {excess:.3f} | {auc:.3f} |"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

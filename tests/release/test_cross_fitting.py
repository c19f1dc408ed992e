import numpy as np
import pandas as pd

from synth_tasks.data import encode, infer_schema
from synth_tasks.release.cross_fitting import synthesise_halves
from synth_tasks.release.spec import build_spec

RNG = np.random.default_rng(3)
TABLE = pd.DataFrame(
    {"age": RNG.normal(40, 5, 400).round(), "wage": RNG.normal(30, 5, 400).round(1)}
)


def test_models_free_of_donors_learn_nothing_from_imputed_cells_as_in_the_release(tmp_path):
    table = TABLE.copy()
    table.loc[::4, "wage"] = 1000.0  # as an imputation that could be told from all others
    schema = infer_schema(table)
    imputed = np.zeros(table.shape, dtype=bool)
    imputed[::4, 1] = True
    spec = build_spec(
        {
            "dataset": {"name": "wages", "source": {"csv": "wages.csv"}, "public": True},
            "synthesis": {"m": 2, "donor_free": True},
            "publish": {"to": "releases", "seed": 1},
        },
        base=tmp_path,
    )

    def largest(imputed: np.ndarray) -> list[float]:
        cross = synthesise_halves(spec, schema, encode(table, schema), imputed, seed=1)
        return [float(sets[0][:, 1].max()) for sets in cross.sets]

    assert max(largest(imputed)) < 200
    assert min(largest(np.zeros_like(imputed))) > 200

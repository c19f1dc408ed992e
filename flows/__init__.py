"""Prefect flows of prefect-synth: they compose tasks and compute nothing.

Prefect reads its settings when it is first imported, NumPy its number of threads. They are set here,
before those imports, unless the environment says otherwise.
"""

import os

from synth_tasks.environment import NATIVE_THREADS, PREFECT_SETTINGS

for _name, _value in (PREFECT_SETTINGS | NATIVE_THREADS).items():
    os.environ.setdefault(_name, _value)

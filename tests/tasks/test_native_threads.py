import subprocess
import sys

PROGRAM = """
import numpy as np
import synth_tasks.tasks
from threadpoolctl import threadpool_info
np.ones((50, 50)) @ np.ones((50, 50))
print(max((pool["num_threads"] for pool in threadpool_info()), default=1))
"""


def test_a_process_that_runs_tasks_has_one_native_thread_whatever_the_machine():
    """Sums in another order would change the last bit of a result."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "4", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "1"

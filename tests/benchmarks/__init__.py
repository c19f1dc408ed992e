"""What the engine costs, beside others in the same run: ``python -m tests.benchmarks``."""

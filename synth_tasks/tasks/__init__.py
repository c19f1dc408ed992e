"""Prefect tasks: thin, references in and out. The work is done by the floors below."""

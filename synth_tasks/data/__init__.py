"""Variables, the schema of a table, and its numeric encoding."""

from synth_tasks.data.encoding import decode, encode, encode_column
from synth_tasks.data.inference import check_names, check_table, check_varying, infer_schema
from synth_tasks.data.schema import (
    MICROSECONDS_A_DAY,
    Kind,
    Label,
    Schema,
    Variable,
    VariableOverride,
)

__all__ = [
    "MICROSECONDS_A_DAY",
    "Kind",
    "Label",
    "Schema",
    "Variable",
    "VariableOverride",
    "check_names",
    "check_table",
    "check_varying",
    "decode",
    "encode",
    "encode_column",
    "infer_schema",
]

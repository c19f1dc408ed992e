"""Synthesizers without donors, which can be shared, and their files."""

from synth_tasks.engine.portable.checking import check_model
from synth_tasks.engine.portable.document import from_json, load_portable, save_portable, to_json
from synth_tasks.engine.portable.export import EXPORTABLE, export_model
from synth_tasks.engine.portable.make import make_portable
from synth_tasks.engine.portable.records import register_type

__all__ = [
    "EXPORTABLE",
    "check_model",
    "export_model",
    "from_json",
    "load_portable",
    "make_portable",
    "register_type",
    "save_portable",
    "to_json",
]

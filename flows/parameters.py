"""How a flow is told what to do, from Python, a deployment or a form in the Prefect UI."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.spec_files import read_spec

SpecFile = Annotated[
    str,
    Field(
        title="Specification file",
        description="Path of a YAML file, as the worker sees it; relative paths start at the checkout.",
        min_length=1,
    ),
]


def _read_named_file(value: Any) -> Any:
    return read_spec(value) if isinstance(value, str) else value


# A flow always gets a specification; who starts it may name a file, or fill in the form.
SpecParameter = Annotated[
    ReleaseSpec,
    BeforeValidator(_read_named_file, json_schema_input_type=SpecFile | ReleaseSpec),
]

"""What all models of settings have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


def _number_fields(schema: dict[str, Any]) -> None:
    """Keep the order of fields in forms: PostgreSQL does not keep the order of keys in JSON."""
    for position, field in enumerate(schema.get("properties", {}).values()):
        field["position"] = position


class Settings(BaseModel):
    """Settings: unknown keys are refused, values cannot be changed later."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        serialize_by_alias=True,
        json_schema_extra=_number_fields,
    )

"""What the body of a request may hold: the base of every model of one."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator


class Payload(BaseModel):
    """No field that is not described, and no value of another type: 1 is not true, "1" is not 1."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Alternative(Payload):
    """Holds exactly one of these fields, each of which has an empty default."""

    ALTERNATIVES: ClassVar[tuple[str, ...]]

    @property
    def given(self) -> str:
        """The name of the one."""
        (name,) = self.model_fields_set.intersection(self.ALTERNATIVES)
        return name

    @model_validator(mode="after")
    def _holds_one(self) -> Self:
        if len(self.model_fields_set.intersection(self.ALTERNATIVES)) != 1:
            raise ValueError("either " + " or ".join(f"`{name}`" for name in self.ALTERNATIVES))
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        schema["oneOf"] = [{"required": [name]} for name in cls.ALTERNATIVES]
        for name in cls.ALTERNATIVES:
            schema["properties"][name].pop("default", None)
        return reference

"""The vendor's own OpenAPI document of an earlier generation: what it declares, and whether an answer is so.

It is read where it lies and never copied; where it is absent, what needs it is skipped.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

FILE = Path(__file__).parents[4] / "shared/specs/robocorp/openapi-2023-10.json"
_VERBS = ("get", "post", "put", "delete")


class Operation(NamedTuple):
    """One verb on one path."""

    id: str
    method: str
    path: str
    permission: str | None
    has_body: bool
    responses: dict[str, Any]

    def schema(self, status: int) -> dict[str, Any] | None:
        """What it declares to answer with a status; None if it does not declare the status."""
        declared = self.responses.get(str(status))
        return None if declared is None else declared["content"]["application/json"]["schema"]


def operations() -> list[Operation]:
    """All of them; none where the document is absent."""
    if not FILE.exists():
        return []
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return [
        _operation(verb, path, about)
        for path, verbs in document["paths"].items()
        for verb, about in verbs.items()
        if verb in _VERBS
    ]


def faults(schema: dict[str, Any], answer: Any) -> list[str]:
    """Where and how an answer departs from a schema of the document."""
    components = json.loads(FILE.read_text(encoding="utf-8"))["components"]
    whole = {"allOf": [_without_nullable(schema)], "components": _without_nullable(components)}
    validator = jsonschema_rs.Draft7Validator(whole, validate_formats=True)
    return [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(answer)]


def _operation(verb: str, path: str, about: dict[str, Any]) -> Operation:
    permissions = [name for each in about["security"] for names in each.values() for name in names]
    return Operation(
        id=about["operationId"],
        method=verb.upper(),
        path=path,
        permission=permissions[0] if permissions else None,
        has_body="requestBody" in about,
        responses=about["responses"],
    )


def _without_nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    match schema:
        case {"nullable": True, **rest}:
            return {"anyOf": [{"type": "null"}, _without_nullable(rest)]}
        case dict():
            return {name: _without_nullable(value) for name, value in schema.items()}
        case list():
            return [_without_nullable(each) for each in schema]
        case _:
            return schema

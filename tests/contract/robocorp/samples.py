"""Bodies that our own document allows: one for each operation, and the same with one value changed."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Sample(NamedTuple):
    """A request that the document allows, and the kinds of its body's values (`integer`, `date-time`)."""

    method: str
    path: str
    body: Any
    kinds: dict[Path, str]

    def changed(self, at: Path, value: Any) -> Any:
        """The body with another value in one place."""
        body = deepcopy(self.body)
        place = body
        for step in at[:-1]:
            place = place[step]
        place[at[-1]] = value
        return body


def samples(document: dict[str, Any], ids: dict[str, str]) -> Iterator[Sample]:
    """One for each operation with a JSON body, and for each choice that its body has; `ids` are of what is there."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation and not operation.get("deprecated"):
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                for choice in range(_MOST_CHOICES):
                    maker = _Maker(document, ids, choice)
                    body = maker.sample(schema, ())
                    if choice == 0 or maker.has_chosen:
                        yield Sample(method.upper(), _filled(path, ids), body, maker.kinds)


_MOST_CHOICES = 8


class _Maker:
    def __init__(self, document: dict[str, Any], ids: dict[str, str], choice: int) -> None:
        self._types = document["components"]["schemas"]
        self._ids = ids
        self._choice = choice
        self.has_chosen = False
        self.kinds: dict[Path, str] = {}

    def sample(self, schema: dict[str, Any], at: Path) -> Any:  # noqa: PLR0911 - a case for each kind
        schema = self._plain(schema)
        if "enum" in schema or "const" in schema:
            return schema["enum"][0] if "enum" in schema else schema["const"]
        match schema.get("type"):
            case "object":
                named = schema.get("properties", {})
                return {name: self.sample(each, (*at, name)) for name, each in named.items()}
            case "array":
                return [self.sample(schema["items"], (*at, 0))] if "items" in schema else []
            case "integer" | "number" as kind:
                self.kinds[at] = kind
                return 1
            case "boolean":
                return True
            case "string":
                return self._text(schema.get("format"), at)
            case _:
                self.kinds[at] = "anything"
                return {}

    def _text(self, form: str | None, at: Path) -> str:
        self.kinds[at] = form or "string"
        named = str(at[-2] if at[-1:] == ("id",) else at[-1]) if at else ""
        known = {name: value for name, value in self._ids.items() if name in named}
        samples = {"uuid": next(iter(known.values()), self._ids["process"]), "date-time": "2030-01-31T12:00:00Z"}
        return samples.get(form or "", "text")

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        while True:
            if "$ref" in schema:
                schema = self._types[schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema:
                found = [each for each in schema["anyOf"] if each.get("type") != "null"]
                self.has_chosen |= 0 < self._choice < len(found)
                schema = found[self._choice % len(found)]
            elif isinstance(schema.get("type"), list):
                kinds = [kind for kind in schema["type"] if kind != "null"]
                schema = {**schema, "type": kinds[0]}
            else:
                return schema


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}_id}}", value)
    while "{" in path:
        path = path[: path.index("{")] + ids["process"] + path[path.index("}") + 1 :]
    return path

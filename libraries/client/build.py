"""Writes what of the library follows from the room's own document: the models, and each operation for both clients.

Nothing of it is in git. It is made when the library is built or installed, also as an editable one, and anew by
`make install` when what the document is made of has changed. For the document the room's own code is imported: an
isolated build asks for what that needs.
"""

import hashlib
import importlib.util
import keyword
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).parent
PROJECT: Final = HERE.parents[1]
WRITTEN: Final = HERE / "src/controlroom_client/written"
_BELOW: Final = "/api/v1/workspaces/{workspace_id}"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS: Final = {"date-time": "datetime", "date": "date"}
_LITERAL: Final = re.compile(r"Literal\[[^]]*\]")
_HEAD: Final = '"""{text}\n\nWritten by `build.py` from the room\'s document: changes go there.\n"""\n\n'

Schema = dict[str, Any]


# ---------------------------------------------------------------------------------------------------- the document
def document() -> Schema:
    """The document of the management API as a room publishes it; no room is needed."""
    sys.path.insert(0, str(PROJECT / "src"))
    from controlroom.border.origin import Origins  # noqa: PLC0415 - known only when the path is
    from controlroom.dialects.robocorp import app  # noqa: PLC0415 - likewise
    from controlroom.dialects.robocorp.openapi import published  # noqa: PLC0415 - likewise
    from controlroom.settings import Limits  # noqa: PLC0415 - likewise

    of_engine: Any = SimpleNamespace(limits=Limits())  # all that routes are made of
    litestar = app.routes(of_engine, Origins(None, ()), mail_domain="localhost")
    return published(litestar, litestar.openapi_schema.to_schema())


class Parameter(NamedTuple):
    """Something that a method takes."""

    name: str
    type: str
    is_required: bool
    wire: str
    """What the API calls it."""
    place: str
    """`path`, `query` or `body`."""


class Operation(NamedTuple):
    """A method of a noun."""

    name: str
    id: str
    """What the document calls it."""
    method: str
    path: str
    """Below the workspace, or below the API where it belongs to none."""
    is_above: bool
    text: str
    parameters: list[Parameter]
    has_body: bool
    answer: str
    """The type of the answer, or of a row where it is a list in pages."""
    is_paged: bool
    is_keyed: bool
    """Whether it takes an idempotency key, so that it may be repeated."""


class Described:
    """The document as the library has it."""

    def __init__(self, found: Schema) -> None:
        self._schemas: dict[str, Schema] = found["components"]["schemas"]
        self._names = {name: _class_name(name) for name in self._schemas}
        self._tags = _tags(self._schemas, list(_unions(found)))
        self._sent = self._reached(found)
        self.nouns: dict[str, list[Operation]] = defaultdict(list)
        for path, item in found["paths"].items():
            for method in _METHODS:
                if method in item and not item[method].get("deprecated"):
                    operation = self._operation(path, method, item[method])
                    self.nouns[item[method]["tags"][0]].append(operation)
        for noun, operations in self.nouns.items():
            self.nouns[noun] = _shortened(noun, operations)

    # ------------------------------------------------------------------------------------------------ models
    def models(self) -> Iterator[str]:
        """The text of the models' module."""
        yield _HEAD.format(text="What a room answers, and what it is sent: names and types as in its API.")
        # Why `builtins.list`: fields and verbs are called `list`, too
        yield "from __future__ import annotations\n\nimport builtins\nfrom datetime import date, datetime\n"
        yield "from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias\n\n"
        yield "from msgspec import UNSET, Struct, UnsetType, field\n\n"
        enums = {self._names[name]: each for name, each in self._schemas.items() if "enum" in each}
        shown = {
            name: schema for name, schema in self._schemas.items() if "enum" not in schema and not self._is_page(name)
        }
        words = {name: (_literal(schema), schema.get("description", "")) for name, schema in enums.items()}
        texts = [text for name, schema in shown.items() for text in self._model(name, schema, words)]
        yield "if TYPE_CHECKING:\n"
        for name, (literal, text) in words.items():
            yield f"    {name}: TypeAlias = {literal}\n" + (f"    {_docstring(text, 4)}" if text else "")
        yield "else:  # a later room may have a word more\n"
        yield from (f"    {name} = str\n" for name in words)
        yield from texts
        names = sorted([*words, *(self._names[name] for name in shown)])
        yield "\n\n__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"

    def _model(self, name: str, schema: Schema, words: dict[str, tuple[str, str]]) -> Iterator[str]:
        """The text of a model; the words that one of its fields may be get a name, and are put to the others."""
        tag = self._tags.get(name)
        how = ", frozen=True, kw_only=True" + (f', tag_field="{tag[0]}", tag="{tag[1]}"' if tag else "")
        yield f"\n\nclass {self._names[name]}(Struct{how}):\n"
        yield f"    {_docstring(schema.get('description') or _words(self._names[name]) + '.', 4)}"
        required = set(schema.get("required", ()))
        if tag:
            yield f'    {tag[0]}: ClassVar[Literal["{tag[1]}"]] = "{tag[1]}"\n'
        for wire, each in schema.get("properties", {}).items():
            if tag and wire == tag[0]:
                continue
            type_, attribute = self.type(each), _attribute(wire)
            if found := _LITERAL.search(type_):
                alias = self._names[name] + _class_name(wire)
                if alias in self._names.values():
                    raise SystemExit(f"{alias} would be two things: give one of them another name in the document")
                words[alias] = (found[0], "")
                type_ = type_.replace(found[0], alias)
            renamed = f'name="{wire}"' if attribute != wire else ""
            default = "" if wire in required else self._default(name, each)
            if default == "UNSET":
                type_ += " | UnsetType"
            elif default == "None" and not re.search(r"\b(None|Any)$", type_):
                type_ += " | None"
            given = ", ".join(part for part in (f"default={default}" if default else "", renamed) if part)
            value = f" = field({given})" if renamed else f" = {default}" if default else ""
            yield f"    {attribute}: {type_}{value}\n"

    def _default(self, name: str, schema: Schema) -> str:
        """What a field is that is not there: unsaid in what is sent, else what the room means by that."""
        if name in self._sent:
            return "UNSET"
        default = schema.get("default")
        return repr(default) if isinstance(default, str | int | float | bool) else "None"

    def type(self, schema: Schema, prefix: str = "") -> str:
        """A type as the library's user reads it."""
        if "$ref" in schema:
            return prefix + self._names[_referred(schema)]
        if "anyOf" in schema:
            types = [self.type(each, prefix) for each in schema["anyOf"]]
            ordered = [each for each in dict.fromkeys(types) if each != "None"]
            return " | ".join([*ordered, *(["None"] if "None" in types else [])])
        kind = schema.get("type")
        if isinstance(kind, list):
            return self.type({"anyOf": [{**schema, "type": each} for each in kind]}, prefix)
        if kind == "array":
            return f"builtins.list[{self.type(schema.get('items', {}), prefix)}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self.type(values, prefix) if isinstance(values, dict) and values else 'Any'}]"
        return _scalar(schema)

    def _is_page(self, name: str) -> bool:
        return bool({"data", "next", "has_more"} <= self._schemas[name].get("properties", {}).keys())

    def _reached(self, found: Schema) -> set[str]:
        """The names of all that may be in a body."""
        bodies = [operation.get("requestBody", {}) for item in found["paths"].values() for operation in item.values()]
        reached: set[str] = set()
        left = [name for body in bodies for name in _references(body)]
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += _references(self._schemas[name])
        return reached

    # ------------------------------------------------------------------------------------------------ operations
    def _operation(self, path: str, method: str, described: Schema) -> Operation:
        given = described.get("parameters", ())
        by_name = {each["name"]: each for each in given if each["in"] == "path"}
        in_path = [name for name in re.findall(r"\{(\w+)\}", path) if name != "workspace_id"]
        parameters = [
            Parameter(_attribute(name), self.type(by_name[name]["schema"], "models."), True, name, "path")  # noqa: FBT003
            for name in in_path
        ]
        [answer] = [
            content["application/json"]["schema"]
            for status, each in described["responses"].items()
            if status.startswith("2") and (content := each.get("content"))
        ]
        is_paged = "$ref" in answer and self._is_page(_referred(answer))
        for each in given:
            if each["in"] == "query" and not (is_paged and each["name"] in {"limit", "cursor"}):
                type_ = self.type(each["schema"], "models.")
                parameters.append(
                    Parameter(_attribute(each["name"]), type_, each.get("required", False), each["name"], "query")
                )
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if body is not None:
            parameters += self._of_body(body)
        if is_paged:
            answer = self._row(self._schemas[_referred(answer)])
        is_above = not path.startswith(_BELOW)
        return Operation(
            name=_snake(described["operationId"]),
            id=described["operationId"],
            method=method.upper(),
            path=path.removeprefix("/api/v1" if is_above else _BELOW),
            is_above=is_above,
            text=described["description"],
            parameters=sorted(parameters, key=lambda each: (each.place != "path", not each.is_required)),
            has_body=body is not None,
            answer=self.type(answer, "models."),
            is_paged=is_paged,
            is_keyed=any(each.wire == "idempotency_key" for each in parameters),
        )

    def _of_body(self, body: Schema) -> list[Parameter]:
        """What a body is put together from: its fields."""
        references = list(_references(body))
        if len(references) != 1:
            raise SystemExit(f"a body that is not one object is not known how to be taken: {body}")
        schema = self._schemas[references[0]]
        required = schema.get("required", ())
        return [
            Parameter(_attribute(name), self.type(each, "models."), name in required, name, "body")
            for name, each in schema["properties"].items()
        ]

    def _row(self, page: Schema) -> Schema:
        rows: Schema = page["properties"]["data"]["items"]
        # A page that is more than its rows says of them only that they are objects: those of consoles
        return rows if "$ref" in rows else {"$ref": "#/components/schemas/ConsoleMessage"}

    def nouns_module(self, *, is_async: bool) -> Iterator[str]:
        """The text of the module with the operations, for one of the clients."""
        which = "asynchronous" if is_async else "synchronous"
        yield _HEAD.format(text=f"All operations of a room's management API by their nouns, for the {which} client.")
        yield "from __future__ import annotations\n\nimport builtins\nfrom datetime import date, datetime\n"
        yield "from functools import cached_property\nfrom typing import Any, Literal\n\n"
        yield "from msgspec import UNSET, UnsetType\n\n"
        pages, noun = ("AsyncPages", "AsyncNoun") if is_async else ("Pages", "Noun")
        room = "AsyncRoom" if is_async else "Room"
        yield "from controlroom_client.operations import Operation\n"
        yield f"from controlroom_client.rooms import {noun}, {pages}, {room}\n"
        yield "from controlroom_client.written import models\n"
        prefix = "Async" if is_async else ""
        for tag, operations in self.nouns.items():
            yield f'\n\nclass {prefix}{_class_name(tag)}({noun}):\n    """{tag}."""\n'
            for each in operations:
                yield from _method(each, pages, is_async=is_async)
        yield f"\n\nclass {prefix}Nouns({room}):\n"
        yield f"    {_docstring('Everything that the management API of a room can do, by its nouns.', 4)}"
        for tag, operations in self.nouns.items():
            verbs = ", ".join(f"`{each.name}`" for each in operations)
            name, kind = _attribute(_snake_of_words(tag)), f"{prefix}{_class_name(tag)}"
            yield f"\n    @cached_property\n    def {name}(self) -> {kind}:\n"
            yield f"        {_docstring(f'{tag}: {verbs}.', 8)}"
            yield f"        return {kind}(self)\n"


def _method(operation: Operation, pages: str, *, is_async: bool) -> Iterator[str]:
    """A method of a noun, and the operation that it does."""
    constant = f"_{operation.name.upper()}"
    result = f"{pages}[{operation.answer}]" if operation.is_paged else operation.answer
    of_path = [each for each in operation.parameters if each.place == "path"]
    named = [each for each in operation.parameters if each.place != "path"]
    takes = ["self", *(f"{each.name}: {each.type}" for each in of_path)]
    if named or operation.is_paged:
        takes.append("*")
    takes += [_taken(each) for each in named]
    if operation.is_paged:
        takes.append("page_size: int = 1000")
    yield f"\n    {constant} = Operation(\n        {operation.id!r}, {operation.method!r}, {operation.path!r},\n"
    yield f"        answer=lambda: {operation.answer}, is_above={operation.is_above}, has_body={operation.has_body},\n"
    yield f"        is_keyed={operation.is_keyed},\n    )\n"
    kind = "async def" if is_async and not operation.is_paged else "def"
    yield f"\n    {kind} {operation.name}(\n" + "".join(f"        {each},\n" for each in takes)
    yield f"    ) -> {result}:\n        {_docstring(operation.text, 8)}"
    given = [
        "{" + ", ".join(f"{each.wire!r}: {each.name}" for each in operation.parameters if each.place == place) + "}"
        for place in ("path", "query", "body")
    ]
    call = "_each" if operation.is_paged else "_do"
    sized = ", page_size" if operation.is_paged else ""
    waits = "await " if is_async and not operation.is_paged else ""
    value = f"{waits}self.{call}(self.{constant}, {', '.join(given)}{sized})"
    yield f"        answer: {result} = {value}\n        return answer\n"


def _taken(parameter: Parameter) -> str:
    return f"{parameter.name}: {parameter.type}" + ("" if parameter.is_required else " | UnsetType = UNSET")


def _shortened(noun: str, operations: list[Operation]) -> list[Operation]:
    """Methods called without the noun: `work_items.list`. Where two would be one, or nothing were left, with it."""
    plural = _snake_of_words(noun)
    singular = _singular(plural)
    short = [re.sub(rf"^([a-z]+)_(?:{plural}|{singular})(?=_|$)", r"\1", each.name) for each in operations]
    return [
        each._replace(name=_attribute(name if short.count(name) == 1 else each.name))
        for each, name in zip(operations, short, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------- schemas
def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _referred(schema)
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _referred(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _unions(schema: Any) -> Iterator[list[str]]:
    """The names in each union."""
    if isinstance(schema, dict):
        if "anyOf" in schema:
            yield [_referred(each) for each in schema["anyOf"] if "$ref" in each]
        for each in schema.values():
            yield from _unions(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _unions(each)


def _tags(schemas: dict[str, Schema], unions: list[list[str]]) -> dict[str, tuple[str, str]]:
    """By which field, and which word in it, each member of a union is told from the others."""
    tags: dict[str, tuple[str, str]] = {}
    for names in unions:
        members = {name: schemas[name].get("properties", {}) for name in names if schemas[name].get("type") == "object"}
        for wire in set.intersection(*(set(each) for each in members.values())) if len(members) > 1 else ():
            words = {name: each[wire].get("const") for name, each in members.items()}
            if all(isinstance(word, str) for word in words.values()):
                tags |= {name: (wire, word) for name, word in words.items()}
    return tags


def _scalar(schema: Schema) -> str:
    """The type of what has no parts."""
    if "const" in schema or "enum" in schema:
        return _literal(schema)
    if schema.get("type") == "string":
        return _FORMATS.get(schema.get("format", ""), "str")
    return _SCALARS.get(str(schema.get("type")), "Any")


def _literal(schema: Schema) -> str:
    values = [schema["const"]] if "const" in schema else schema["enum"]
    if all(isinstance(value, bool) for value in values):
        return "bool"
    words = f"Literal[{', '.join(repr(value) for value in values if value is not None)}]"
    return f"{words} | None" if None in values else words


# ---------------------------------------------------------------------------------------------------- words
def _snake(camel: str) -> str:
    return re.sub("([A-Z])", r"_\1", camel).lower()


def _snake_of_words(words: str) -> str:
    return re.sub(r"\W+", "_", words.strip()).lower()


def _class_name(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))


def _words(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", camel).capitalize()


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    return f"{plural[:-2]}" if plural.endswith(("sses", "ches")) else plural.removesuffix("s")


def _attribute(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    return f"{name}_" if keyword.iskeyword(name) else name


def _docstring(text: str, indent: int) -> str:
    margin = " " * indent
    lines = text.strip().replace("\\", "\\\\").replace('"""', "'''").splitlines() or [""]
    body = "\n".join(f"{margin}{line}".rstrip() for line in lines).strip()
    end = f"\n{margin}" if len(lines) > 1 else ""
    return f'"""{body}{end}"""\n'


# ---------------------------------------------------------------------------------------------------- writing
def sources() -> Iterator[Path]:
    """All that the document is made of."""
    yield Path(__file__)
    house = PROJECT / "src/controlroom"
    yield from sorted(house.glob("*.py"))
    for folder in ("border", "dialects/robocorp", "engine"):
        yield from sorted((house / folder).rglob("*.py"))


def digest() -> str:
    """Of all that the document is made of."""
    made_of = hashlib.sha256()
    for path in sources():
        made_of.update(path.read_bytes())
    return made_of.hexdigest()


def is_current() -> bool:
    """Whether what is written is of these very sources."""
    stamp = WRITTEN / "sources.sha256"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == digest()


def write() -> None:
    """Write it all, if it is not of these very sources already."""
    if is_current():
        return
    described = Described(document())
    WRITTEN.mkdir(exist_ok=True)
    texts = {
        "__init__.py": ['"""What `build.py` writes."""\n'],
        "models.py": described.models(),
        "nouns.py": described.nouns_module(is_async=False),
        "async_nouns.py": described.nouns_module(is_async=True),
        "sources.sha256": [digest()],
    }
    for name, text in texts.items():
        (WRITTEN / name).write_text("".join(text), encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- the hook
if importlib.util.find_spec("hatchling"):
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class FromDocument(BuildHookInterface[Any]):
        """What hatch calls before it builds."""

        def dependencies(self) -> list[str]:
            """What an isolated build must have: all of the room, if anything is to be written."""
            if is_current():
                return []
            found: list[str] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
            return found

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
            """Write it, and have it packed."""
            write()
            build_data["artifacts"].append("/src/controlroom_client/written/**")


if __name__ == "__main__":
    write()

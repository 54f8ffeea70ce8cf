"""Schemas in a few words of HTML, and as tables of their fields."""

import json
from html import escape
from typing import Any

Schema = dict[str, Any]
Schemas = dict[str, Schema]

_PAGE = {"data", "has_more", "next"}


def shape(schema: Schema) -> str:
    """A schema in a few words; named types are links."""
    if reference := schema.get("$ref"):
        name = escape(_name(reference))
        return f'<a href="#{name}">{name}</a>'
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return _either([shape(each) for each in options])
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    return _either([_value(each) for each in values]) if values else _plain(schema)


def without_null(schema: Schema) -> Schema:
    """A schema that may be null, as what it is otherwise."""
    if kinds := schema.get("anyOf"):
        kept = [each for each in kinds if each.get("type") != "null"]
        return kept[0] if len(kept) == 1 else {**schema, "anyOf": kept}
    if isinstance(schema.get("type"), list):
        values = {"enum": [each for each in schema["enum"] if each is not None]} if "enum" in schema else {}
        kinds = [each for each in schema["type"] if each != "null"]
        return {**schema, **values, "type": kinds[0] if len(kinds) == 1 else kinds}
    return schema


def prose(text: str) -> str:
    """A text of the document, what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def contents(schema: Schema, schemas: Schemas) -> str:
    """A body as its fields; a page of a list as the fields of a row."""
    named = _resolved(schema, schemas)
    fields = named.get("properties", {})
    if fields.keys() == _PAGE:
        row = fields["data"].get("items", {})
        return f"<p>A page: each of <code>data</code> is {shape(row)}.</p>{_fields(_resolved(row, schemas))}"
    shown = f"<p>{shape(schema)}</p>"
    return shown + _fields(named) if fields else shown


def named_type(name: str, schema: Schema) -> str:
    """One named type, closed until it is wanted."""
    text = prose(schema.get("description") or "")
    values = _either([_value(each) for each in schema["enum"]]) if "enum" in schema else ""
    return (
        f'<details class="type" id="{escape(name)}" data-find="{escape(name.lower())}">'
        f"<summary><code>{escape(name)}</code> <span>{text}</span></summary>"
        f"{f'<p>{values}</p>' if values else ''}{_fields(schema)}</details>"
    )


def _plain(schema: Schema) -> str:
    """A schema that neither has a name nor a choice of them."""
    match schema.get("type", "any JSON"):
        case [*kinds]:
            return _either([escape(each) for each in kinds])
        case "array":
            return f"list of {shape(schema.get('items', {}))}"
        case "object" if values := schema.get("additionalProperties"):
            return f"map to {shape(values)}" if isinstance(values, dict) else "object"
        case kind:
            return escape(f"{kind} · {schema['format']}" if "format" in schema else kind)


def _fields(schema: Schema) -> str:
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><th scope=row><code>{escape(name)}</code>{'' if name in required else _OPTIONAL}"
        f"<td>{shape(each)}{_default(each)}"
        for name, each in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


_OPTIONAL = ' <small title="may be left out">optional</small>'


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default is None else f" <small>= {_value(default)}</small>"


def _resolved(schema: Schema, schemas: Schemas) -> Schema:
    reference = schema.get("$ref")
    return schemas.get(_name(reference), {}) if reference else schema


def _either(options: list[str]) -> str:
    return ' <span class="or">|</span> '.join(dict.fromkeys(options))


def _value(value: Any) -> str:
    return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]

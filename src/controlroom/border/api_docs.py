"""The page beside an OpenAPI document: every operation on one page, in plain HTML, that loads nothing from anywhere.

config = OpenAPIConfig(…, path="/worker/v1", render_plugins=RENDER)     # /worker/v1/openapi.json and /worker/v1/docs
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin

_METHODS = ("get", "post", "put", "patch", "delete")

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, h3 { font-family: ui-monospace, monospace }
h3 { font-size: 1rem; margin: 2.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--soft) }
nav { columns: 2 }
"""


class DocsPage(OpenAPIRenderPlugin):
    """Draws the document as a page."""

    def __init__(self) -> None:
        super().__init__(path="/docs")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page."""
        return page(openapi_schema, document=self.get_openapi_json_route(request)).encode()


RENDER: Sequence[OpenAPIRenderPlugin] = (JsonRenderPlugin(), DocsPage())
"""What a dialect publishes: `openapi.json` and `docs`."""


def page(schema: dict[str, Any], *, document: str) -> str:
    """An OpenAPI document as HTML. Headings carry the operations' ids, for links."""
    info = schema.get("info", {})
    title = f"{escape(str(info.get('title', 'API')))} {escape(str(info.get('version', '')))}"
    operations = list(_operations(schema))
    contents = "".join(
        f'<div><a href="#{escape(id_)}">{escape(id_)}</a></div>'
        for id_ in (op["operationId"] for _, _, op in operations)
    )
    schemas = schema.get("components", {}).get("schemas", {})
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<link rel="icon" href="data:,">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<main><h1>{title}</h1><p>{escape(str(info.get('description') or ''))}</p>"
        f'<p>For programs: <a href="{escape(document)}">the OpenAPI document</a>.</p>'
        f"<nav>{contents}</nav><h2>Operations</h2>"
        + "".join(_operation(path, method, op) for path, method, op in operations)
        + "<h2>Types</h2>"
        + "".join(_type(name, each) for name, each in sorted(schemas.items()))
        + "</main></html>"
    )


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in sorted(schema.get("paths", {}).items()):
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    """One operation: what it does, what it takes, what it answers."""
    id_ = escape(operation["operationId"])
    text = operation.get("description") or operation.get("summary") or ""
    rows = [
        (f"{each['name']}", each["in"], _shape(each.get("schema", {})), "required" if each.get("required") else "")
        for each in operation.get("parameters", [])
    ]
    body = operation.get("requestBody")
    if body:
        rows += [("body", kind, _shape(media.get("schema", {})), "") for kind, media in body["content"].items()]
    for status, answer in sorted(operation.get("responses", {}).items()):
        contents: dict[str, Any] = answer.get("content") or {"": {}}
        for kind, media in contents.items():
            rows.append((f"answer {status}", kind, _shape(media.get("schema", {})), answer.get("description", "")))
    return f'<h3 id="{id_}">{method.upper()} {escape(path)}</h3><p>{escape(text)}</p>{_table(rows)}'


def _type(name: str, schema: dict[str, Any]) -> str:
    """One named type, with a row for each of its fields."""
    required = schema.get("required", [])
    rows = [
        (field, "", _shape(each), "required" if field in required else "")
        for field, each in schema.get("properties", {}).items()
    ]
    values = ", ".join(map(str, schema.get("enum", [])))
    text = schema.get("description") or ""
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(text)}</p><p>{escape(values)}</p>{_table(rows)}'


def _table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows of name, place, shape (HTML already) and note."""
    lines = "".join(
        f"<tr><th><code>{escape(name)}</code><td>{escape(place)}<td>{shape}<td>{escape(note)}"
        for name, place, shape, note in rows
    )
    return f"<table>{lines}</table>" if lines else ""


def _shape(schema: dict[str, Any]) -> str:
    """A schema in a few words of HTML; named types are links."""
    if reference := schema.get("$ref"):
        name = escape(str(reference).rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(_shape(each) for each in schema[key])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return escape(f"{words} ({schema['format']})" if "format" in schema else words)

"""The page itself: nouns with a search box at the side, then each noun's operations, then the types."""

import base64
import hashlib
from html import escape
from importlib.resources import files
from typing import Any, Final

from controlroom.border.api_docs.document import Noun, Operation, base_of, nouns_of, operations_of
from controlroom.border.api_docs.shapes import Schemas, contents, named_type, prose, shape, without_null

_FOLDER: Final = files("controlroom.border.api_docs")
_STYLE: Final = _FOLDER.joinpath("page.css").read_text(encoding="utf-8")
_SCRIPT: Final = _FOLDER.joinpath("search.js").read_text(encoding="utf-8")
_TRY: Final = _FOLDER.joinpath("try.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY: Final = (
    f"default-src 'none'; img-src data:; connect-src 'self'; style-src {_hash(_STYLE)}; "
    f"script-src {_hash(_SCRIPT)} {_hash(_TRY)}"
)
"""The browser loads nothing from anywhere, asks nobody but us, and runs nothing but our own few lines."""

_HEAD: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    f'<link rel="icon" href="data:,"><style>{_STYLE}</style>'
)


def page(schema: dict[str, Any], *, document: str) -> str:
    """An OpenAPI document as HTML. Headings carry the operations' ids, for links; it reads without its script, too."""
    info = schema.get("info", {})
    title = f"{escape(str(info.get('title', 'API')))} {escape(str(info.get('version', '')))}"
    operations = operations_of(schema)
    base = base_of(operations)
    nouns = nouns_of(operations, base)
    schemas: Schemas = schema.get("components", {}).get("schemas", {})
    return (
        f"{_HEAD}<title>{title}</title></head><body>"
        f"<nav aria-label=Contents>{_search()}{''.join(map(_entry, nouns))}"
        f'<p><a href="#types">Types</a></nav>'
        f"<main><header><h1>{title}</h1><p>{prose(str(info.get('description') or ''))}</p>"
        f"<p>{_beginning(base)}For programs: "
        f'<a href="{escape(document)}">the OpenAPI document</a>.</p>{_credentials(schema)}</header>'
        + "".join(_noun(noun, base, schemas) for noun in nouns)
        + '<section id="types"><h2>Types</h2>'
        + "".join(named_type(*each) for each in sorted(schemas.items()))
        + "</section>"
        + '<p id="none" hidden>Nothing is called that.</p></main>'
        + f"<script>{_SCRIPT}</script><script>{_TRY}</script></body></html>"
    )


def _beginning(base: str) -> str:
    """With what paths begin, for a document that has its paths in full where it has no base."""
    return f"Paths begin with <code>{escape(base)}</code> where nothing else is said. " if base else ""


def _search() -> str:
    return (
        "<form role=search hidden><label for=find>Search</label><input id=find type=search autocomplete=off "
        'placeholder="work items, payload, PUT …" aria-keyshortcuts="/"></form>'
    )


def _credentials(schema: dict[str, Any]) -> str:
    schemes = schema.get("components", {}).get("securitySchemes", {})
    rows = "".join(
        f"<li><b>{escape(name)}</b>: {prose(str(each.get('description') or each.get('scheme') or each['type']))}"
        for name, each in schemes.items()
    )
    first: dict[str, Any] = next(iter(schemes.values()), {})
    header = escape(str(first.get("name", "Authorization")))
    hint = "RC-WSKEY …, Bearer …" if header == "Authorization" else "the token"
    asks = (
        f'<p id="credential" hidden><label>To try: header <input value="{header}" autocomplete=off></label> '
        f'<label>credential <input type=password autocomplete=off placeholder="{hint}"></label> '
        "<small>It stays in this page, and is gone with it.</small></p>"
    )
    return (f"<ul>{rows}</ul>" if rows else "") + asks


def _anchor(noun: Noun) -> str:
    return f"noun-{escape(noun.name.lower().replace(' ', '-'))}"


def _entry(noun: Noun) -> str:
    """A noun in the contents."""
    links = "".join(
        f'<li data-of="{escape(each.id)}"><a href="#{escape(each.id)}">'
        f"{_method(each.method)}{escape(_words(each.id))}</a>"
        for each in noun.operations
    )
    return f'<details><summary><a href="#{_anchor(noun)}">{escape(noun.name)}</a></summary><ul>{links}</ul></details>'


def _noun(noun: Noun, base: str, schemas: Schemas) -> str:
    shown = "".join(_operation(each, base, schemas) for each in noun.operations)
    return f'<section id="{_anchor(noun)}"><h2>{escape(noun.name)}</h2>{shown}</section>'


def _operation(operation: Operation, base: str, schemas: Schemas) -> str:
    """One operation: what it does, what it takes, what it answers."""
    id_ = escape(operation.id)
    described = operation.described
    also = "".join(
        f'<p class="also">{_method(each)} does the same, for older clients.</p>' for each in operation.aliases
    )
    words = " ".join((operation.id, operation.method, *operation.aliases, operation.path, operation.text))
    return (
        f'<article id="{id_}" data-find="{escape(words.lower())}"{_asked(operation)}>'
        f'<h3><a href="#{id_}">{_method(operation.method)}'
        f"<code>{_path(operation.path, base)}</code></a></h3>"
        f"<p>{prose(operation.text)} <small><code>{id_}</code></small></p>{also}"
        f"{_parameters(described.get('parameters', []), base)}{_body(described.get('requestBody'), schemas)}"
        f"{_answers(described.get('responses', {}), schemas)}</article>"
    )


def _asked(operation: Operation) -> str:
    """What the page's script needs to ask it."""
    content = (operation.described.get("requestBody") or {}).get("content", {})
    kind = ("json" if any("json" in each for each in content) else "text") if content else ""
    body = f' data-body="{kind}"' if kind else ""
    return f' data-method="{operation.method}" data-path="{escape(operation.path)}"{body}'


def _path(path: str, base: str) -> str:
    """A path, short where it begins as most do."""
    return escape(path.removeprefix(base) or path) if path.startswith(base) else escape(path)


def _parameters(parameters: list[dict[str, Any]], base: str) -> str:
    """What goes into the address; what all addresses have is left out."""
    rows = "".join(_parameter(each) for each in parameters if f"{{{each['name']}}}" not in base)
    return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    if not parameter.get("required"):  # a parameter that is left out is none: nobody can send null
        schema = without_null(schema)
    note = "" if parameter.get("required") else " <small>optional</small>"
    return (
        f'<tr data-name="{escape(parameter["name"])}" data-in="{escape(parameter["in"])}">'
        f"<th scope=row><code>{escape(parameter['name'])}</code>{note}"
        f"<td>{shape(schema)} <small>in {escape(parameter['in'])}</small>"
    )


def _body(body: dict[str, Any] | None, schemas: Schemas) -> str:
    return _media("Body", body["content"], schemas) if body else ""


def _answers(responses: dict[str, Any], schemas: Schemas) -> str:
    """Successes with what they bring; failures, which all look alike, as a line."""
    failed, shown = [], ""
    for status, answer in sorted(responses.items()):
        if status.startswith(("2", "3")):
            shown += _media(f"Answer {escape(status)}", answer.get("content") or {"without content": {}}, schemas)
        else:
            failed.append(f'<abbr title="{escape(answer.get("description", ""))}">{escape(status)}</abbr>')
    return shown + (f'<p class="failures">Failures: {" ".join(failed)}</p>' if failed else "")


def _media(title: str, content: dict[str, Any], schemas: Schemas) -> str:
    return "".join(
        f"<h4>{title} <small>{escape(kind)}</small></h4>"
        + (contents(media["schema"], schemas) if "schema" in media else "")
        for kind, media in content.items()
    )


def _method(method: str) -> str:
    return f'<b class="method {escape(method)}">{escape(method.upper())}</b> '


def _words(operation_id: str) -> str:
    """`listWorkItems` as people say it: `list work items`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in operation_id)

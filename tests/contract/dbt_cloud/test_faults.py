"""What is wrong with a body is told by the name under which it was sent, by every operation that takes one.

Every key of every body is sent in forms that cannot be, beside what else the operation needs; what is refused names
that key, or another one of the body, and never what the engine calls it.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from contract.dbt_cloud.coverage import mounted
from controlroom.dialects.dbt_cloud.errors import keys_of
from controlroom.dialects.dbt_cloud.routing import NOT_HAD

pytestmark = pytest.mark.matrix

TEXTS = ("x" * 10_001, " x", "a\nb", "../x", "")
NUMBERS = (-1, 2**53 + 1, "x")
TRUTHS = ("zz", 7)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|\S*[_.]\S*""")
_OURS = re.compile(
    r"\b(log-?ins?|workspaces?|purpose|process(es)?|packages?|organizations?|targets?|phases?|notices?)\b",
    re.IGNORECASE,
)
"""The engine's nouns; names with an underscore or a point are keys."""


def bodied() -> Iterator[tuple[str, str, Any, str]]:
    """Method, path (of one version), type of the body and name, of each operation that takes one."""
    for handler in sorted(set(mounted().values()), key=lambda each: each.fn.__name__):
        field = handler.parsed_data_field
        if field is not None and NOT_HAD not in handler.opt and handler.http_methods != {"DELETE"}:
            yield (
                next(iter(handler.http_methods)),
                max(handler.paths),
                field.annotation,
                handler.fn.__name__,
            )


OPERATIONS = list(bodied())


def hostile(body: Any) -> Iterator[dict[str, Any]]:
    """One key each, in a form that cannot be."""
    for kind in _structs(msgspec.inspect.type_info(body)):
        for field in kind.fields:
            for value in _values(field.type):
                yield {field.encode_name: value}


def _structs(kind: Any) -> Iterator[msgspec.inspect.StructType]:
    if isinstance(kind, msgspec.inspect.StructType):
        yield kind
    for each in (*getattr(kind, "types", ()), getattr(kind, "item_type", None)):
        if each is not None:
            yield from _structs(each)


_SIMPLE = {
    msgspec.inspect.StrType: TEXTS,
    msgspec.inspect.EnumType: TEXTS,
    msgspec.inspect.LiteralType: TEXTS,
    msgspec.inspect.IntType: NUMBERS,
    msgspec.inspect.BoolType: TRUTHS,
    msgspec.inspect.DictType: ({"zz": {"a": 1}},),
}


def _values(kind: Any) -> Iterator[Any]:
    match kind:
        case msgspec.inspect.StructType():
            yield "zz"
            for field in kind.fields:
                yield from ({field.encode_name: value} for value in _values(field.type))
        case msgspec.inspect.UnionType():
            for each in kind.types:
                yield from _values(each)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            yield from ([value] for value in _values(kind.item_type))
        case _:
            yield from _SIMPLE.get(type(kind), ())


NEVER = {"state", "is_disabled"}
"""Would take away what the other requests need."""


async def test_what_is_wrong_is_told_by_the_name_under_which_it_was_sent(site):
    """By every operation, of every key of its body."""
    bases, wrong, seen = site.bases(), [], set()
    for method, template, body, name in OPERATIONS:
        if (path := site.path(template)) is None:
            continue
        keys = keys_of(body) | {"body"}
        is_list = msgspec.json.schema(body).get("type") == "array"
        for each in hostile(body):
            if each.keys() & NEVER:
                continue
            sent = bases.get(name, {}) | each
            answer = await site.http.request(method, path, json=[sent] if is_list else sent)
            told = answer.json()
            message = told["status"]["user_message"]
            if answer.status_code == 400:
                seen.add(name)
                roots = {re.split(r"[.\[]", key)[0] for key in told["data"] or {}}
                if not roots or (not roots <= keys and not is_list and "env_var" not in keys):
                    wrong.append(f"{name} {str(each)[:80]}: {told['data']} {message[:120]}")
            if answer.status_code >= 500 and answer.status_code != 501:
                wrong.append(f"{name} {str(each)[:80]}: {answer.status_code}")
            if not told["status"]["is_success"] and _OURS.search(_QUOTED.sub("", message)):
                wrong.append(f"{name} {str(each)[:80]}: {message[:200]}")

    assert wrong == []
    assert len(seen) > 25


@pytest.mark.parametrize("field", ["account_id", "id", "project_id"])
async def test_a_body_that_contradicts_its_address_is_refused(site, field):
    """By every operation but a trigger (§0.11): account, project and the thing itself are those of the path."""
    bases, wrong = site.bases(), []
    for method, template, body, name in OPERATIONS:
        path = site.path(template)
        last = template.rpartition("/")[2]
        names_it = {"account_id": "{account:str}" in template, "project_id": "{project:str}" in template}
        if path is None or name == "trigger_job_run" or not names_it.get(field, last.startswith("{")):
            continue
        is_list = msgspec.json.schema(body).get("type") == "array"
        sent = bases.get(name, {}) | {field: 9_000_000}
        answer = await site.http.request(method, path, json=[sent] if is_list else sent)
        if answer.status_code != 400 or (answer.json()["data"] or {}).keys() != {field}:
            wrong.append(f"{name}: {answer.status_code} {answer.text[:200]}")

    assert wrong == []

"""Keys that a body does not have: refused where ignoring them would change what happens, else ignored."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract.robocorp.furnished import Furnished
from contract.robocorp.grammar import EARLIER, PUBLIC, Row, W

_STARTS_AND_ITEMS = ("/processes/{process}/process-runs", "/work-items")
LENIENT = [
    row
    for section in (PUBLIC, EARLIER)
    for row in section.rows
    if isinstance(row, Row)
    and row.method in {"POST", "PUT"}
    and not row.path.removeprefix(W).startswith(_STARTS_AND_ITEMS)
]
"""The vendor's other calls: clients may send more than we know of."""


def _shape(path: str) -> str:
    """A path without the names of what is in its braces."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _strict_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and the schema of the body of every operation whose body has named keys, LENIENT excepted."""
    lenient = {(row.method.lower(), _shape(row.path)) for row in LENIENT}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation and (method, _shape(path)) not in lenient:
                yield method, path, operation["requestBody"]["content"]["application/json"]["schema"]


def _open_objects(schema: Any, document: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """The named types within a schema that would take a key which they do not name."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                named = document["components"]["schemas"][name]
                if "properties" in named and named.get("additionalProperties") is not False:
                    yield name
                yield from _open_objects(named, document, seen)
        case dict():
            for each in schema.values():
                yield from _open_objects(each, document, seen)
        case list():
            for each in schema:
                yield from _open_objects(each, document, seen)


async def _document(furnished: Furnished) -> dict[str, Any]:
    document: dict[str, Any] = (await furnished.owner.http.get("/api/v1/openapi.json")).json()
    return document


async def test_every_operation_of_ours_refuses_a_key_that_it_does_not_have(furnished: Furnished):
    """A start, an item, or anything of our management API: 400, with the key's name."""
    document = await _document(furnished)
    found = {}
    for method, path, _ in _strict_operations(document):
        url = path
        for name in ("workspace", "process", "run", "item", "package", "worker", "group", "token", "webhook"):
            url = url.replace(f"{{{name}_id}}", furnished.ids[name])
        while "{" in url:  # what is there is of no matter: the body is read first
            url = url[: url.index("{")] + furnished.ids["process"] + url[url.index("}") + 1 :]
        answer = await furnished.owner.http.request(method.upper(), url, json={"surely_unknown": 1})
        found[f"{method} {path}"] = (answer.status_code, "surely_unknown" in answer.text)

    assert len(found) > 40
    assert {what: told for what, told in found.items() if told != (400, True)} == {}


async def test_what_is_inside_of_their_bodies_is_as_strict(furnished: Furnished):
    """The document says of every object within them that it takes no other keys."""
    document = await _document(furnished)

    open_objects = {
        f"{method} {path}": names
        for method, path, schema in _strict_operations(document)
        if (names := list(_open_objects(schema, document, set())))
    }

    assert open_objects == {}


@pytest.mark.parametrize("row", LENIENT, ids=lambda row: f"{row.method} {row.path.removeprefix(W)}")
async def test_the_vendors_other_calls_ignore_what_they_do_not_know(furnished: Furnished, row: Row):
    """A client of another generation may say more than we know, and is served all the same."""
    path = row.path.removeprefix(W)

    answer = await furnished.call(row.method, path, furnished.owner.key, more={"surely_unknown": {"a": 1}})

    assert answer.status_code == 200, answer.text

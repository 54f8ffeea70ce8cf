"""The page beside an OpenAPI document tells all of it, to people."""

import re

from controlroom.border.api_docs.document import base_of, nouns_of, operations_of
from controlroom.border.api_docs.page import page
from controlroom.border.api_docs.shapes import contents, shape, without_null


def operation(id_, *tags, deprecated=False, **of):
    return {"operationId": id_, "tags": list(tags), "deprecated": deprecated, "responses": {}, **of}


DOCUMENT = {
    "info": {"title": "Room", "version": "v1", "description": "Follow `next` & <stop>."},
    "paths": {
        "/api/{workspace}/items": {"get": operation("listItems", "Items")},
        "/api/{workspace}/items/{item}": {
            "put": operation("updateItemByPut", "Items", deprecated=True),
            "post": operation("updateItem", "Items"),
            "delete": operation("deleteItem", "Items", deprecated=True),
        },
        "/api/{workspace}/work-shops": {"get": operation("listShops")},
        "/login": {"post": operation("logIn")},
    },
}


def test_a_deprecated_twin_is_folded_into_its_operation():
    """An operation under another method is no operation of its own; one that is only deprecated is."""
    found = {each.id: each.aliases for each in operations_of(DOCUMENT)}

    assert found == {"listItems": (), "updateItem": ("put",), "deleteItem": (), "listShops": (), "logIn": ()}


def test_operations_are_grouped_by_noun():
    """By their tag; without one by the path, below what most paths begin with."""
    operations = operations_of(DOCUMENT)
    base = base_of(operations)

    assert base == "/api/{workspace}"
    assert [(noun.name, len(noun.operations)) for noun in nouns_of(operations, base)] == [
        ("Items", 3),
        ("Work shops", 1),
        ("Login", 1),
    ]


def test_schemas_are_told_in_a_few_words():
    """Named types are links, choices are told by their values."""
    assert shape({"$ref": "#/components/schemas/Item"}) == '<a href="#Item">Item</a>'
    assert shape({"type": "array", "items": {"type": "string", "format": "uuid"}}) == "list of string · uuid"
    assert shape({"type": "object", "additionalProperties": {"type": "integer"}}) == "map to integer"
    assert re.sub("<.*?>", "", shape({"enum": ["<a>", None]})) == "&quot;&lt;a&gt;&quot; | null"
    assert re.sub("<.*?>", "", shape({"type": ["null", "string"]})) == "null | string"
    assert shape({}) == "any JSON"
    assert without_null({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == {"type": "integer"}
    assert without_null({"type": ["null", "string"], "enum": ["a", None]}) == {"type": "string", "enum": ["a"]}


def test_a_page_of_a_list_is_told_as_its_rows():
    """What a reader wants to know of a list is what a row of it has."""
    schemas = {
        "Item": {
            "properties": {"id": {"type": "string"}, "note": {"type": "string", "default": "-"}},
            "required": ["id"],
        },
        "ItemPage": {
            "properties": {
                "data": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                "has_more": {"type": "boolean"},
                "next": {"type": "string"},
            }
        },
    }
    told = re.sub("<.*?>", " ", contents({"$ref": "#/components/schemas/ItemPage"}, schemas))

    words = " ".join(told.split())
    assert words == "A page: each of data is Item . id string note optional string = &quot;-&quot;"


def test_the_page_loads_and_runs_nothing_of_others():
    """Texts of the document are text; the policy names our own style and script by their content."""
    shown = page(DOCUMENT, document="/openapi.json")

    assert "Follow <code>next</code> &amp; &lt;stop&gt;." in shown
    assert "default-src 'none'" in shown
    assert "src=" not in shown
    assert set(re.findall(r"https?://[^\"'< ]+", shown)) == set()
    assert {"listItems", "updateItem", "deleteItem", "listShops", "logIn"} == set(
        re.findall('<article id="(\\w+)"', shown)
    )


def test_with_what_paths_begin_is_told_where_most_begin_alike():
    """And nothing of it where they do not."""
    alike = DOCUMENT | {"paths": {path: each for path, each in DOCUMENT["paths"].items() if "items" in path}}
    apart = DOCUMENT | {"paths": {"/v1/a": {"get": operation("a", "A")}, "/v2/b": {"get": operation("b", "B")}}}

    assert "Paths begin with <code>/api/{workspace}" in page(alike, document="doc.json")
    assert "Paths begin" not in page(apart, document="doc.json")

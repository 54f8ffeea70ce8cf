"""Every list takes what sloppy callers send (§1.5, §7.6, §7.7), and every route lives with what it is not asked for."""

import re

from contract.automation360.coverage import mounted

BODIES = {
    "no body": None,
    "an empty object": {},
    "nulls": {"filter": None, "sort": None, "fields": None, "page": None},
    "empty parts": {"filter": {}, "sort": [], "fields": [], "page": {}},
    "no operands": {
        "page": None,
        "sort": [{"field": "id", "direction": "asc"}],
        "filter": {"operator": "and", "operands": []},
    },
    "text for numbers": {"page": {"Offset": "0", "length": "5"}},
    "a length alone": {"page": {"length": 5}},
    "no length": {"page": {"offset": 0, "length": 0, "total": 9, "totalFilter": 9}},
    "capitals": {"sort": [{"field": "id", "direction": "DESC"}]},
    "one for several": {"sort": {"field": "id", "direction": "asc"}, "filter": {"operator": "or", "operands": {}}},
    "a bare condition": {"filter": {"operator": "gt", "field": "id", "value": "0"}},
    "a nested not": {
        "filter": {
            "operator": "NOT",
            "operands": [{"operator": "and", "operands": [{"operator": "eq", "field": "id", "value": "0"}]}],
        }
    },
    "an offset behind the end": {"page": {"offset": 1_000_000_000, "length": 10}},
    "unknown keys": {"odd": {"deep": [1]}, "page": {"limit": 3}},
}
_OTHERS = re.compile(r"custommodel|acc/automation|usermanagement/roles|hotbot")
"""Lists that are asked in a way of their own, or whose ids are not compared by `gt`."""
_BY_ID = {"a bare condition", "a nested not", "no operands", "capitals", "one for several"}


def lists():
    """The addresses of all lists that have no value in them."""
    return sorted(
        path for method, path in mounted() if method == "POST" and path.endswith("/list") and "{}" not in path
    )


async def test_every_list_takes_sloppy_bodies(root):
    """None of these is refused: they mean no restriction, or one that can be met."""
    refused = {}
    for path in lists():
        for name, body in BODIES.items():
            if _OTHERS.search(path) and name in _BY_ID:
                continue
            answer = await root.call("POST", path, **({} if body is None else {"json": body}))
            if answer.status_code != 200 or not isinstance(answer.json(), dict):
                refused[path, name] = answer.status_code, answer.text[:200]

    assert refused == {}


async def test_every_list_refuses_what_it_does_not_have(root):
    """An unknown field, operator or page is 400, with code and message."""
    taken = {}
    wrong = (
        {"filter": {"operator": "eq", "field": "shoes", "value": "1"}},
        {"filter": {"operator": "between", "field": "id", "value": "1"}},
        {"sort": [{"field": "shoes", "direction": "asc"}]},
        {"page": {"offset": "many"}},
    )
    for path in lists():
        if _OTHERS.search(path) or "migration" in path:
            continue
        for body in wrong:
            answer = await root.call("POST", path, json=body)
            if answer.status_code != 400 or not {"code", "message"} <= answer.json().keys():
                taken[path, str(body)] = answer.status_code, answer.text[:200]

    assert taken == {}


async def test_a_get_lives_with_a_body_and_odd_queries(root):
    """Clients send JSON with a GET, `?&`, and names in any case."""
    for path in sorted(path for method, path in mounted() if method == "GET" and "swagger" not in path):
        filled = path.replace("{}", "0")
        answer = await root.call("GET", f"{filled}?&ODD=1", json={"get_executions": {"execution_ids": ["x"]}})

        assert answer.status_code < 500 or answer.status_code == 501, (path, answer.status_code, answer.text)


async def test_nobody_gets_in_without_a_token(stranger):
    """Every route that is not open answers 401 before it looks at anything."""
    for method, path in sorted(mounted()):
        if mounted_is_open(method, path) or "swagger" in path:
            continue
        answer = await stranger.request(method, path.replace("{}", "0"), content=b"{")

        assert answer.status_code == 401, (method, path, answer.status_code, answer.text)
        assert answer.json()["code"] in {"UM1117", 401}, (method, path)


def mounted_is_open(method, path, routes=mounted()):  # noqa: B008 - made once
    return "is_open" in routes[method, path].opt

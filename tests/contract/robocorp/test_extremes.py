"""Numbers, nests and times at the ends of what can be written, in every field of every operation."""

import json
from typing import Any

import pytest

from contract.in_turn import in_turn, some_and_all
from contract.robocorp.furnished import Furnished
from contract.robocorp.samples import samples

_NUMBERS = (
    "1" + "0" * 30,
    "-1" + "0" * 30,
    "9" * 5000,
    "1e308",
    "-1e308",
    "1e400",
    "1e-400",
    "1e131000",
    "9223372036854775808",
)
_TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0002-06-01T00:00:00-12:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-12:00",
    "9998-12-31T00:00:00+14:00",
)
_REFUSED = {"JSON_TOO_COMPLEX", "REQUEST_TOO_LARGE"}  # the latter of strangers, to who logs in
_HERE = "\x00here"


async def _document(furnished: Furnished) -> dict[str, Any]:
    document: dict[str, Any] = (await furnished.owner.http.get("/api/v1/openapi.json")).json()
    return document


_HONEST = {"NOT_ANALYSED"}
"""What is said rightly by a room in which no worker is at work."""


@some_and_all
async def test_no_number_is_a_server_error(furnished: Furnished, of_each):
    """Each number that a body can have, as large and as long as JSON can write it: taken or refused, never a bug."""
    found = {}
    asked = 0
    pick = in_turn(of_each)
    for sample in samples(await _document(furnished), furnished.ids):
        for at, kind in sample.kinds.items():
            if kind in {"integer", "number", "anything"}:
                for number in pick(_NUMBERS):
                    content = json.dumps(sample.changed(at, _HERE)).replace(json.dumps(_HERE), number)
                    answer = await furnished.owner.http.request(sample.method, sample.path, content=content.encode())
                    asked += 1
                    if answer.status_code >= 500 and answer.json()["error"]["code"] not in _HONEST:
                        found[sample.method, sample.path, at, number[:12]] = answer.text

    assert found == {}
    assert asked > 100


@some_and_all
async def test_no_time_at_the_ends_of_the_calendar_is_taken(furnished: Furnished, of_each):
    """Each time that a body can have: the first and the last years are 400, with the reason, in every zone."""
    found = {}
    asked = 0
    pick = in_turn(of_each)
    for sample in samples(await _document(furnished), furnished.ids):
        for at, kind in sample.kinds.items():
            if kind == "date-time":
                for time in pick(_TIMES):
                    answer = await furnished.owner.http.request(
                        sample.method, sample.path, json=sample.changed(at, time)
                    )
                    asked += 1
                    if (answer.status_code, answer.json()["error"]["code"]) != (400, "TIME_OUT_OF_RANGE"):
                        found[sample.method, sample.path, at, time] = (answer.status_code, answer.text)

    assert found == {}
    assert asked > 30


@pytest.mark.matrix
async def test_no_nest_is_a_server_error(furnished: Furnished):
    """Where a body takes anything, a nest below the limit is taken or refused, and one above it refused as such."""
    found = {}
    for sample in samples(await _document(furnished), furnished.ids):
        for at, kind in sample.kinds.items():
            for depth in (150, 240, 9_000, 100_000):
                nest = "[" * depth + "]" * depth
                content = json.dumps(sample.changed(at, _HERE)).replace(json.dumps(_HERE), nest) if at else nest
                answer = await furnished.owner.http.request(sample.method, sample.path, content=content.encode())
                right = {200, 400, 403, 404, 409} if depth == 150 else {400, 413}
                told = answer.json().get("error", {}).get("code")
                if answer.status_code not in right or (depth > 240 and told not in _REFUSED):
                    found[sample.method, sample.path, at, depth, kind] = (answer.status_code, answer.text[:300])

    assert found == {}


@some_and_all
async def test_no_query_is_a_server_error(furnished: Furnished, of_each):
    """Numbers and times of queries likewise; what is no number of a page is refused."""
    found = {}
    pick = in_turn(of_each)
    document = await _document(furnished)
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            kind = json.dumps(parameter["schema"])
            values = _NUMBERS if "integer" in kind else _TIMES if "date-time" in kind else ()
            if parameter["in"] == "query" and parameter["name"] == "cursor":
                values = (
                    "k" * 4000,
                    "kZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGR" * 60,
                    "z" + "_" * 12,
                    "3AAQ" + "k" * 5000,
                )
            for value in pick(values):
                query = {"process_run_id": furnished.ids["run"], parameter["name"]: value}
                url = path
                for name, id_ in furnished.ids.items():
                    url = url.replace(f"{{{name}_id}}", id_)
                if "{" not in url:
                    answer = await furnished.owner.http.get(url, params=query)
                    if answer.status_code not in {200, 400, 403} or ("date-time" in kind and answer.status_code == 200):
                        found[path, parameter["name"], value[:30]] = (answer.status_code, answer.text[:300])

    assert found == {}

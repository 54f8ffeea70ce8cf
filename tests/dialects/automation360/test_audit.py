"""Audit API v1."""

import pytest

from controlroom.dialects.automation360.audit_words import ACTIVITY_TYPES

LIST = "/v1/audit/messages/list"


async def test_who_did_what_is_told_in_the_grammars_words(room, root):
    """A user's log-in, with their name and number, newest first; times are ISO with a Z."""
    mine = {"operator": "eq", "field": "createdBy", "value": str(root.number)}

    answer = await root.post(LIST, {"filter": mine})

    [message] = answer["list"]
    assert (message["activityType"], message["status"], message["userName"]) == ("LOGIN", "Successful", root.actor.name)
    assert (message["createdBy"], message["createdOn"][-1]) == (str(root.number), "Z")
    assert answer["page"]["totalFilter"] == 1
    assert answer["page"]["total"] > 1


async def test_every_type_that_is_told_is_of_the_closed_list(root):
    """Clients fail on any other (§7.17)."""
    told = {message["activityType"] for message in await root.rows(LIST, page={"length": 1000})}

    assert told <= {*ACTIVITY_TYPES}


async def test_an_answer_has_at_most_400_messages(room, root):
    """Whatever is asked for; the rest is behind an offset."""
    answer = await root.post(LIST, {"page": {"offset": 0, "length": 1000}})

    assert len(answer["list"]) <= 400
    assert answer["page"]["total"] >= len(answer["list"])


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"filter": None, "sort": None, "fields": None, "page": None},
        {"filter": {}, "sort": [], "fields": [], "page": {}},
        {"filter": {"operator": "and", "operands": []}, "page": {"Offset": "0", "length": "5"}},
        {
            "filter": {"operator": "ne", "field": "status", "value": "ANY"},
            "sort": {"field": "createdOn", "direction": "DESC"},
        },
        {"sort": [{"field": "id", "direction": "asc"}], "page": {"length": 0, "total": 9, "totalFilter": 9}, "odd": 1},
    ],
)
async def test_sloppy_bodies_are_taken(root, body):
    """§1.5: null, empty and odd forms mean no restriction."""
    assert (await root.post(LIST, body))["list"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"filter": {"operator": "eq", "field": "colour", "value": "red"}}, 400),
        ({"filter": {"operator": "between", "field": "status", "value": "red"}}, 400),
        ({"sort": [{"field": "colour"}]}, 400),
        ({"page": {"offset": "many"}}, 400),
        ([], 400),
    ],
)
async def test_what_the_list_does_not_have_is_refused(root, body, status):
    """With a code that is a number here, and a message."""
    answer = await root.call("POST", LIST, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert answer.json()["message"]


async def test_who_may_not_read_it_is_told_what_is_missing(nobody, ben_user):
    """403 names the permission."""
    for caller in (nobody, ben_user):
        answer = await caller.call("POST", LIST, json={})

        assert answer.status_code == 403
        assert "auditlog" in answer.json()["message"]
        assert "auditlog" in answer.json()["details"]

"""Audit API v1."""

from pathlib import Path

import pytest

import controlroom.engine
from controlroom.dialects.automation360 import audit_words
from controlroom.dialects.automation360.audit_words import ACTIVITY_TYPES

LIST = "/v1/audit/messages/list"
ENGINE = Path(controlroom.engine.__path__[0])
_OF_THE_VENDOR = """
    ACTIVATE_AUTOMATION CREATE_AUTOMATION DEACTIVATE_AUTOMATION DELETE_AUTOMATION DEPLOYMENT_AUTOMATION
    EXECUTE_AUTOMATION RUN_AUTOMATION UPDATE_AUTOMATION AUTOMATION_MISFIRED MOVE_TO_HISTORY RUN_BOT_DISCONNECTED
    RUN_BOT_ENDED RUN_BOT_PAUSED RUN_BOT_RECONNECTED RUN_BOT_RESUMED RUN_BOT_STOPPED BOT_RUNNER_SESSION CHECKOUT
    UNDO_CHECKOUT CREATE_FOLDER DELETE_FOLDER RENAME_FOLDER DELETE_BOT DELETE_FILE DOWNLOAD_BOT DOWNLOAD_FILE EDIT_BOT
    UPLOAD_BOT UPLOAD_FILE ADD_MANUAL_DEPENDENCY REMOVE_MANUAL_DEPENDENCY EXPORT_BOT_FILES_API IMPORT_BOT_FILES_API
    VCS_SETTING ADD_CREDENTIAL DELETE_CREDENTIAL READ_CREDENTIAL UPDATE_CREDENTIAL UPDATE_CREDENTIAL_OWNERSHIP
    ADD_LOCKER DELETE_LOCKER READ_LOCKER UPDATE_LOCKER ADD_ROLE DELETE_ROLE UPDATE_ROLE CREATE_USER DELETE_USER
    UPDATE_USER DISABLE_USER ENABLE_USER LOGIN LOGOUT POOL_CREATED_SUCCESSFULLY POOL_DELETED_SUCCESSFULLY
    POOL_UPDATED_SUCCESSFULLY QUEUE_CREATED QUEUE_DELETED QUEUE_UPDATED QUEUE_EXPORT QUEUE_IMPORT WLM_FILE_UPLOADED
    WLM_LOAD_WORKITEMS EDIT_SETTINGS EMAIL_SETTING FIRST_ADMIN_SETTINGS AUDIT_UNSET_ACTIVITY_TYPE
"""
CLOSED = frozenset(_OF_THE_VENDOR.split())
"""Of the vendor's list, those that something of ours is."""


def test_types_are_of_the_closed_list_and_tell_of_what_is_recorded():
    """No type of our own, and no kind of event that nobody writes (any more)."""
    written = "\n".join(file.read_text(encoding="utf-8") for file in ENGINE.rglob("*.py"))
    made = {"schedule": "schedule.{state.value}", "step_run": "step_run.{state.value}", "transfer": "transfer.{kind."}

    unwritten = {
        kind
        for kind in audit_words.KINDS
        if f'"{kind}"' not in written and made.get(kind.partition(".")[0], "-") not in written
    }

    assert {*ACTIVITY_TYPES} <= CLOSED
    assert unwritten == set()


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
    assert (await root.call("POST", LIST, json=body)).json()["list"]


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

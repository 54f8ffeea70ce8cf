"""Trigger mappings: kept and told."""

import pytest

from controlroom.engine.access.model import Role

PATH = "/v1/triggers/triggermapping"


@pytest.fixture
async def bot(room, process, workspace) -> int:
    """The number of a task that was pushed."""
    return await room.engine.database.value(
        "select task.number from task join package on package.id = package_id where workspace_id = %(workspace)s",
        workspace=workspace,
    )


async def test_triggers_are_given_to_users_or_to_roles(room, root, bot):
    """One mapping each, by numbers; listed, and taken away once."""
    role = await room.engine.database.value("select number from role where organization_id is null order by id limit 1")
    body = {"botFileId": str(bot), "botFileLabel": "PRODUCTION", "users": {"userIds": [root.number]}}
    [of_user] = (await root.post(PATH, body, status=201))["triggerMappings"]
    [of_role] = (await root.post(PATH, {"botFileId": bot, "roles": {"roleIds": [role]}}, status=201))["triggerMappings"]

    assert (of_user["userId"], of_user["roleId"], of_user["botLabel"]) == (root.number, None, "PRODUCTION")
    assert (of_role["userId"], of_role["roleId"], of_role["botId"]) == (None, role, bot)
    assert of_user["modifierBy"] == root.number
    assert of_user["botPath"].startswith("Automation Anywhere\\Bots\\")
    assert [row["id"] for row in await root.rows(f"{PATH}/list", "botId", bot)] == [of_role["id"], of_user["id"]]
    await root.delete(f"{PATH}/{of_user['id']}")
    assert (await root.call("DELETE", f"{PATH}/{of_user['id']}")).status_code == 404


async def test_what_cannot_be_given_is_refused(root, ben_user, nobody, enrol, workspace, bot):
    """Both at once or nobody, a user who may not be run as, a bot that there is not; and by whom it may not."""
    both = {"users": {"userIds": [root.number]}, "roles": {"roleIds": [1]}}
    for body, status in (
        ({"botFileId": bot, **both}, 400),
        ({"botFileId": bot}, 400),
        ({"botFileId": bot, "users": {"userIds": [ben_user.number]}}, 400),
        ({"botFileId": bot, "users": {"userIds": [999_999_999]}}, 404),
        ({"botFileId": 999_999_999, "users": {"userIds": [root.number]}}, 404),
    ):
        assert (await root.call("POST", PATH, json=body)).status_code == status, body
    body = {"botFileId": bot, "users": {"userIds": [root.number]}}
    viewer = await enrol("vera", role=Role.VIEWER, workspace=workspace)
    for caller in (nobody, viewer):
        refused = await caller.call("POST", PATH, json=body)
        assert (refused.status_code, "eventtriggers" in refused.json()["message"]) == (403, True)

"""What rcc and editors do with a user's credentials; the caller is written from the description of the wire."""

import time
from uuid import uuid4

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.access.users.actions import create_credential, create_user
from controlroom.ids import uuid7
from rcc_caller import Rcc


@pytest.fixture
def member(room, workspace, stranger):
    """Makes users with a role in the workspace, each with a pair of credentials."""

    async def make(role: Role) -> Rcc:
        user = await create_user(
            room.engine, room.admin, workspace, username=f"user-{uuid7()}", password=None, role=role, first_name="Ada"
        )
        _, pair = await create_credential(room.engine, room.admin, user.id, name="laptop")
        return Rcc(stranger, pair)

    return make


@pytest.fixture
async def rcc(member) -> Rcc:
    """Ada's machine."""
    return await member(Role.OWNER)


async def test_details_tell_whose_the_pair_is(rcc):
    """A GET is signed over the two characters of an empty object."""
    answer = await rcc.signed("GET", "/token-vendor-v1/user/details")

    assert answer.status_code == 200
    assert answer.json()["user"]["first_name"] == "Ada"
    assert answer.json()["request"]


@pytest.mark.parametrize(
    "changed",
    [
        {"content": b'{"expiresIn": 900, "capabilitySet": "edit/robot"}'},
        {"signature": "AAAA"},
        {"signature": "no base64"},
        {"timestamp": str(int(time.time()) - 60)},
        {"sent_to": f"/token-vendor-v1/workspaces/{uuid4()}/tokenrequest"},
    ],
)
async def test_what_was_changed_after_signing_is_refused(rcc, workspace, changed):
    """Body, path, time and signature belong together."""
    path = f"/token-vendor-v1/workspaces/{workspace}/tokenrequest"

    answer = await rcc.signed("POST", path, {"expiresIn": 900, "capabilitySet": "get/robot"}, **changed)

    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 401), (16, 401)])
async def test_a_request_must_be_signed_now(rcc, minutes, status):
    """Within a quarter of an hour in both directions, and not beyond."""
    answer = await rcc.signed("GET", "/token-vendor-v1/user/details", now=time.time() + 60 * minutes)

    assert answer.status_code == status


async def test_workspaces_and_their_robots_are_listed(rcc, workspace, process, cleo):
    """A token of the user sees the workspaces of the user, and what is in them, as bare lists."""
    answer = await rcc.signed(
        "POST", "/token-vendor-v1/user/tokenrequest", {"expiresIn": 900, "capabilitySet": "view/workspaces"}
    )
    token = answer.json()["token"]

    [listed] = (await rcc.call("GET", "/workspace-v1/workspaces", token)).json()
    tree = (await rcc.call("GET", f"/workspace-v1/workspaces/{workspace}/tree", token)).json()
    foreign = await rcc.call("GET", f"/workspace-v1/workspaces/{cleo.workspace}/tree", token)

    assert listed["id"] == str(workspace)
    assert listed["permissions"]["canReadRobots"] is True
    assert {"orgId", "orgName", "orgShortName", "shortName", "state", "url"} <= set(listed)
    assert [robot["name"] for robot in tree["robots"]] == ["robot"]
    assert tree["activities"] == [{"id": tree["robots"][0]["id"], "name": "robot"}]
    assert foreign.status_code == 404


async def test_a_robot_is_made_uploaded_and_downloaded(rcc, workspace, robot_content):
    """The links carry their own right: the zip is PUT to one, answered 200, and fetched from the other."""
    edit, get = await rcc.token(workspace, "edit/robot"), await rcc.token(workspace, "get/robot")
    base = f"/robot-v1/workspaces/{workspace}/robots"

    made = await rcc.call("POST", base, edit, json={"name": "mine"})
    file = f"{base}/{made.json()['id']}/file"
    empty = await rcc.call("GET", f"{file}/downloadlink", get)
    uploaded = await rcc.http.put(
        (await rcc.call("GET", f"{file}/uploadlink", edit)).json()["uri"], content=robot_content
    )
    downloaded = await rcc.http.get((await rcc.call("GET", f"{file}/downloadlink", get)).json()["uri"])
    refused = await rcc.call("GET", f"{file}/uploadlink", get)

    assert made.status_code == 200
    assert empty.status_code == 404
    assert uploaded.status_code == 200, uploaded.text
    assert downloaded.content == robot_content
    assert refused.status_code == 403


async def test_a_token_to_run_opens_vault_and_assets_only(rcc, ada, workspace):
    """What a robot needs on the user's machine, and nothing else; a token for something else does not do it."""
    await ada.call("PUT", "/secrets/mail", json={"values": {"password": "x"}})
    run, view = await rcc.token(workspace, "run/robot"), await rcc.token(workspace, "view/workspaces")

    opened = [
        await rcc.call("GET", f"/secrets-v1/workspaces/{workspace}/secrets/publicKey", run),
        await rcc.call("GET", f"/api/v1/workspaces/{workspace}/assets", run),
    ]
    closed = [
        await rcc.call("GET", f"/api/v1/workspaces/{workspace}/process-runs", run),
        await rcc.call("GET", f"/api/v1/workspaces/{workspace}/api-keys", run),
        await rcc.call("GET", f"/robot-v1/workspaces/{workspace}/robots/{uuid4()}/file/downloadlink", run),
        await rcc.call("GET", f"/secrets-v1/workspaces/{workspace}/secrets/mail", view),
    ]

    assert [answer.status_code for answer in opened] == [200, 200]
    assert [answer.status_code for answer in closed] == [403, 403, 403, 403]


async def test_a_token_gives_no_more_than_its_user_has(member, rcc, workspace, cleo):
    """A viewer's token to edit reads only; nobody gets one for a workspace that they are not in."""
    viewer = await member(Role.VIEWER)
    token = await viewer.token(workspace, "edit/robot")
    path = f"/token-vendor-v1/workspaces/{cleo.workspace}/tokenrequest"

    made = await viewer.call("POST", f"/robot-v1/workspaces/{workspace}/robots", token, json={"name": "mine"})
    outside = await rcc.signed("POST", path, {"expiresIn": 900, "capabilitySet": "get/robot"})
    unknown = await rcc.signed("POST", path, {"expiresIn": 900, "capabilitySet": "rule/world"})

    assert (made.status_code, outside.status_code, unknown.status_code) == (403, 404, 400)


async def test_deleting_the_pair_ends_it_and_its_tokens(rcc, workspace):
    """The pair that signs the request is gone, and the tokens that it asked for are refused at once."""
    token = await rcc.token(workspace, "get/robot")

    deleted = await rcc.signed("DELETE", "/token-vendor-v1/credential")

    assert deleted.status_code == 200
    assert (await rcc.call("GET", "/workspace-v1/workspaces", token)).status_code == 401
    assert (await rcc.signed("GET", "/token-vendor-v1/user/details")).status_code == 401

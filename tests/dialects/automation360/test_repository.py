"""The repository: what is in it, and what is done with it."""

import io
import json
import zipfile

import pytest

from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.roles.actions import create_role
from controlroom.engine.packages.actions import push
from live import robot_zip

REPOSITORY = "/v2/repository"
PUBLIC = f"{REPOSITORY}/workspaces/public/files/list"
PRIVATE = f"{REPOSITORY}/workspaces/PRIVATE/files/list"
TASKBOT = "application/vnd.aa.taskbot"
ROOT = "Automation Anywhere\\Bots"


def robot(*tasks, declared=""):
    """A zip with a robot of these tasks, and what controlroom.yaml says of them."""
    content = io.BytesIO(robot_zip(*tasks))
    with zipfile.ZipFile(content, "a") as archive:
        if declared:
            archive.writestr("controlroom.yaml", declared)
    return content.getvalue()


@pytest.fixture
async def folder(ben_user, workspace):
    """The workspace of the test, as the folder that it is."""
    [root] = await ben_user.rows(PUBLIC, "path", ROOT)
    rows = await ben_user.rows(f"{REPOSITORY}/folders/{root['id']}/list")
    return rows[0]


@pytest.fixture
async def bot(room, ada, ben_user):
    """A pushed bot, as it is found by its name."""
    blob = await room.engine.objects.put_bytes(
        robot("Main", declared="tasks: {Main: {inputs: {Name: {type: string, default: x}}, outputs: {Sum: number}}}")
    )
    await push(room.engine, ada.actor, ada.workspace, "Bills", blob)
    [row] = await ben_user.rows(PUBLIC, "name", "Main")
    return row


async def test_a_pushed_robot_is_a_bot_at_once(ben_user, bot, folder):
    """It is found in each list, by its path and type, and a second push is the next version of the same id."""
    assert (bot["type"], bot["path"]) == (TASKBOT, f"{folder['path']}\\Bills\\Main")
    assert (bot["latestVersion"], bot["productionVersion"], bot["workspaceType"]) == ("1", "", "PUBLIC")
    by_path = await ben_user.rows(f"{REPOSITORY}/file/list", "path", bot["path"])
    assert [row["id"] for row in by_path] == [bot["id"]]
    both = {
        "operator": "and",
        "operands": [
            {"operator": "eq", "field": "type", "value": TASKBOT},
            {"operator": "substring", "field": "name", "value": "mai"},
        ],
    }
    assert [row["id"] for row in await ben_user.rows(PUBLIC, filter=both)] == [bot["id"]]
    [package] = await ben_user.rows(f"{REPOSITORY}/folders/{folder['id']}/list", "name", "Bills")
    assert package["folder"] is True
    assert [row["id"] for row in await ben_user.rows(f"{REPOSITORY}/folders/{package['id']}/list")] == [bot["id"]]
    assert (await ben_user.get(f"{REPOSITORY}/files/{bot['id']}")) == bot


async def test_a_second_push_is_the_next_version(room, ada, ben_user, bot):
    """Of the same bot; which of them is in production is said by the label, and nothing else is a label."""
    await push(room.engine, ada.actor, ada.workspace, "Bills", await room.engine.objects.put_bytes(robot("Main", "B")))
    assign = {"fileId": int(bot["id"]), "label": "PRODUCTION", "versionNumber": 1}

    await ben_user.post(f"{REPOSITORY}/files/version/assignLabel", assign)

    again = await ben_user.get(f"{REPOSITORY}/files/{bot['id']}")
    assert (again["latestVersion"], again["productionVersion"]) == ("2", "1")
    other = await ben_user.call("POST", f"{REPOSITORY}/files/version/assignLabel", json=assign | {"label": "TEST"})
    assert other.status_code == 400
    for version in (9, 0, -1, 10**12):
        gone = await ben_user.call(
            "POST", f"{REPOSITORY}/files/version/assignLabel", json=assign | {"versionNumber": version}
        )
        assert gone.status_code == 404


@pytest.mark.parametrize("spelt", ["snake", "camel"])
async def test_a_bot_goes_on_with_an_earlier_version(room, ada, ben_user, bot, spelt):
    """Only where a downgrade is said to be meant; as the vendor writes its keys here, and as its Python client does."""
    await push(room.engine, ada.actor, ada.workspace, "Bills", await room.engine.objects.put_bytes(robot("Main", "B")))
    bots = [int(bot["id"])]
    body = {
        "snake": {"package_info": [{"package_name": "Bills", "package_version": "1"}], "file_ids": bots},
        "camel": {"packageInfo": [{"packageName": "Bills", "packageVersion": "1"}], "fileIds": bots},
    }[spelt]
    is_meant = {"snake": "downgrade_version", "camel": "downgradeVersion"}[spelt]
    path = f"{REPOSITORY}/files/packagesVersionUpdate"

    assert (await ben_user.call("POST", path, json=body)).status_code == 412
    await ben_user.post(path, body | {is_meant: True})

    again = await ben_user.get(f"{REPOSITORY}/files/{bot['id']}")
    assert again["latestVersion"] == "3"


async def test_a_bots_content_is_a_json_object(ben_user, bot):
    """It tells the task, its inputs and outputs and its package; the interface is asked for by itself, too."""
    answer = await ben_user.call("GET", f"{REPOSITORY}/files/{bot['id']}/content")

    assert answer.headers["content-type"] == TASKBOT
    assert answer.headers["content-disposition"].startswith("attachment")
    content = answer.json()
    assert content.keys() == {"triggers", "nodes", "variables", "packages", "properties"}
    assert content["packages"] == [{"name": "Bills", "version": "1"}]
    interface = await ben_user.get(f"/v1/filecontent/{bot['id']}/interface")
    assert interface["variables"] == content["variables"]
    assert [(each["name"], each["type"], each["input"], each["output"]) for each in content["variables"]] == [
        ("Name", "STRING", True, False),
        ("Sum", "NUMBER", False, True),
    ]
    assert content["variables"][0]["defaultValue"] == {"type": "STRING", "string": "x"}


async def test_a_file_that_is_given_a_robot_is_a_bot(ben_user, folder):
    """By the number that the making of the file told; given another one, that is its next version."""
    made = await ben_user.post(
        f"{REPOSITORY}/files",
        {"contentType": TASKBOT, "name": "Letters", "parentFolderId": folder["id"], "tags": []},
    )
    path = f"{REPOSITORY}/files/{made['id']}/content?hasErrors=false"
    for version in ("1", "2"):
        content = robot("Send", declared=f"tasks: {{Send: {{inputs: {{v{version}: string}}}}}}")
        answer = await ben_user.call("PUT", path, content=content, headers={"Content-Type": "application/zip"})
        assert answer.status_code == 200, answer.text

        bot = await ben_user.get(f"{REPOSITORY}/files/{made['id']}")

        assert (bot["type"], bot["latestVersion"], bot["hasErrors"]) == (TASKBOT, version, False)
        assert bot["path"].endswith("\\Letters\\Send")


async def test_the_vendors_bots_are_kept_and_have_errors(ben_user, folder):
    """A bot of the vendor's own form comes back as it was stored, with its variables, and is marked."""
    made = await ben_user.post(
        f"{REPOSITORY}/files", {"contentType": TASKBOT, "name": "Old bot", "parentFolderId": int(folder["id"])}
    )
    variable = {"name": "x", "type": "STRING", "input": True, "output": False}
    content = {"nodes": [], "variables": [variable], "packages": [], "triggers": [], "properties": {}}
    path = f"{REPOSITORY}/files/{made['id']}/content"

    answer = await ben_user.call("PUT", path, content=json.dumps(content), headers={"Content-Type": TASKBOT})

    assert answer.status_code == 200, answer.text
    assert (await ben_user.call("GET", path)).json() == content
    file = await ben_user.get(f"{REPOSITORY}/files/{made['id']}")
    assert (file["type"], file["hasErrors"]) == (TASKBOT, True)
    [told] = (await ben_user.get(f"/v1/filecontent/{made['id']}/interface"))["variables"]
    assert (told["name"], told["input"]) == ("x", True)
    no_json = await ben_user.call("PUT", path, content=b"%PDF", headers={"Content-Type": TASKBOT})
    assert no_json.status_code == 400


async def test_folders_are_made_edited_and_deleted(ben_user, folder):
    """Their statuses: 200 for a new one, 412 for a name that is there and for what is not empty, 204 for the end."""
    inside = f"{REPOSITORY}/folders/{folder['id']}"
    made = await ben_user.post(inside, {"folderName": "North"})
    assert (made["directory"], made["path"], made["parentId"]) == (True, f"{folder['path']}\\North", folder["id"])
    assert (await ben_user.call("POST", inside, json={"folderName": "north"})).status_code == 412
    below = await ben_user.post(f"{REPOSITORY}/folders/{made['id']}", {"folderName": "Deep"})
    path = f"{REPOSITORY}/folders/{made['id']}"
    assert (await ben_user.call("DELETE", path)).status_code == 412

    edited = await ben_user.put(path, {"folderId": made["id"], "name": "South", "description": "x", "parentId": None})

    assert (edited["id"], edited["path"]) == (made["id"], f"{folder['path']}\\South")
    assert (await ben_user.get(f"{REPOSITORY}/files/{below['id']}"))["path"].endswith("South\\Deep")
    await ben_user.delete(f"{REPOSITORY}/folders/{below['id']}")
    await ben_user.delete(path)
    assert (await ben_user.call("DELETE", path)).status_code == 404


async def test_a_folder_of_bots_is_a_workspace(root, ben_user):
    """Made by who may; the root is found without a filter."""
    [bots] = await root.rows(PUBLIC, "path", ROOT)
    path = f"{REPOSITORY}/folders/{bots['id']}"
    assert (await ben_user.call("POST", path, json={"folderName": "Finance"})).status_code == 403

    made = await root.post(path, {"folderName": "Finance"})

    assert made["path"] == f"{ROOT}\\Finance"
    assert (await root.call("POST", path, json={"folderName": "Finance"})).status_code == 412
    await root.delete(f"{REPOSITORY}/folders/{made['id']}")


async def test_one_of_several_tasks_stays(room, ada, ben_user, bot):
    """It is in robot.yaml: 412; a bot of one task goes with its package."""
    two = await room.engine.objects.put_bytes(robot("Read", "Write"))
    await push(room.engine, ada.actor, ada.workspace, "Two", two)
    [read] = await ben_user.rows(PUBLIC, "name", "Read")
    assert (await ben_user.call("DELETE", f"{REPOSITORY}/files/{read['id']}")).status_code == 412
    assert (await ben_user.call("PUT", f"{REPOSITORY}/folders/{read['id']}", json={"name": "x"})).status_code == 412

    await ben_user.delete(f"{REPOSITORY}/files/{bot['id']}", status=200)

    assert await ben_user.rows(PUBLIC, "name", "Main") == []


async def test_the_private_workspace_is_ones_own(ben_user, root):
    """Its root has the user's number and is listed to them alone."""
    [own] = await ben_user.rows(PRIVATE)
    assert (own["id"], own["path"], own["workspaceType"]) == (str(ben_user.number), ROOT, "PRIVATE")
    file = await ben_user.post(
        f"{REPOSITORY}/files", {"contentType": "text/plain", "name": "a.txt", "parentFolderId": own["id"]}
    )

    assert [row["id"] for row in await ben_user.rows(PRIVATE, "folder", "false")] == [file["id"]]
    assert (await root.call("GET", f"{REPOSITORY}/files/{file['id']}")).status_code == 404
    assert (await ben_user.call("POST", f"{REPOSITORY}/workspaces/none/files/list", json={})).status_code == 404


async def test_dependencies_are_said_and_read(ben_user, bot, folder):
    """A bot needs a file: both tell of it, the file with numbers and the bot with texts."""
    file = await ben_user.post(
        f"{REPOSITORY}/files", {"contentType": "text/csv", "name": "rates.csv", "parentFolderId": folder["id"]}
    )
    path = f"{REPOSITORY}/files/{bot['id']}/dependencies"

    await ben_user.put(f"{path}/0", {"childFileIds": [int(file["id"])]})

    [needed] = (await ben_user.get(path))["dependencies"]
    assert (needed["id"], needed["dependencyType"], needed["requiredByFileId"]) == (file["id"], "MANUAL", bot["id"])
    [parent] = await ben_user.get(f"{REPOSITORY}/files/{file['id']}/parents")
    assert (parent["id"], parent["requiredByFileId"]) == (bot["id"], int(file["id"]))
    together = await ben_user.post(f"{REPOSITORY}/dependencies", {"fileIds": [bot["id"]]})
    assert [each["id"] for each in together["dependencies"]] == [file["id"]]


async def test_a_copy_is_a_bot_of_its_own(ben_user, bot, folder):
    """In the folder that is named."""
    made = await ben_user.post(f"{REPOSITORY}/files/{bot['id']}/copy", {"name": "Bills 2", "parentId": folder["id"]})

    copy = await ben_user.get(f"{REPOSITORY}/files/{made['id']}")

    assert (copy["type"], copy["path"]) == (TASKBOT, f"{folder['path']}\\Bills 2\\Main")


async def test_a_role_has_rights_in_folders(room, ada, root, enrol, bot, folder):
    """A user without any sees no bot; one whose role views and runs a folder sees what is in it, and no more."""
    role = await create_role(room.engine, root.actor, name=f"runners {bot['id']}", description="", permissions=set())
    dora = await enrol("dora")
    await grant(room.engine, root.actor, Principal(PrincipalKind.USER, dora.actor.id), role.id, None)
    assert await dora.rows(PUBLIC, "type", TASKBOT) == []
    assert (await dora.call("GET", f"{REPOSITORY}/files/{bot['id']}")).status_code == 404
    path = f"{REPOSITORY}/role/{role.number}"
    given = [
        {
            "folderId": int(folder["id"]),
            "permissions": [{"name": "viewcontent", "enabled": True}, {"name": "run", "enabled": True}],
        }
    ]
    assert (await dora.call("PUT", f"{path}/permissions", json=given)).status_code == 403

    await root.put(f"{path}/permissions", given, status=201)

    [seen] = await dora.rows(PUBLIC, "type", TASKBOT)
    assert (seen["id"], seen["permission"]["run"], seen["permission"]["delete"]) == (bot["id"], True, False)
    assert (await dora.call("DELETE", f"{REPOSITORY}/files/{bot['id']}")).status_code == 403
    [told] = await root.get(f"{path}/folder/{folder['id']}/permissions", includeChildren="false")
    assert told["folderId"] == int(folder["id"])
    assert {each["name"] for each in told["permissions"] if each["enabled"]} == {"viewcontent", "run"}
    more = await root.get(f"{path}/folder/{folder['id']}/permissions", includeChildren="true")
    assert len(more) > 1


@pytest.mark.parametrize("body", [None, {}, {"filter": {}, "sort": None, "page": {"Offset": "0", "length": "1000"}}])
async def test_lists_are_asked_in_any_way(ben_user, bot, body):
    """Without a body, with an empty one, with texts for numbers."""
    for path in (PUBLIC, PRIVATE, f"{REPOSITORY}/file/list"):
        answer = await ben_user.post(path, body)
        assert answer["page"]["total"] == answer["page"]["totalFilter"] == len(answer["list"]) > 0
    assert (await ben_user.call("POST", PUBLIC, json={"filter": {"operator": "eq", "field": "x"}})).status_code == 400

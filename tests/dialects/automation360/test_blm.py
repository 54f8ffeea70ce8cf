"""Bots are exported to an archive, and imported from one."""

import io
import zipfile

import pytest

from controlroom.dialects.automation360.promotion import hand
from controlroom.engine.access import user_keys
from controlroom.engine.assets import shared
from controlroom.engine.packages.actions import push
from controlroom.engine.repository.dependencies import set_needed
from controlroom.engine.transfers.model import Target
from controlroom.errors import Invalid
from controlroom.outgoing import Outgoing
from live import robot_zip

BLM = "/v2/blm"
REPOSITORY = "/v2/repository"
PUBLIC = f"{REPOSITORY}/workspaces/public/files/list"
TASKBOT = "application/vnd.aa.taskbot"


@pytest.fixture
async def bot(room, ada, ben_user):
    """A pushed bot that needs a file, which has content."""
    await push(room.engine, ada.actor, ada.workspace, "Bills", await room.engine.objects.put_bytes(robot_zip("Main")))
    [row] = await ben_user.rows(PUBLIC, "name", "Main")
    [place] = await ben_user.rows(PUBLIC, "path", "\\".join(row["path"].split("\\")[:3]))
    file = await ben_user.post(
        f"{REPOSITORY}/files", {"name": "rates.csv", "contentType": "text/csv", "parentFolderId": place["id"]}
    )
    await ben_user.call("PUT", f"{REPOSITORY}/files/{file['id']}/content", content=b"a;b")
    await set_needed(room.engine, ben_user.actor, int(row["id"]), [int(file["id"])])
    return row | {"place": place, "file": file["id"]}


async def ended(caller, request):
    """The status of an export or import once it has ended."""
    return await caller.get(f"{BLM}/status/{request['requestId']}/timeout/30000")


async def exported(caller, **wanted):
    """An archive, and the status of its export."""
    request = await caller.post(f"{BLM}/export", {"name": "nightly", "includePackages": True, **wanted}, status=202)
    status = await ended(caller, request)
    assert status["status"] == "COMPLETED", status
    answer = await caller.call("GET", f"{BLM}/download/{status['downloadFileId']}")
    assert answer.status_code == 200
    return answer.content, status


async def imported(caller, archive, **fields):
    """The status of an import."""
    sent = {"actionIfExisting": "OVERWRITE", "publicWorkspace": "True"} | fields
    answer = await caller.call(
        "POST", f"{BLM}/import", data=sent, files={"upload": ("nightly.zip", archive, "application/octet-stream")}
    )
    assert answer.status_code == 202, answer.text
    return await ended(caller, answer.json())


async def test_what_is_exported_comes_back(ben_user, bot):
    """Bot and what it needs, after both are gone: by paths, with their contents and the need."""
    archive, status = await exported(ben_user, fileIds=[int(bot["id"])])
    assert (status["type"], status["downloadFileName"], status["errorMessage"]) == ("EXPORT", "nightly.zip", "")
    await ben_user.delete(f"{REPOSITORY}/files/{bot['id']}", status=200)
    await ben_user.delete(f"{REPOSITORY}/files/{bot['file']}", status=200)

    status = await imported(ben_user, archive)

    assert (status["type"], status["status"]) == ("IMPORT", "COMPLETED"), status
    [back] = await ben_user.rows(PUBLIC, "type", TASKBOT)
    assert (back["path"], back["latestVersion"]) == (bot["path"], "1")
    [needed] = (await ben_user.get(f"{REPOSITORY}/files/{back['id']}/dependencies"))["dependencies"]
    assert needed["name"] == "rates.csv"
    assert (await ben_user.call("GET", f"{REPOSITORY}/files/{needed['id']}/content")).content == b"a;b"


async def test_all_that_may_be_downloaded_is_exported_of_the_root(root, ben_user, bot):
    """Of `Bots`, which tells an admin that folders can be made there, and others that they cannot."""
    [top] = await root.rows(PUBLIC, "path", "Automation Anywhere\\Bots")
    [seen] = await ben_user.rows(PUBLIC, "path", "Automation Anywhere\\Bots")
    assert (top["permission"]["createFolder"], seen["permission"]["createFolder"]) == (True, False)
    archive, _ = await exported(ben_user, fileIds=[int(top["id"])])
    manifest = zipfile.ZipFile(io.BytesIO(archive)).read("manifest.json").decode()
    assert "Bills" in manifest
    assert "rates.csv" in manifest


async def test_an_archive_is_encrypted_by_its_password(ben_user, bot):
    """By AES: the standard library cannot read it; a wrong password, or none, is a failed import that says so."""
    archive, _ = await exported(ben_user, fileIds=[int(bot["id"])], archivePassword="a pass word")
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        assert {info.compress_type for info in found.infolist()} == {99}
        assert all(info.flag_bits & 1 for info in found.infolist())
    for wrong in ({"archivePassword": "another"}, {}):
        status = await imported(ben_user, archive, **wrong)
        assert (status["status"], "password" in status["errorMessage"]) == ("FAILED", True)

    assert (await imported(ben_user, archive, archivePassword="a pass word"))["status"] == "COMPLETED"


async def test_what_is_there_is_passed_over_or_gets_a_version(room, ada, ben_user, bot):
    """SKIP leaves it; OVERWRITE makes the archive's content the next version, and the same content none."""
    archive, _ = await exported(ben_user, fileIds=[int(bot["id"])])
    await push(
        room.engine, ada.actor, ada.workspace, "Bills", await room.engine.objects.put_bytes(robot_zip("Main", "B"))
    )

    async def version():
        return (await ben_user.get(f"{REPOSITORY}/files/{bot['id']}"))["latestVersion"]

    assert await version() == "2"
    await imported(ben_user, archive, actionIfExisting="SKIP")
    assert await version() == "2"
    for _ in range(2):
        await imported(ben_user, archive)
        assert await version() == "3"


async def test_into_the_private_workspace(ben_user, bot):
    """Bots lie there as zips, below folders as they were, and become bots when they are copied into a workspace."""
    archive, _ = await exported(ben_user, fileIds=[int(bot["id"])])

    status = await imported(ben_user, archive, publicWorkspace="false")

    assert status["status"] == "COMPLETED", status
    [zipped] = await ben_user.rows(f"{REPOSITORY}/workspaces/private/files/list", "name", "Bills.zip")
    assert zipped["path"] == "\\".join([*bot["path"].split("\\")[:3], "Bills.zip"])
    copied = await ben_user.post(
        f"{REPOSITORY}/files/{zipped['id']}/copy", {"name": "Again.zip", "parentId": bot["place"]["id"]}
    )
    assert (await ben_user.get(f"{REPOSITORY}/files/{copied['id']}"))["path"].endswith("\\Again\\Main")


async def test_a_version_is_exported_by_number_or_label(room, ada, ben_user, bot):
    """Of two versions the named one, or the one in production; what there is not fails in words."""
    await push(
        room.engine, ada.actor, ada.workspace, "Bills", await room.engine.objects.put_bytes(robot_zip("Main", "B"))
    )
    export = {"name": "x", "files": [{"id": int(bot["id"]), "version": 1}]}
    status = await ended(ben_user, await ben_user.post(f"{BLM}/export/version", export, status=202))
    assert status["status"] == "COMPLETED", status
    for wrong in (
        {"files": [{"id": int(bot["id"]), "version": 7}]},
        {"files": [{"id": int(bot["id"]), "version": 10**12}]},
        {"files": [{"id": int(bot["id"])}], "label": "PRODUCTION"},
    ):
        request = await ben_user.post(f"{BLM}/export/version", {"name": "x"} | wrong, status=202)
        status = await ended(ben_user, request)
        assert (status["status"], status["downloadFileId"]) == ("FAILED", "")
        assert status["errorMessage"]


async def test_global_values_go_along(room, root, bot):
    """Those of the organization, for who may read and write them; none where nobody wished for them."""
    await shared.put(room.engine, root.actor, "rate", content_type="text/plain", data=b"1")
    archive, _ = await exported(root, fileIds=[int(bot["id"])], includeGlobalValues=True)
    await shared.put(room.engine, root.actor, "rate", content_type="text/plain", data=b"22")

    async def size():
        found = await shared.list_shared(room.engine, root.actor, limit=1000)
        return next(each.content.size for each in found if each.name == "rate")

    assert (await imported(root, archive))["status"] == "COMPLETED"
    assert await size() == 2
    await imported(root, archive, includeGlobalValues="true", actionIfExisting="SKIP")
    assert await size() == 2
    status = await imported(root, archive, includeGlobalValues="TRUE")
    assert (status["status"], await size()) == ("COMPLETED", 1)


async def test_who_may_not_is_told_at_once(ben_user, nobody, root, bot):
    """What one does not see is not exported; another's export is not there, but for who governs."""
    export = {"name": "x", "fileIds": [int(bot["id"])], "includePackages": True}
    refused = await nobody.call("POST", f"{BLM}/export", json=export)
    assert (refused.status_code, isinstance(refused.json()["code"], int)) == (404, True)
    request = await ben_user.post(f"{BLM}/export", export, status=202)
    assert (await nobody.call("GET", f"{BLM}/status/{request['requestId']}")).status_code == 404
    assert (await root.get(f"{BLM}/status/{request['requestId']}"))["type"] == "EXPORT"
    await ended(ben_user, request)
    archive = {"upload": ("a.zip", b"PK", "application/octet-stream")}
    fields = {"actionIfExisting": "SKIP", "publicWorkspace": "true"}
    assert (await nobody.call("POST", f"{BLM}/import", data=fields, files=archive)).status_code == 403


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100, robot_zip("Main")])
async def test_what_is_no_archive_fails(ben_user, content):
    """The request is taken and ends FAILED with the reason."""
    status = await imported(ben_user, content)

    assert (status["type"], status["status"]) == ("IMPORT", "FAILED")
    assert status["errorMessage"]


async def test_a_room_that_is_allowed_gets_the_bots(ben_user, bot, room, root):
    """It is logged into with the key of a user, takes the archive, and is waited for; what it refuses is told."""
    archive, _ = await exported(ben_user, fileIds=[int(bot["id"])])
    await ben_user.delete(f"{REPOSITORY}/files/{bot['id']}", status=200)
    name = ben_user.actor.name
    _, key = await user_keys.make(room.engine, ben_user.actor, ben_user.actor.id)
    target = Target(url=room.url, username=name, overwrites=False)
    async with Outgoing(["127.0.0.1"]) as outgoing:
        await hand(outgoing, target, key, "nightly", archive)

        assert [row["path"] for row in await ben_user.rows(PUBLIC, "type", TASKBOT)] == [bot["path"]]
        with pytest.raises(Invalid, match="log in: it answered 401"):
            await hand(outgoing, target, "no key", "nightly", archive)
        with pytest.raises(Invalid, match="could not import it"):
            await hand(outgoing, target, key, "nightly", b"no archive")


async def test_promotion_fails_where_the_operator_does_not_allow_it(ben_user, bot, room):
    """The address is refused before anything is sent; the key is told nowhere."""
    target = {"url": room.url, "username": "x", "apiKey": "sesame-open", "skipExistingFiles": True}
    body = {"name": "x", "files": [{"id": int(bot["id"])}], "targetControlRoom": target}

    status = await ended(ben_user, await ben_user.post(f"{BLM}/promoteBot", body, status=202))

    assert (status["type"], status["status"]) == ("EXPORT", "FAILED")
    assert "outgoing_allow" in status["errorMessage"]
    assert "sesame" not in str(status)

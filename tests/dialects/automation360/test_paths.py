"""Where a bot lies is told and found alike by everything that names it, however deep the folder of its package."""

import io
import zipfile
from types import SimpleNamespace

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.packages.actions import delete, push
from controlroom.protocol import ErrorCode
from dialects.automation360.test_queues import a_bot
from live import robot_zip

REPOSITORY = "/v2/repository"
ACC = "/v1/acc/automation"
INSIGHT = "/v2/botinsight/data/api"
HOTBOT = "/orchestrator/v1/hotbot"
DAY = {"timeRange": {"type": "LAST24HOURS"}, "size": 1000}
DECLARED = "tasks: {Read: {inputs: {Name: {type: string, default: x, insight: true}}, outputs: {Sum: number}}}"

LISTS = {
    "/v3/activity/list": ("filePath", "fileId"),
    "/v1/schedule/automations/list": ("filePath", "fileId"),
    "/v2/schedule/automations/list": ("filePath", "fileId"),
    "/v1/triggers/triggermapping/list": ("botPath", "botId"),
    f"{HOTBOT}/config": ("filePath", "fileId"),
    f"{REPOSITORY}/file/list": ("path", "id"),
    f"{ACC}/deviceName/runduration/list": ("folderPath", "fieldId"),
}
"""By which field each tells the path of a bot, and by which the bot."""


@pytest.fixture
async def place(room, root, ada, walt, process) -> SimpleNamespace:
    """A bot whose package lies two folders deep and that all lists name: its number, its path, and its folders."""
    content = io.BytesIO(robot_zip("Read", "Write"))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("controlroom.yaml", DECLARED)
    await push(room.engine, ada.actor, ada.workspace, "robot", await room.engine.objects.put_bytes(content.getvalue()))
    bot = await a_bot(room, process)
    number = "select number from package where workspace_id = %(workspace)s"
    package = await room.engine.database.value(number, workspace=ada.workspace)
    workspace = (await root.get(f"{REPOSITORY}/files/{package}"))["parentId"]
    outer = await root.post(f"{REPOSITORY}/folders/{workspace}", {"folderName": "Büro & mehr"})
    inner = await root.post(f"{REPOSITORY}/folders/{outer['id']}", {"folderName": "Deep"})
    await root.put(f"{REPOSITORY}/folders/{package}", {"parentId": inner["id"]})
    await _name(root, walt, bot)
    path = (await root.get(f"{REPOSITORY}/files/{bot}"))["path"]
    return SimpleNamespace(bot=bot, path=path, package=package, outer=outer, inner=inner)


@pytest.fixture
async def reader(enrol, ada):
    """Sees the workspace of the test alone: of the whole room a ranking may leave it out."""
    return await enrol("reader", role=Role.OWNER, workspace=ada.workspace)


async def _name(root, walt, bot: int) -> None:
    """One run that works, one that has failed and one that has gone well; schedules, a trigger and an API task."""
    [device] = await root.rows("/v2/devices/list", "hostName", "walt", page={"length": 1})
    default = {"deviceId": int(device["id"]), "userId": root.number}
    await root.post("/v1/devices/runasusers/default", default)
    for error in (None, ErrorCode.ROBOT_FAILED, "works"):
        await root.post("/v3/automations/deploy", {"fileId": bot, "runAsUserIds": [root.number]})
        assignment = await walt.take()
        if error != "works":
            await walt.finish(assignment, error)
    once = {
        "status": "DRAFT",
        "scheduleType": "NONE",
        "startDate": "2098-01-31",
        "startTime": "23:59",
        "timeZone": "UTC",
    }
    await root.post("/v1/schedule/automations", {"fileId": bot, **once})
    await root.post("/v1/triggers/triggermapping", {"botFileId": bot, "users": {"userIds": [root.number]}}, status=201)
    await root.put(f"{HOTBOT}/config/create", {"fileId": str(bot), "runAsUserOrNone": root.number})


async def test_a_bot_in_a_folder_is_told_and_found_by_one_path_everywhere(reader, place):
    """As the repository tells it; a path that leaves out a folder of it, or names another one, finds nothing."""
    other = place.path.replace("\\Deep\\", "\\Flat\\")
    wrong = []
    for name, (field, of_bot) in LISTS.items():
        rows = await _of_bot(reader, name, of_bot, place.bot)
        wrong += [(name, row[field]) for row in rows if row[field] != place.path]
        for operator, value, is_there in (
            ("eq", place.path, True),
            ("substring", "\\Büro & mehr\\deep\\ROBOT", True),
            ("eq", other, False),
            ("substring", "\\Flat\\", False),
        ):
            asked = {"filter": {"operator": operator, "field": field, "value": value}, **_day(name)}
            found = [each[of_bot] for each in await _rows(reader, name, **asked)]
            if (str(place.bot) in map(str, found)) is not is_there:
                wrong.append((name, operator, value))
        assert rows, f"{name} does not tell the bot"

    assert wrong == []


async def test_key_figures_tell_the_path_of_a_bot_in_a_folder(reader, place):
    """All of them, BotInsight's too, which is asked by it."""
    told = []
    for name in ("mostrunning", "longestrunning", "mostfailed"):
        told += (await reader.post(f"{ACC}/{name}", DAY))["metrics"]
    for name in ("bot/completed", "bot/failed", "botexecution/list"):
        body = {"page": {"length": 1000}} if name.startswith("botexecution") else DAY
        told += (await reader.post(f"{ACC}/{name}", body))["list"]
    paths = [row["path"] for row in told if row["botId"] == str(place.bot)]
    insight = await reader.get(f"{INSIGHT}/gettasklogdata", repositorypath=place.path)

    assert paths == [place.path] * 6
    assert f"?fileId={place.bot}&" in insight["repositoryPath"]


async def test_an_api_task_is_called_by_the_path_that_is_told(root, place):
    """In any case of its folders' letters, also without them; not by those of another place."""
    short = place.path.replace("\\Büro & mehr\\Deep", "")
    found = [place.path, place.path.replace("\\Büro & mehr\\", "/büro & MEHR/"), short]
    missed = [place.path.replace("\\Deep", ""), place.path.replace("\\Deep", "\\Deeper")]
    answer = await root.post(f"{HOTBOT}/config/accessdetails", {"botRepositoryPath": [*found, *missed]})

    assert [path for path in answer["accessDetails"] if path not in {"url", "headers"}] == found
    assert list(answer["errors"]) == missed


async def test_a_bot_that_is_moved_or_deleted_is_told_where_it_is_now_or_was_last(
    room, root, reader, ada, process, place
):
    """Also of what it did before."""
    moved = place.path.replace("\\Deep\\", "\\Renamed\\")
    await root.put(f"{REPOSITORY}/folders/{place.inner['id']}", {"name": "Renamed"})
    assert await _paths_of_runs(reader, place.bot) == {moved}
    await root.put(f"{REPOSITORY}/folders/{place.package}", {"parentId": place.outer["id"]})
    moved = moved.replace("\\Renamed", "")
    assert await _paths_of_runs(reader, place.bot) == {moved}

    assert (await ada.call("DELETE", f"/processes/{process}")).status_code < 300
    id_ = "select id from package where number = %(number)s"
    package = await room.engine.database.value(id_, number=place.package)
    await delete(room.engine, ada.actor, ada.workspace, package)
    assert (await root.call("GET", f"{REPOSITORY}/files/{place.bot}")).status_code == 404

    assert await _paths_of_runs(reader, place.bot) == {moved}


async def _paths_of_runs(reader, bot: int) -> set[str]:
    runs = await _of_bot(reader, "/v3/activity/list", "fileId", bot)
    figures = (await reader.post(f"{ACC}/mostrunning", DAY))["metrics"]
    return {run["filePath"] for run in runs} | {each["path"] for each in figures if each["botId"] == str(bot)}


async def _of_bot(reader, path: str, of_bot: str, bot: int):
    return [
        row for row in await _rows(reader, path, page={"length": 1000}, **_day(path)) if str(row[of_bot]) == str(bot)
    ]


async def _rows(reader, path: str, **body):
    told = await reader.post(path, body)
    return told["list"] if "list" in told else told["page"]["list"]


def _day(path: str):
    return {"timeRange": DAY["timeRange"]} if path.startswith(ACC) else {}

"""Assets of the organization: written by few, read by the robots of all its workspaces."""

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of, scope_of_robot
from controlroom.engine.assets import actions as assets
from controlroom.engine.assets import shared
from controlroom.engine.assets.errors import AssetNotFound
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.downloads.store import blob_of
from controlroom.errors import Forbidden, Unauthenticated

TEXT = "text/plain"


async def content(engine, robot, name):
    """What a robot reads under a name."""
    found = await assets.read(engine, robot, scope_of_robot(robot), name)
    kind = DownloadKind.SHARED_ASSET if found.is_shared else DownloadKind.ASSET
    blob = await blob_of(engine.database, scope_of_robot(robot), kind, found.id)
    return await engine.objects.read(blob.hash)


async def test_robots_of_all_workspaces_read_it(engine, root, ada, robot, workspace, end):
    """By its name, with the content of the last writing; the workspace's own asset of that name comes first."""
    await shared.put(engine, root, "rates", content_type=TEXT, data=b"1")
    await shared.put(engine, root, "rates", content_type=TEXT, data=b"2")
    assert await content(engine, robot, "rates") == b"2"
    with pytest.raises(AssetNotFound):
        await assets.get(engine.database, scope_of(ada, Permission.READ_ASSETS, workspace), "rates")

    await assets.create(engine, ada, workspace, "rates")
    await assets.upload_inline(engine, ada, workspace, "rates", content_type=TEXT, data=b"ours")
    assert await content(engine, robot, "rates") == b"ours"
    await assets.delete(engine, ada, workspace, "rates")
    assert await content(engine, robot, "rates") == b"2"

    await end(robot)
    with pytest.raises(Unauthenticated):
        await content(engine, robot, "rates")


async def test_people_of_the_organization_write_it(engine, root, ada, cleo, robot, workspace):
    """Who writes assets there; a robot writes none, and strangers see none."""
    made = await shared.put(engine, root, "rates", content_type=TEXT, data=b"1")
    for actor in (ada, cleo):
        with pytest.raises(Forbidden):
            await shared.put(engine, actor, "rates", content_type=TEXT, data=b"x")
        with pytest.raises(Forbidden):
            await shared.get(engine, actor, made.id)
    with pytest.raises(AssetNotFound):
        await assets.upload_inline(engine, robot, workspace, "rates", content_type=TEXT, data=b"x")
    assert [each.name for each in await shared.list_shared(engine, root, limit=9)] == ["rates"]

    await shared.delete(engine, root, made.id)
    with pytest.raises(AssetNotFound):
        await content(engine, robot, "rates")

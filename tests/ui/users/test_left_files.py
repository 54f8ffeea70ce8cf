"""Files of users who are gone, in the browser: seen, and given to somebody by who may."""

from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.repository import actions as repository


async def test_what_somebody_left_is_given_to_another(visit, govern, workspace, room):
    """Once they are disabled; to who has no files of their own. Owners of a workspace see none of it."""
    admin, owner = await govern(workspace), await visit(workspace)
    gone, taker = await visit(workspace), await visit(workspace)
    of_gone = await actor_of_user(room.engine.database, gone.user)
    await repository.create_folder(room.engine, of_gone, gone.user, "north")
    number = await room.engine.database.value("select number from app_user where id = %(id)s", id=gone.user)
    here = f"//admin/left-files/{number}"
    await admin.get(here, status=404)
    await admin.post(f"//admin/users/{number}/disable")

    assert gone.username in await admin.get("//admin/left-files")
    assert "/admin/left-files" in await admin.get("//admin/users")
    assert "1 file or folder of" in await admin.get(here)
    for path in ("//admin/left-files", here):
        await owner.get(path, status=403)
    await owner.post(here, status=403, to=taker.username)
    assert "nobody of this name" in (await admin.post(here, status=422, to="nobody of this name")).text

    await admin.post(here, to=str(taker.user))

    page = await admin.get("//admin/left-files")
    assert f"no more {gone.username}" in page
    assert f'href="{here[1:]}"' not in page
    assert "north" in await taker.get("/repository/mine")
    kind = "select count(*) from event where kind = 'user_files.recovered' and subject_id = %(id)s"
    assert await room.engine.database.value(kind, id=taker.user) == 1

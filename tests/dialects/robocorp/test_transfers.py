"""Exports and imports by our own management API: seen, and forgotten."""

from uuid import UUID

from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.packages.actions import push
from controlroom.engine.transfers import actions as transfers
from controlroom.ids import UserId, uuid7
from delivering import until


async def test_an_export_is_seen_and_forgotten(room, root, ada, robot_content):
    """By who asked for it and who governs; of others there is none. It goes once it has ended."""
    blob = await room.engine.objects.put_bytes(robot_content)
    package = (await push(room.engine, ada.actor, ada.workspace, "taken along", blob)).package
    admin = await actor_of_user(room.engine.database, UserId(UUID(root.answer["user"]["id"])))
    made = await transfers.export(room.engine, admin, f"nightly {uuid7()}", [(package.number, None)])
    here = f"/workspaces/{ada.workspace}/transfers/{made.id}"

    async def ended():
        told = (await root.call("GET", here)).json()
        return told if told["state"] == "completed" else None

    told = await until(ended, 30)
    assert (told["kind"], told["name"], told["user_id"], told["reason"]) == ("export", made.name, str(admin.id), "")
    assert told["size"] > 0
    listed = (await root.call("GET", f"/workspaces/{ada.workspace}/transfers?limit=1000")).json()["data"]
    assert told in listed
    assert (await ada.get("/transfers"))["data"] == []
    for method in ("GET", "DELETE"):
        assert (await ada.call(method, f"/transfers/{made.id}")).status_code == 404

    assert (await root.call("DELETE", here)).json() == {"id": str(made.id), "deleted": True}
    assert (await root.call("GET", here)).status_code == 404
    assert (await root.call("DELETE", here)).status_code == 404

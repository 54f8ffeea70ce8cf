"""Run slots by the management API."""

from controlroom.engine.runs.projects.blocking import set_slots


async def test_run_slots_are_for_who_makes_workspaces(room, ada, ben, cleo, walt):
    """Who sees runs reads that they follow the workers; others are told which permission they lack, or of nothing."""
    at = "/run-slots"
    for said, follows in ((3, False), (None, True)):
        told = await set_slots(room.engine, room.admin, said)
        assert await ben.get(at) == {"capacity": told.capacity, "follows_workers": follows}
    assert told.capacity >= 1

    refused = await ada.call("POST", at, json={"capacity": 3})
    assert (refused.status_code, "workspaces.write" in refused.text) == (403, True)
    assert (await cleo.call("GET", f"{room.url}/api/v1/workspaces/{ada.workspace}{at}")).status_code == 404

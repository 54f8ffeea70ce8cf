"""Who governs the room is told on the overview how it is."""

from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.statistics.room_state import record_behind


async def test_an_admin_s_overview_asks_how_the_room_is(visit, workspace, room):
    """It is there with all of it; how far the record is read is a moment, or nothing."""
    browser = await visit(workspace)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
    assert "Needs attention" in await browser.get("")
    behind = await record_behind(room.engine, room.admin)
    assert behind is None or behind.tzinfo is not None

"""The health page: what answers, what is behind, and a backup; for admins alone."""

import asyncio
import re

from controlroom.border.ticks import Ticks
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.roles.model import ADMIN
from live import walt  # noqa: F401 - a fixture


async def an_admin(visit, workspace, room):
    browser = await visit(workspace)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
    return browser


async def test_health_tells_what_answers(visit, workspace, room, walt):  # noqa: F811 - the fixture
    """Each part, the loops of this server, the database and the workers; nobody else is told."""
    owner = await visit(workspace)
    await owner.get("//admin/health", status=403)
    await owner.post("//admin/health/backup", 403)
    browser = await an_admin(visit, workspace, room)
    page = await browser.get("//admin/health")
    assert "Database writes" in page
    assert "PostgreSQL" in page
    assert re.search(r"Record, deliveries</dt>", page)
    assert "statistician" in page


async def test_a_backup_is_made_beside_all_else(visit, workspace, room):
    """It is in the list once it has been read back; while it is made, another is refused."""
    browser = await an_admin(visit, workspace, room)
    await browser.post("//admin/health/backup")
    second = await browser.http.post("/admin/health/backup", headers={"Origin": room.url})
    assert second.status_code in {303, 409}
    while "One is being made" in (page := await browser.get("//admin/health")):
        await asyncio.sleep(0)
    assert "The last one is" in page


def test_a_loop_that_fails_again_and_again_is_told():
    """Until it goes well; whoever else observes is told of each tick."""
    heard = []
    ticks = Ticks(lambda *tick: heard.append(tick))
    for went_well in (True, False, False):
        ticks.observe("rescuer", 0.1, went_well)
    ticks.observe("compactor", 0.2, went_well=True)
    assert [(each.loop, each.failures) for each in ticks.last] == [("compactor", 0), ("rescuer", 2)]
    ticks.observe("rescuer", 0.1, went_well=True)
    assert ticks.last[1].failures == 0
    assert len(heard) == 5

"""What stands round a process, in one statement each."""

import pytest
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.scope import Of
from controlroom.engine.chains import actions as chains
from controlroom.engine.chains.model import ChainDefinition
from controlroom.engine.processes import store, surroundings
from controlroom.engine.triggers import emails
from controlroom.engine.triggers.model import EmailChange


@pytest.fixture
def floor(engine, ada, team) -> Floor:
    """The shop floor of ada's workspace."""
    return Floor(engine, ada, team.workspace, team.organization)


async def test_it_says_who_else_starts_it_and_what_follows(floor, ada, team):
    """Its address, its chains in both directions, and how often who has started it; to outsiders nothing."""
    process, before = await floor.process({}), await floor.process({})
    trigger = await emails.configure(floor.engine, ada, team.workspace, process, EmailChange(starts=False))
    chain = await chains.create(floor.engine, ada, team.workspace, before, ChainDefinition(next_process=process))
    await floor.start(process)
    await floor.start(process)

    found = await surroundings.of_process(floor.engine.database, floor.scope, process)

    assert found.address == surroundings.Address(trigger.local_part, is_enabled=True, starts=False)
    assert [(link.number, link.process_name, link.ends) for link in found.before] == [
        (chain.number, "Invoices", ["completed"])
    ]
    assert (found.after, found.webhooks, found.notifications) == ([], 0, 0)
    assert [(use.started_by, use.name, use.count) for use in found.uses] == [("user", "Ada", 2)]
    of_before = await surroundings.of_process(floor.engine.database, floor.scope, before)
    assert [link.number for link in of_before.after] == [chain.number]
    outsider = Of(team.elsewhere, (team.other_workspace,))
    hidden = await surroundings.of_process(floor.engine.database, outsider, process)
    assert (hidden.address, hidden.before, hidden.uses) == (None, [], [])


async def test_it_says_how_its_steps_go(floor, team):
    """What waits for each now, of runs under way."""
    process = await floor.process({}, {})
    await floor.start(process, payloads(1, 2, 3))
    first, second = await store.list_steps(floor.engine.database, floor.scope, process)

    lately = await surroundings.steps_lately(floor.engine.database, floor.scope, process)

    assert (lately[first.id].waiting, lately[second.id].waiting) == (3, 0)
    assert (lately[first.id].done, lately[first.id].failed) == (0, 0)
    outsider = Of(team.elsewhere, (team.other_workspace,))
    assert await surroundings.steps_lately(floor.engine.database, outsider, process) == {}

"""The last runs of processes, as strips show them."""

from tests.engine.runs.conftest import payloads

from controlroom.engine.access.scope import Of
from controlroom.engine.runs.strips import strips


async def test_the_last_runs_of_each_process_come_oldest_first(floor, team):
    """So many of each, in one answer; a process without runs has none, and an outsider sees nothing."""
    one, other, idle = [await floor.process({}) for _ in range(3)]
    runs = [await floor.start(one, payloads(1)) for _ in range(3)] + [await floor.start(other)]

    found = await strips(floor.engine.database, floor.scope, [one, other, idle], each=2)

    assert sorted(past.number for past in found) == [run.number for run in runs[1:]]
    assert [past.number for past in found if past.process_id == one] == [run.number for run in runs[1:3]]
    assert all(past.duration is None for past in found)
    outsider = Of(team.elsewhere, (team.other_workspace,))
    assert await strips(floor.engine.database, outsider, [one, other], each=2) == []

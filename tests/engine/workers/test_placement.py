"""The condition by which claims find what a worker may run, held against a plain reading of its rule."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from controlroom.engine.access.scope import scoped
from controlroom.engine.processes.model import Group, OnDemand, Place, Placement, Workers
from controlroom.engine.workers import store
from controlroom.engine.workers.model import TheseWorkspaces
from controlroom.engine.workers.store import SOMEBODY_IDLE, placement_matches

_STATES = ("offline", "idle", "busy")
_WORKERS = tuple(UUID(int=number) for number in range(1, 6))
_ELSEWHERE = UUID(int=6)
"""A worker that does not serve the workspace, whatever group it is in."""
_GROUPS = tuple(UUID(int=number) for number in range(101, 104))
_PROVISIONER = UUID(int=201)


class Floor(Struct, frozen=True):
    """Who is there, and in which groups: workers that are unlinked are in none, and offline."""

    states: Mapping[UUID, str]
    members: frozenset[tuple[UUID, UUID]]

    def of(self, place: Place) -> set[UUID]:
        """The workers of a place; of one on demand nobody, before it was asked for."""
        match place:
            case Workers(workers):
                return set(workers)
            case Group(group):
                return {worker for of, worker in self.members if of == group}
            case OnDemand():
                return set()

    def is_anybody_idle(self, placement: Placement) -> bool:
        """Whether a worker of a place is idle, who serves the workspace."""
        return any(
            self.states[worker] == "idle" for place in placement.places for worker in self.of(place) - {_ELSEWHERE}
        )

    def may_take(self, placement: Placement, worker: UUID) -> bool:
        """The rule: of the places that a worker is of the first counts, and nobody of those before may be idle."""
        if not placement.places:
            return True
        for number, place in enumerate(placement.places):
            if worker in self.of(place):
                return not self.is_anybody_idle(Placement(placement.places[:number]))
        return False


_places = st.one_of(
    st.lists(st.sampled_from((*_WORKERS, _ELSEWHERE)), min_size=1, max_size=3, unique=True).map(
        lambda ids: Workers(tuple(ids))
    ),
    st.sampled_from(_GROUPS).map(Group),
)
_placements = st.builds(
    lambda places, last: Placement((*places, *last)),
    st.lists(_places, max_size=4),
    st.sampled_from([(), (), (OnDemand(_PROVISIONER),)]),
)
_floors = st.builds(
    Floor,
    st.fixed_dictionaries({worker: st.sampled_from(_STATES) for worker in (*_WORKERS, _ELSEWHERE)}),
    st.frozensets(st.tuples(st.sampled_from(_GROUPS), st.sampled_from((*_WORKERS, _ELSEWHERE)))),
)


async def test_claims_find_by_placement_what_its_rule_says(engine, team, workspace):
    """Whoever is there, in whichever groups: each worker may run of all placements exactly what the rule says."""
    db = engine.database
    async with scoped(db, team.organization) as tx:
        for group in _GROUPS:
            await tx.execute(
                "insert into worker_group (id, organization_id, name) values (%(id)s, %(organization)s, %(name)s)",
                id=group,
                organization=team.organization,
                name=str(group),
            )
        for worker in (*_WORKERS, _ELSEWHERE):
            serves = TheseWorkspaces(() if worker == _ELSEWHERE else (workspace,))
            given = {"worker": worker, "name": "w", "slots": 1, "lookup": worker.bytes, "serves": serves}
            await store.insert(tx, team.organization, **given)

    for floor, placements in _examples():
        await _arrange(db, floor)
        found = await db.all(
            _Found,
            f"""
            select nr, worker.id as worker, {placement_matches("worker.id")} as may_take, {SOMEBODY_IDLE} as is_idle
              from (select placement, nr, %(workspace)s::uuid as workspace_id
                      from jsonb_array_elements(%(placements)s) with ordinality as asked (placement, nr)) as step_run
              join worker on worker.id = any(%(workers)s::uuid[])
            """,
            placements=msgspec.Raw(msgspec.json.encode(placements)),
            workers=list(_WORKERS),
            workspace=workspace,
        )
        for one in found:
            placement = placements[one.nr - 1]
            assert one.may_take == floor.may_take(placement, one.worker), (floor, placement, one.worker)
            assert one.is_idle == floor.is_anybody_idle(placement), (floor, placement)


class _Found(Struct, frozen=True):
    nr: int
    worker: UUID
    may_take: bool
    is_idle: bool


def _examples() -> list[tuple[Floor, list[Placement]]]:
    """Sixty floors with twenty placements each: drawn before, since what is tested waits for a database."""
    drawn: list[tuple[Floor, list[Placement]]] = []

    @settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_floors, st.lists(_placements, min_size=20, max_size=20))
    def draw(floor: Floor, placements: list[Placement]) -> None:
        drawn.append((floor, placements))

    draw()
    return drawn


async def _arrange(db, floor: Floor) -> None:
    await db.execute(
        """
        update worker set state = asked.state from unnest(%(ids)s::uuid[], %(states)s::text[]) as asked (id, state)
         where worker.id = asked.id
        """,
        ids=list(floor.states),
        states=list(floor.states.values()),
    )
    await db.execute("delete from worker_group_member")
    for group, worker in floor.members:
        await db.execute(
            "insert into worker_group_member (worker_group_id, worker_id) values (%(group)s, %(worker)s)",
            group=group,
            worker=worker,
        )

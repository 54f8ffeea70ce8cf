"""How verbs say what happened."""

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from controlroom.engine.access.record import happened, record
from controlroom.engine.wakes import Topic
from controlroom.ids import OrganizationId, RunId, WorkspaceId, uuid7

SOURCE = Path(__file__).parents[3] / "src/controlroom"
EVENT = re.compile(r"(?<![\w.])Event\(")


class Written(Struct, frozen=True):
    """An event as it stands in the record."""

    kind: str
    actor_kind: str
    actor_id: object
    organization_id: object
    workspace_id: object
    run_id: object
    subject_id: object
    data: msgspec.Raw


class Row(Struct, frozen=True):
    """A row that says whose it is."""

    organization_id: OrganizationId
    workspace_id: WorkspaceId


async def test_what_happened_is_written_with_who_where_and_to_what(engine, ada, seen):
    """The ids that a reader looks things up by are columns; everything else is data."""
    thing, run = uuid7(), RunId(uuid7())
    with engine.wakes.watch(Topic.EVENTS) as watch:
        async with engine.database.transaction() as tx:
            await record(engine, tx, ada, seen, "thing.made", thing, run_id=run, name="a", kind="b")
            assert not watch.is_set  # nobody is told of what may yet be undone
        assert watch.is_set

    written = await engine.database.one(
        Written,
        """
        select kind, actor_kind, actor_id, organization_id, workspace_id, run_id, subject_id, data
          from event where subject_id = %(thing)s
        """,
        thing=thing,
    )
    assert written == Written("thing.made", "user", ada.id, seen.organization, seen.workspace, run, thing, written.data)
    assert msgspec.json.decode(written.data) == {"name": "a", "kind": "b"}


def test_a_place_is_a_scope_a_row_or_the_organization(seen):
    """Loops know a row, people act in a scope, and users belong to the organization."""
    whose = {
        (event.organization_id, event.workspace_id)
        for event in (happened(seen, "a.b"), happened(Row(seen.organization, seen.workspace), "a.b"))
    }

    assert whose == {(seen.organization, seen.workspace)}
    assert happened(seen.organization, "a.b").workspace_id is None


def test_events_are_made_in_one_place():
    """Whoever reads `record` knows every event's form."""
    makers = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if EVENT.search(line) and not line.startswith("class ")
    ]

    assert makers == ["engine/access/record.py"]

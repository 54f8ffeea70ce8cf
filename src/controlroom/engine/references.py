"""From what a text names to its id, for every noun that is declared (see `nouns`), in one round trip.

    process = await resolve(db, scope, PROCESS, "Invoices")
    worker, group = await resolve_all(db, scope, [Reference(WORKER, "1234"), Reference(WORKER_GROUP, "fast")])

    found = await locate(db, scope, RUN, "4711")         # whose addresses name no workspace
    run = await store.get(db, found.scope, found.id)

A dialect that speaks numbers or names asks here; it never reads a table to translate an id.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import Of, Robot, Scope, within
from controlroom.engine.nouns import InOrganization, InService, InWorkspace, NameAmbiguous, Noun, Reading, Ways, reading
from controlroom.ids import WorkspaceId
from controlroom.postgres.database import Statements

T = TypeVar("T")

_TOLD: Final = 10
"""So many of one name are told. Why: a person chooses among them."""


class Reference(Struct, Generic[T], frozen=True):
    """A text, and what it is said to name."""

    noun: Noun[T]
    text: str
    ways: Ways = Ways.ANY


class Located(Struct, Generic[T], frozen=True):
    """Something that was found, and what the asker sees of its workspace alone, with the same permission."""

    id: T
    scope: Scope


class _Found(Struct, frozen=True):
    place: int
    way: int
    id: UUID
    workspace_id: WorkspaceId | None


async def resolve(db: Statements, scope: Scope, noun: Noun[T], text: str, ways: Ways = Ways.ANY) -> T:
    """The id of what a text names; an id that is written so, too, is looked up.

    Raises the noun's NotFound, also for what the scope does not see, and NameAmbiguous.
    """
    [found] = await resolve_all(db, scope, [Reference(noun, text, ways)])
    return found


async def find(db: Statements, scope: Scope, noun: Noun[T], text: str, ways: Ways = Ways.ANY) -> T | None:
    """Likewise; None if there is none. Raises NameAmbiguous."""
    asked = Reference(noun, text, ways)
    [found] = await _look_up(db, scope, [asked])
    return _only(asked, found).id if found else None


async def find_all(db: Statements, scope: Scope, asked: Sequence[Reference[T]]) -> list[T | None]:
    """Likewise of several texts, in their order: one statement. Raises NameAmbiguous."""
    if not asked:
        return []
    looked_up = await _look_up(db, scope, asked)
    return [_only(each, found).id if found else None for each, found in zip(asked, looked_up, strict=True)]


async def locate_all(db: Statements, scope: Scope, asked: Sequence[Reference[T]]) -> list[Located[T]]:
    """Those that there are of several, each with the scope narrowed to its workspace: one statement."""
    looked_up = await _look_up(db, scope, asked) if asked else []
    return [_only(each, found) for each, found in zip(asked, looked_up, strict=True) if found]


async def locate(db: Statements, scope: Scope, noun: Noun[T], text: str, ways: Ways = Ways.ANY) -> Located[T]:
    """Likewise, with the scope narrowed to the workspace that has it. Raises as `resolve`."""
    [found] = await locate_each(db, scope, [Reference(noun, text, ways)])
    return found


async def resolve_all(db: Statements, scope: Scope, asked: Sequence[Reference[T]]) -> list[T]:
    """The ids of what several texts name, of whichever nouns, in their order: one statement. Raises as `resolve`."""
    return [found.id for found in await locate_each(db, scope, asked)]


async def locate_each(db: Statements, scope: Scope, asked: Sequence[Reference[T]]) -> list[Located[T]]:
    """Likewise, each with the scope narrowed to the workspace that has it."""
    resolved = []
    looked_up = await _look_up(db, scope, asked) if asked else []
    for each, found in zip(asked, looked_up, strict=True):
        if not found:
            raise each.noun.missing(each.text)
        resolved.append(_only(each, found))
    return resolved


def _only(asked: Reference[T], found: Sequence[Located[T]]) -> Located[T]:
    if len(found) > 1:
        ids: list[Any] = [each.id for each in found]
        raise NameAmbiguous(asked.noun.word, asked.text, ids)
    return found[0]


async def _look_up(db: Statements, scope: Scope, asked: Sequence[Reference[T]]) -> list[list[Located[T]]]:
    """For each reference what the first way finds by which anything is found."""
    by_noun: dict[Noun[Any], list[tuple[int, Reading]]] = {}
    for place, each in enumerate(asked):
        by_noun.setdefault(each.noun, []).append((place, reading(each.text, each.ways)))
    nouns = sorted(by_noun, key=lambda noun: noun.word)  # one text of the statement, however they are asked for
    params: dict[str, Any] = {}
    for index, noun in enumerate(nouns):
        places, readings = zip(*by_noun[noun], strict=True)
        params[f"places_{index}"] = places
        params[f"ids_{index}"] = [each.id for each in readings]
        params[f"numbers_{index}"] = [each.number for each in readings]
        if noun.name is not None:
            params[f"names_{index}"] = [each.name for each in readings]
    tenants = within(scope)
    asking = _statement(tuple(nouns), tenants.sql, is_robots=isinstance(scope, Robot))
    rows = await db.all(_Found, asking, **params, **tenants.params)
    best: list[tuple[int, list[Located[Any]]]] = [(len(Ways) + 1, []) for _ in asked]
    for row in rows:
        way, located = best[row.place]
        found = Located(row.id, _narrowed(scope, row.workspace_id))
        if row.way < way:
            best[row.place] = row.way, [found]
        elif row.way == way:
            located.append(found)
    return [located for _, located in best]


def _narrowed(scope: Scope, workspace: WorkspaceId | None) -> Scope:
    return Of(scope.organization, (workspace,)) if isinstance(scope, Of) and workspace is not None else scope


@lru_cache(maxsize=256)  # as many sets of nouns as anybody asks for at once
def _statement(nouns: tuple[Noun[Any], ...], tenants: str, *, is_robots: bool) -> str:
    """The look-ups of some nouns by each way as one statement. Each is a probe of an index of its own.

    Why not one look-up with `or`: asked for an id among millions of rows, the planner may prefer the workspace's index.
    """
    living = " and exists (select from seen)" if is_robots else ""
    arms = [arm for index, noun in enumerate(nouns) for arm in _arms(noun, index, living)]
    return f"with seen as materialized {tenants} {' union all '.join(arms)}"


def _arms(noun: Noun[Any], index: int, living: str) -> list[str]:
    match noun.within:
        case InWorkspace(column):
            workspace, tenancy = column, f"{column} in (select id from seen)"
        case InOrganization(column):
            workspace, tenancy = "null::uuid", f"{column} = %(organization)s{living}"
        case InService(column) as service:
            served = f"from seen where {service.by(f'{noun.table}.id', 'seen.id')}"
            workspace = f"(select seen.id {served} order by seen.id limit 1)"
            tenancy = f"{column} = %(organization)s and exists (select {served})"

    def arm(asked: str, way: int, condition: str) -> str:
        return f"""
        select asked.place, {way} as way, found.id, found.workspace_id
          from unnest(%(places_{index})s::int[], {asked}) as asked (place, what),
               lateral (select {noun.table}.id, {workspace} as workspace_id from {noun.table} {noun.joined}
                         where {condition} and {tenancy} and {noun.there}
                         order by {noun.table}.id
                         limit {_TOLD}) as found"""

    arms = [
        arm(f"%(ids_{index})s::uuid[]", 1, f"{noun.table}.id = asked.what"),
        arm(f"%(numbers_{index})s::bigint[]", 2, f"{noun.table}.number = asked.what"),
    ]
    if noun.name is not None:
        is_called = f"lower({noun.name}) = lower(asked.what)" if noun.folds else f"{noun.name} = asked.what"
        arms.append(arm(f"%(names_{index})s::text[]", 3, f"{is_called} and {noun.named}"))
    return arms

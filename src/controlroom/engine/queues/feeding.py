"""Items come into a standing queue: one by one, or many at once, also while it moves to another workspace.

Whoever puts items in holds the queue, so that it does not move under them: an item is always where its queue is.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import EACH, Of, Scope, ScopedTx, by, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import append
from controlroom.engine.item_models import rules
from controlroom.engine.item_models.model import Attribute
from controlroom.engine.queues.errors import DuplicateItem, QueueIsDraft, QueueNotFound
from controlroom.engine.queues.rights import user_of
from controlroom.engine.work_items import schemas
from controlroom.engine.work_items.limits import check_payload
from controlroom.errors import Invalid
from controlroom.ids import QueueId, UserId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.errors import UniqueViolation

MOST_AT_ONCE: Final = 10_000


class Held(Struct, frozen=True, kw_only=True):
    """A queue that stays where it is until the transaction ends."""

    workspace_id: WorkspaceId
    attributes: tuple[Attribute, ...]
    """Of its item model; none: it has none."""
    has_schema: bool
    refuses_duplicates: bool
    is_draft: bool


class Put(Struct, frozen=True):
    """An item as it is put in: its payload, and why its model refuses it."""

    payload: Raw
    fault: str | None


async def hold(tx: ScopedTx, scope: Scope, queue: QueueId) -> Held:
    """Keep a standing queue where it is until the transaction ends. Raises QueueNotFound."""
    # Why locked before it is asked where it lies: for who has waited while the queue was moved, its new place
    # would else be compared with the workspace that it was found in
    found = await tx.one_or_none(
        Held,
        f"""
        with held as materialized (
            select workspace_id, schema, refuses_duplicates, is_draft, item_model_id from queue
             where id = %(queue)s and is_standing and deleted_at is null
               for key share)
        select held.workspace_id, held.schema is not null as has_schema, held.refuses_duplicates, held.is_draft,
               (select coalesce(jsonb_agg(jsonb_build_object('id', item_attribute.id, 'number', item_attribute.number,
                                                             'name', item_attribute.name, 'kind', kind)
                                          order by position), '[]')
                  from item_attribute where item_attribute.item_model_id = held.item_model_id) as attributes
          from held
         where held.workspace_id in {EACH}
        """,
        queue=queue,
        **scope.each,
    )
    if found is None:
        raise QueueNotFound(queue)
    if found.is_draft:
        raise QueueIsDraft
    return found


async def put_all(
    engine: Engine, actor: Actor, places: Of, queue: QueueId, payloads: Sequence[Mapping[str, Raw]]
) -> list[WorkItemId]:
    """Put items into a queue, all of them or none, in the order given; `places` is wherever it may lie.

    For who has the right to (`rights.reach`). What does not fit the queue's item model is put in as refused, with the
    fault, to be mended; what lacks an attribute is not. Raises AttributeMissing, PayloadRefused (a queue with a schema
    of its own), DuplicateItem, QueueIsDraft, PayloadTooLarge.
    """
    if not 1 <= len(payloads) <= MOST_AT_ONCE:
        raise Invalid(f"1 to {MOST_AT_ONCE:,} work items at once", code="TOO_MANY_ITEMS")
    for payload in payloads:
        await check_payload(engine, Raw(msgspec.json.encode(payload)))

    async def put_in() -> list[WorkItemId]:
        async with scoped(engine.database, places) as tx:
            held = await hold(tx, places, queue)
            here = Of(places.organization, (held.workspace_id,))
            items = [fitted(held, payload) for payload in payloads]
            if held.has_schema and not held.attributes:
                await schemas.check_all(tx, here, queue, Raw(msgspec.json.encode([each.payload for each in items])))
            made = await insert(tx, here, held, queue, items, by=user_of(actor))
            if len(made) < len(items):
                raise DuplicateItem(len(items) - len(made))
            await append(tx, by(actor), *(happened(here, "work_item.created", work_item_id=each) for each in made))
            return made

    return await schemas.settled(engine, put_in)


def fitted(held: Held, payload: Mapping[str, Raw]) -> Put:
    """A payload as it is kept in the queue. Raises AttributeMissing."""
    kept = rules.fitted(held.attributes, payload)
    return Put(Raw(msgspec.json.encode(kept)), rules.fault_of(held.attributes, kept))


async def insert(
    tx: ScopedTx, here: Of, held: Held, queue: QueueId, items: Sequence[Put], *, by: UserId | None
) -> list[WorkItemId]:
    """Write items into a queue that is held; those that were written, without what it has already."""
    return await tx.all(
        WorkItemId,
        """
        insert into work_item (id, workspace_id, queue_id, state, payload, fault, digest, created_by)
        select made.id, %(workspace)s, %(queue)s, case when made.fault is null then 'new' else 'invalid' end,
               made.payload::jsonb, made.fault,
               case when %(is_once)s then sha256(convert_to(made.payload::jsonb::text, 'UTF8')) end, %(by)s
          from unnest(%(ids)s::uuid[], %(payloads)s::text[], %(faults)s::text[])
                    with ordinality as made (id, payload, fault, place)
         order by place
            on conflict (queue_id, digest) where digest is not null and state <> 'deleted' do nothing
        returning id
        """,
        workspace=here.workspace,
        queue=queue,
        is_once=held.refuses_duplicates,
        ids=[uuid7() for _ in items],
        payloads=[bytes(each.payload).decode() for each in items],
        faults=[each.fault for each in items],
        by=by,
    )


async def mark_one(tx: ScopedTx, item: WorkItemId) -> None:
    """Let an item that was just put in be the only one of its payload. Raises DuplicateItem."""
    try:
        await tx.execute(
            """
            update work_item set digest = sha256(convert_to(coalesce(payload, 'null')::text, 'UTF8'))
             where id = %(item)s
            """,
            item=item,
        )
    except UniqueViolation as twice:
        raise DuplicateItem from twice


async def mark_unique(tx: ScopedTx, queue: QueueId, *, is_wanted: bool) -> None:
    """Let a locked queue refuse what it has already, or take it again. Raises DuplicateItem if it has some twice."""
    try:
        await tx.execute(
            """
            update work_item
               set digest = case when %(is_wanted)s
                                 then sha256(convert_to(coalesce(payload, 'null')::text, 'UTF8')) end
             where queue_id = %(queue)s and process_id is null and state <> 'deleted'
            """,
            queue=queue,
            is_wanted=is_wanted,
        )
    except UniqueViolation as twice:
        raise DuplicateItem from twice


def places_of(actor: Actor, scope: Scope) -> Of:
    """Wherever a queue that was found may lie by now: the workspaces that the actor has a place in, and its own."""
    return Of(actor.organization_id, tuple(dict.fromkeys([*actor.grants, scope.workspace])))

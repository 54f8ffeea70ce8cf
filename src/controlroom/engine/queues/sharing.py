"""Who owns a queue lets others see it, add items, change it: verbs over the grants of `rights`."""

from collections.abc import Sequence

from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.engine import Engine
from controlroom.engine.queues import rights, store
from controlroom.engine.queues.errors import GrantThere
from controlroom.engine.queues.rights import Holder, QueueGrant, Reached, Right, user_of
from controlroom.errors import NotFound


async def share(engine: Engine, reached: Reached, holders: Sequence[Holder], right: Right) -> list[QueueGrant]:
    """Give holders a right on a queue, all of them or none; all grants on it.

    Raises GrantThere for one who has it already, UserNotFound, NotFound `ROLE_NOT_FOUND`.
    """
    async with scoped(engine.database, reached.scope) as tx:
        await store.get(tx, reached.scope, reached.queue, for_update=True)
        there = await rights.list_grants(tx, reached.scope, reached.queue)
        having = {(each.role_id, each.user_id) for each in there if right in each.rights}
        for holder in holders:
            await rights.ensure_known(tx, reached.scope, holder)
            if (holder.role, holder.user) in having:
                raise GrantThere(right.value)
            await rights.give(tx, reached.queue, holder, [right], by=user_of(reached.actor))
        await record(engine, tx, reached.actor, reached.scope, "queue.shared", reached.queue, right=right.value)
        return await rights.list_grants(tx, reached.scope, reached.queue)


async def set_rights(engine: Engine, reached: Reached, holder: Holder, wanted: Sequence[Right]) -> None:
    """Let a holder have these rights on a queue and no others. Raises UserNotFound, NotFound `ROLE_NOT_FOUND`."""
    async with scoped(engine.database, reached.scope) as tx:
        await store.get(tx, reached.scope, reached.queue, for_update=True)
        await rights.ensure_known(tx, reached.scope, holder)
        await rights.take(tx, reached.queue, holder, list(Right))
        if wanted:
            await rights.give(tx, reached.queue, holder, wanted, by=user_of(reached.actor))
        told = [right.value for right in wanted]
        await record(engine, tx, reached.actor, reached.scope, "queue.shared", reached.queue, rights=told)


async def withdraw(engine: Engine, reached: Reached, holder: Holder, wanted: Sequence[Right] = tuple(Right)) -> None:
    """Take rights on a queue from a holder. Raises NotFound `QUEUE_GRANT_NOT_FOUND` for who has none of them."""
    async with scoped(engine.database, reached.scope) as tx:
        await store.get(tx, reached.scope, reached.queue, for_update=True)
        if not await rights.take(tx, reached.queue, holder, wanted):
            raise NotFound("nobody was given this right on the queue", code="QUEUE_GRANT_NOT_FOUND")
        await record(engine, tx, reached.actor, reached.scope, "queue.unshared", reached.queue)

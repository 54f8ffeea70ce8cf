"""The verbs of e-mail triggers: the address of a process, and mail that comes there."""

import secrets
import string
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from msgspec import Struct

from controlroom.aside.pool import Bounds, TooCostly
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import ensure_may_give
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.errors import ProcessDisabled
from controlroom.engine.runs.model import Cause, StartedBy, WithItems
from controlroom.engine.triggers import store
from controlroom.engine.triggers.errors import EmailTriggerNotFound, NoSuchAddress
from controlroom.engine.triggers.mail import RAW_NAME, Mail, envelope, read_mail, unread
from controlroom.engine.triggers.model import EmailChange, EmailTrigger
from controlroom.engine.work_items import store as work_items
from controlroom.errors import Conflict, Unavailable
from controlroom.ids import FileId, ProcessId, RunId, WorkItemId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

log = structlog.get_logger(__name__)

_ALPHABET = string.ascii_lowercase + string.digits  # Why no capitals: servers on the way may fold them
_RANDOM_CHARACTERS = 24  # 124 bits
MAY = frozenset({Permission.START_RUNS, Permission.WRITE_WORK_ITEMS})
"""What a mail may do that comes to the address of a process."""

_SECONDS = 10.0
"""Of computing, to read a mail. Why: 40 MB of attachments take one."""


class Received(Struct, frozen=True):
    """What a mail became."""

    item: WorkItemId
    run: RunId | None
    """None where the item waits in the input queue."""
    is_read: bool
    """Whether the whole mail could be read."""


# ---------------------------------------------------------------------------------------------------- addresses
async def configure(
    engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, change: EmailChange
) -> EmailTrigger:
    """Change what becomes of a process's mail; the first time, give it an address.

    The address is told, so that it takes what whoever knows it can do. Raises ProcessNotFound, BeyondOwnRights.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    ensure_may_give(actor, MAY, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.add_email_trigger(tx, scope, process, random=_random()):
            await ensure_seen(tx, scope)
            raise ProcessNotFound(process)
        await store.change_email_trigger(tx, scope, process, change)
        changed = await _found(tx, scope, process)
        await record(engine, tx, actor, scope, "email_trigger.updated", process_id=process)
        return changed


async def rotate(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> EmailTrigger:
    """Give a process another address; the one before takes no mail any more. Likewise; raises EmailTriggerNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    ensure_may_give(actor, MAY, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.change_email_trigger(tx, scope, process, EmailChange(), random=_random()):
            raise EmailTriggerNotFound(process)
        changed = await _found(tx, scope, process)
        await record(engine, tx, actor, scope, "email_trigger.rotated", process_id=process)
        return changed


async def get(db: Statements, scope: Scope, actor: Actor, process: ProcessId) -> EmailTrigger:
    """The address of a process, for who could do what whoever knows it can. Raises EmailTriggerNotFound."""
    ensure_may_give(actor, MAY, scope.workspace)
    return await _found(db, scope, process)


async def list_triggers(
    db: Statements, scope: Scope, actor: Actor, *, after: ProcessId | None = None, limit: int
) -> list[EmailTrigger]:
    """The addresses of a workspace's processes, for those who may see one of them."""
    ensure_may_give(actor, MAY, scope.workspace)
    return await store.list_email_triggers(db, scope, after=after, limit=limit)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId) -> None:
    """Take the address from a process. Raises EmailTriggerNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.delete_email_trigger(tx, scope, process):
            raise EmailTriggerNotFound(process)
        await record(engine, tx, actor, scope, "email_trigger.deleted", process_id=process)


async def at(engine: Engine, local_part: str) -> EmailTrigger:
    """Whose address begins so, in any case. Raises NoSuchAddress, also where mail is switched off."""
    random = local_part.lower().rpartition(".")[2]
    found = await store.email_trigger_at(engine.database, random) if random else None
    if found is None or found.local_part != local_part.lower():
        raise NoSuchAddress
    return found


# ---------------------------------------------------------------------------------------------------- mail
async def receive(engine: Engine, addressed: EmailTrigger, raw: bytes) -> Received:
    """Turn a mail into a work item of the process, and start it if it is to be: one commit, after which it is kept.

    The same bytes again, as a server sends them that has not got our answer, are the same item. What cannot be read
    becomes a `failedEmail` item with the raw mail; for a process that cannot be started now (disabled, without a task)
    the item waits in its input queue. Raises NoSuchAddress when the trigger has gone meanwhile, ProcessNotConfigured
    when there is no input queue at all, Unavailable when the server is too busy to read it.
    """
    mail = await _read(engine, addressed, raw)
    blobs = [(file.name, await engine.objects.put_bytes(file.content)) for file in mail.files]
    whole = await engine.objects.put_bytes(raw)
    blobs.append((RAW_NAME, whole))
    reference = f"mail:{whole.hash}"
    try:
        return await _take(engine, addressed, mail, blobs, reference, starts=addressed.starts)
    except UniqueViolation:  # came a moment ago, by another connection
        known = await store.item_of_mail(engine.database, _scope(addressed), addressed.process_id, reference)
        if known is None:
            raise
        return Received(known, None, is_read=not mail.errors)
    except (ProcessDisabled, Conflict) as cannot:
        if not addressed.starts or not await _has_queue(engine, addressed):
            raise
        log.warning("mail waits", process=str(addressed.process_id), reason=str(cannot))
        return await _take(engine, addressed, mail, blobs, reference, starts=False)


async def _take(
    engine: Engine,
    addressed: EmailTrigger,
    mail: Mail,
    blobs: Sequence[tuple[str, Blob]],
    reference: str,
    *,
    starts: bool,
) -> Received:
    """Keep the mail as an item, and start a run with it, in one commit."""
    async with scoped(engine.database, _scope(addressed)) as tx:
        trigger = await store.email_trigger_at(tx, addressed.random)
        if trigger is None:
            raise NoSuchAddress
        known = await store.item_of_mail(tx, _scope(trigger), trigger.process_id, reference)
        if known is not None:
            return Received(known, None, is_read=not mail.errors)
        item = await _keep(tx, trigger, mail, blobs, reference)
        actor = _actor(trigger)
        await record(engine, tx, actor, trigger, "mail.received", process_id=trigger.process_id, work_item_id=item)
        if not starts:
            return Received(item, None, is_read=not mail.errors)
        run = await runs.start_in(
            tx,
            engine,
            actor,
            trigger.workspace_id,
            trigger.process_id,
            WithItems((item,)),
            cause=Cause(StartedBy.EMAIL, None),
        )
        return Received(item, None if run is None else run.id, is_read=not mail.errors)


async def _has_queue(engine: Engine, trigger: EmailTrigger) -> bool:
    return bool(await processes.list_steps(engine.database, trigger.scope, trigger.process_id))


async def _read(engine: Engine, trigger: EmailTrigger, raw: bytes) -> Mail:
    """What a mail says, read aside: a stranger has written it. Raises Unavailable when the server is too busy."""
    received, limits = datetime.now(UTC), engine.limits
    bounds = Bounds("The mail", seconds=_SECONDS, asker=trigger.workspace_id)
    try:
        if not trigger.parses:
            return await engine.aside.call(bounds, envelope, raw, received=received)
        return await engine.aside.call(
            bounds,
            read_mail,
            raw,
            received=received,
            payload_bytes=limits.payload_bytes,
            file_bytes=limits.file_bytes,
        )
    except Unavailable:
        raise
    except TooCostly:
        return unread("The mail takes too long to read; it is kept as it came", received=received)
    except Exception:  # a mail is never lost for a fault of ours, or of the standard library
        log.exception("mail could not be read", process=str(trigger.process_id))
        return unread("The mail could not be read; it is kept as it came", received=received)


async def _keep(
    tx: ScopedTx, trigger: EmailTrigger, mail: Mail, blobs: Sequence[tuple[str, Blob]], reference: str
) -> WorkItemId:
    """Write the item with its files: it waits in the input queue."""
    first = await processes.first_step(tx, trigger.scope, trigger.process_id)
    new = work_items.NewItem(
        workspace=trigger.workspace_id,
        process=trigger.process_id,
        queue=first.queue_id,
        payload=mail.payload(),
        reference=reference,
    )
    item = await work_items.insert_one(tx, new)
    for name, blob in blobs:
        await work_items.put_file(tx, item, FileId(uuid7()), name=name, size=blob.size, digest=blob.hash)
    return item


def _actor(trigger: EmailTrigger) -> Actor:
    return Actor(
        kind=ActorKind.TRIGGER,
        id=trigger.process_id,
        name="mail",
        organization_id=trigger.organization_id,
        grants={trigger.workspace_id: MAY},
    )


def _scope(trigger: EmailTrigger) -> Of:
    """What a mail is for: whoever knows the address has the right that it carries."""
    return Of(trigger.organization_id, (trigger.workspace_id,))


async def _found(tx: Statements, scope: Scope, process: ProcessId) -> EmailTrigger:
    found = await store.email_trigger(tx, scope, process)
    if found is None:
        raise EmailTriggerNotFound(process)
    return found


def _random() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))

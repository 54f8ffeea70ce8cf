"""Statements on the secrets of processes, their mail addresses, and handshakes."""

from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.engine.triggers.model import EmailChange, EmailTrigger, ProcessSecret
from controlroom.ids import ApiKeyId, EmailTriggerId, OrganizationId, ProcessId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

EMAIL_TRIGGER: Final = Noun[EmailTriggerId](
    "e-mail trigger",
    partial(Missing, "e-mail trigger"),
    "email_trigger",
    InWorkspace("email_trigger.workspace_id"),
    joined="join process on process.id = email_trigger.process_id and process.deleted_at is null",
)

_MINE: Final = f"""(
    select process.id from process
     where process.id = %(process)s and process.workspace_id = {SEEN} and process.deleted_at is null)"""
"""The process, if the scope sees it."""


class FoundSecret(Struct, frozen=True, kw_only=True):
    """Whose a process's secret is."""

    process_id: ProcessId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    lookup: bytes


class SealedSecret(Struct, frozen=True):
    """A process's secret, encrypted."""

    sealed: bytes


def place_of_process_secret(process: ProcessId) -> str:
    """Where a sealed secret of a process belongs."""
    return f"process_secret/{process}/value"


def place_of_handshake(process: ProcessId, key: ApiKeyId) -> str:
    """Where a sealed secret of a handshake belongs."""
    return f"handshake/{process}/{key}/secret"


# ---------------------------------------------------------------------------------------------------- secrets
async def put_process_secret(
    tx: Statements, scope: Scope, process: ProcessId, *, lookup: bytes, sealed: bytes
) -> ProcessSecret | None:
    """Write the secret of a process, in place of the one it had; None if the scope sees no such process."""
    return await tx.one_or_none(
        ProcessSecret,
        f"""
        insert into process_secret (process_id, workspace_id, lookup, sealed)
        select mine.id, %(workspace)s, %(lookup)s, %(sealed)s from {_MINE} as mine
        on conflict (process_id) do update
           set lookup = excluded.lookup, sealed = excluded.sealed, created_at = clock_now()
        returning process_id, created_at
        """,
        process=process,
        lookup=lookup,
        sealed=sealed,
        **scope.params,
    )


async def process_secret(tx: Statements, scope: Scope, process: ProcessId) -> ProcessSecret | None:
    """Whether, and since when, a process has a secret."""
    return await tx.one_or_none(
        ProcessSecret,
        f"select process_id, created_at from process_secret where process_id in {_MINE}",
        process=process,
        **scope.params,
    )


async def sealed_process_secret(tx: Statements, scope: Scope, process: ProcessId) -> SealedSecret | None:
    """The secret of a process, encrypted."""
    return await tx.one_or_none(
        SealedSecret,
        f"select sealed from process_secret where process_id in {_MINE}",
        process=process,
        **scope.params,
    )


async def delete_process_secret(tx: Statements, scope: Scope, process: ProcessId) -> bool:
    """Remove the secret of a process; whether there was one."""
    deleted = await tx.execute(
        f"delete from process_secret where process_id in {_MINE}", process=process, **scope.params
    )
    return deleted > 0


async def process_secret_by_lookup(tx: Statements, lookup: bytes) -> FoundSecret | None:
    """Whose secret has this keyed hash; nobody's if the process or its workspace is gone."""
    return await tx.one_or_none(
        FoundSecret,
        """
        select process_secret.process_id, process_secret.workspace_id, workspace.organization_id, process_secret.lookup
          from process_secret
          join process on process.id = process_secret.process_id and process.deleted_at is null
          join workspace on workspace.id = process_secret.workspace_id and workspace.deleted_at is null
         where process_secret.lookup = %(lookup)s
        """,
        lookup=lookup,
    )


# ---------------------------------------------------------------------------------------------------- mail
_EMAIL: Final = """
    select email_trigger.id, email_trigger.number, email_trigger.process_id, email_trigger.workspace_id,
           workspace.organization_id, workspace.number as workspace_number, process.number as process_number,
           email_trigger.random, email_trigger.is_enabled, email_trigger.parses, email_trigger.starts,
           email_trigger.created_at
      from email_trigger
      join process on process.id = email_trigger.process_id and process.deleted_at is null
      join workspace on workspace.id = email_trigger.workspace_id and workspace.deleted_at is null
"""


async def email_trigger(tx: Statements, scope: Scope, process: ProcessId) -> EmailTrigger | None:
    """The mail address of a process."""
    return await tx.one_or_none(
        EmailTrigger,
        f"{_EMAIL} where email_trigger.process_id in {_MINE}",
        process=process,
        **scope.params,
    )


async def list_email_triggers(
    tx: Statements, scope: Scope, *, after: ProcessId | None = None, limit: int
) -> list[EmailTrigger]:
    """The mail addresses of the workspace in the order in which their processes were made."""
    return await tx.all(
        EmailTrigger,
        f"""{_EMAIL}
         where email_trigger.workspace_id = {SEEN}
         {oldest_first("email_trigger.process_id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def add_email_trigger(tx: Statements, scope: Scope, process: ProcessId, *, random: str) -> bool:
    """Give a process an address unless it has one; False if the scope sees no such process."""
    return bool(
        await tx.value(
            f"""
            with added as (
                insert into email_trigger (id, process_id, workspace_id, random)
                select %(id)s, mine.id, %(workspace)s, %(random)s from {_MINE} as mine
                on conflict (process_id) do nothing
            )
            select exists (select from {_MINE} as mine)
            """,
            id=uuid7(),
            process=process,
            random=random,
            **scope.params,
        )
    )


async def change_email_trigger(
    tx: Statements, scope: Scope, process: ProcessId, change: EmailChange, *, random: str | None = None
) -> bool:
    """Write what is set, and another random part if one is given; whether there is a trigger."""
    wanted = {name: None if value is msgspec.UNSET else value for name, value in msgspec.structs.asdict(change).items()}
    changed = await tx.execute(
        f"""
        update email_trigger
           set is_enabled = coalesce(%(is_enabled)s, is_enabled), parses = coalesce(%(parses)s, parses),
               starts = coalesce(%(starts)s, starts), random = coalesce(%(random)s, random), updated_at = clock_now()
         where process_id in {_MINE}
        """,
        process=process,
        random=random,
        **wanted,
        **scope.params,
    )
    return changed > 0


async def delete_email_trigger(tx: Statements, scope: Scope, process: ProcessId) -> bool:
    """Remove the address of a process; whether it had one."""
    deleted = await tx.execute(
        f"delete from email_trigger where process_id in {_MINE}", process=process, **scope.params
    )
    return deleted > 0


async def email_trigger_at(tx: Statements, random: str) -> EmailTrigger | None:
    """The enabled trigger whose address has this random part."""
    return await tx.one_or_none(
        EmailTrigger, f"{_EMAIL} where email_trigger.random = %(random)s and email_trigger.is_enabled", random=random
    )


async def item_of_mail(tx: Statements, scope: Scope, process: ProcessId, reference: str) -> WorkItemId | None:
    """The item that a mail of this reference has become in the process, unless it was deleted."""
    found: WorkItemId | None = await tx.value(
        f"""
        select work_item.id
          from step join work_item on work_item.queue_id = step.queue_id
         where step.process_id in {_MINE} and work_item.reference = %(reference)s and work_item.state <> 'deleted'
         limit 1
        """,
        process=process,
        reference=reference,
        **scope.params,
    )
    return found


# ---------------------------------------------------------------------------------------------------- handshakes
async def put_handshake(tx: Statements, scope: Scope, process: ProcessId, key: ApiKeyId, *, sealed: bytes) -> bool:
    """Keep the secret that a caller brought, in place of the one before; False if the scope sees no such process."""
    written = await tx.execute(
        f"""
        insert into handshake (process_id, api_key_id, sealed)
        select mine.id, %(key)s, %(sealed)s from {_MINE} as mine
        on conflict (process_id, api_key_id) do update set sealed = excluded.sealed, created_at = clock_now()
        """,
        process=process,
        key=key,
        sealed=sealed,
        **scope.params,
    )
    return written > 0


async def handshake(tx: Statements, scope: Scope, process: ProcessId, key: ApiKeyId) -> bytes | None:
    """The encrypted secret of a handshake."""
    found: bytes | None = await tx.value(
        f"select sealed from handshake where process_id in {_MINE} and api_key_id = %(key)s",
        process=process,
        key=key,
        **scope.params,
    )
    return found

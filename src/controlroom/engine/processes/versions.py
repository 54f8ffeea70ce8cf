"""The versions of a process: what it was after each change, written in the change's own commit."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.locks.model import LockName
from controlroom.engine.processes import store
from controlroom.engine.processes.errors import VersionNotFound
from controlroom.engine.processes.forms import Form
from controlroom.engine.processes.model import Process, Step
from controlroom.ids import ProcessId
from controlroom.postgres.database import Statements

MOST_KEPT: Final = 100
"""Versions of one process. Why: its steps may be a megabyte, and nobody takes back the hundredth change."""


class DefaultItem(Struct, frozen=True):
    """The payload of starts without input. A Struct, because no payload is not the payload `null`."""

    payload: Raw


class Kept(Struct, frozen=True, kw_only=True):
    """All that its author says of a process."""

    name: str
    is_enabled: bool
    default_item: DefaultItem | None
    form: Form | None
    locks: list[LockName]
    steps: list[Step]


class Version(Struct, frozen=True, kw_only=True):
    """What a process was from a moment on."""

    version: int
    """Counts from 1."""
    at: datetime
    made_by: str
    """Who has made it so, by the name of then; empty for what was there before versions were kept."""
    definition: Kept


async def keep(tx: ScopedTx, scope: Scope, process: Process, *, made_by: Actor | None) -> None:
    """Write what a locked process is now, unless that is what it was; old versions go. None made it: nobody knows."""
    steps = await store.list_steps(tx, scope, process.id)
    kept = Kept(
        name=process.name,
        is_enabled=process.is_enabled,
        default_item=None if process.default_item is None else DefaultItem(process.default_item),
        form=process.form,
        locks=process.locks,
        steps=steps,
    )
    await tx.execute(
        f"""
        with last as (
            select version, definition from process_version
             where process_id = %(process)s
             order by version desc
             limit 1
        ), written as (
            insert into process_version (process_id, version, at, made_by, definition)
            select %(process)s, coalesce((select version from last), 0) + 1,
                   case when %(is_known)s then clock_now() else %(since)s end, %(made_by)s, %(definition)s
             where %(definition)s::jsonb is distinct from (select definition from last)
            returning version
        )
        delete from process_version
         where process_id = %(process)s and version <= (select version from written) - {MOST_KEPT}
        """,
        process=process.id,
        is_known=made_by is not None,
        since=process.created_at,
        made_by="" if made_by is None else made_by.name,
        definition=Raw(msgspec.json.encode(kept)),
    )


async def has_any(tx: ScopedTx, process: ProcessId) -> bool:
    """Whether a version of the process is kept."""
    return bool(
        await tx.value(
            "select exists (select from process_version where process_id = %(process)s)",
            process=process,
        )
    )


async def list_versions(
    db: Statements, scope: Scope, process: ProcessId, *, before: int | None = None, limit: int
) -> list[Version]:
    """The versions of a process, the latest first."""
    return await db.all(
        Version,
        f"""
        select kept.version, kept.at, kept.made_by, kept.definition
          from process_version as kept join process on process.id = kept.process_id
         where process.id = %(process)s and process.workspace_id = {SEEN} and process.deleted_at is null
           and (%(before)s::int is null or kept.version < %(before)s)
         order by kept.version desc
         limit %(limit)s
        """,
        process=process,
        before=before,
        limit=limit,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, process: ProcessId, version: int) -> Version:
    """One version; raises VersionNotFound."""
    found = await list_versions(db, scope, process, before=min(version, 2**31 - 2) + 1, limit=1)
    if not found or found[0].version != version:
        raise VersionNotFound(process, version)
    return found[0]

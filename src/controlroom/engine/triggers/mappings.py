"""Trigger mappings: which users, or holders of which roles, have the triggers of a task on their machines.

They are kept and told; nothing of the room fires them, for a worker is nobody's desk.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import RoleNotFound
from controlroom.engine.access.grants.holding import ensure_runtime
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, scope_of, scoped, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import OLDEST_FIRST, Asked, Field, Kind, Listing, OneOf, behind, equal
from controlroom.engine.lists.words import Paths, with_path
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.places import FOLDERS, task_path
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RoleId, TaskId, TriggerMappingId, UserId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

MOST_AT_ONCE: Final = 1000


class TriggerMapping(Struct, frozen=True, kw_only=True):
    """That a user, or whoever holds a role, has the triggers of a task."""

    id: TriggerMappingId
    number: int
    workspace_id: WorkspaceId
    workspace_name: str
    task_id: TaskId
    task_number: int
    task_name: str
    folders: list[str]
    """In which its package lies, below the workspace; of a deleted one those in which it lay last."""
    package_name: str
    label: str | None
    """Those of the version that has this label; None: of the latest."""
    user_id: UserId | None
    user_number: int | None
    user_name: str | None
    role_id: RoleId | None
    role_number: int | None
    role_name: str | None
    updated_at: datetime
    editor_number: int | None
    """Of the user who wrote it last; None if it was no user."""

    @property
    def holder(self) -> str:
        """Who has them: the name of the user, or of the role."""
        return self.user_name or self.role_name or ""


class TriggerMappingNotFound(NotFound):
    """There is no such trigger mapping."""

    code: ClassVar[str] = "TRIGGER_MAPPING_NOT_FOUND"

    def __init__(self, mapping: UUID | str) -> None:
        super().__init__(f"there is no trigger mapping {mapping}", trigger_mapping=str(mapping))


TRIGGER_MAPPING: Final = Noun[TriggerMappingId](
    "trigger mapping",
    TriggerMappingNotFound,
    "trigger_mapping",
    InWorkspace("trigger_mapping.workspace_id"),
)

_TASK: Final = """join task on task.id = trigger_mapping.task_id
          join package on package.id = task.package_id"""
_USER: Final = "left join app_user on app_user.id = trigger_mapping.user_id"
_ROLE: Final = "left join role on role.id = trigger_mapping.role_id"

TRIGGER_MAPPINGS: Final = Listing(
    noun="trigger mappings",
    table="trigger_mapping",
    columns=f"""trigger_mapping.id, trigger_mapping.number, trigger_mapping.workspace_id,
           workspace.name as workspace_name, trigger_mapping.task_id, task.number as task_number,
           task.name as task_name, {FOLDERS} as folders, package.name as package_name,
           trigger_mapping.label, trigger_mapping.user_id,
           app_user.number as user_number, app_user.username as user_name, trigger_mapping.role_id,
           role.number as role_number, role.name as role_name,
           trigger_mapping.updated_at, editor.number as editor_number""",
    joins=f"""{_TASK}
          join workspace on workspace.id = trigger_mapping.workspace_id
          {_USER}
          {_ROLE}
          left join app_user as editor on editor.id = trigger_mapping.updated_by""",
    tenant="trigger_mapping.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="trigger_mapping_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("task_number", Kind.INTEGER, column="task.number", is_sortable=True, join=_TASK),
        Field("task_name", Kind.TEXT, column="task.name", is_sortable=True, join=_TASK),
        Field("package_name", Kind.TEXT, column="package.name", is_sortable=True, join=_TASK),
        Field("label", Kind.TEXT, is_nullable=True, is_sortable=True),
        Field("user_name", Kind.TEXT, column="app_user.username", is_nullable=True, join=_USER),
        Field("role_name", Kind.TEXT, column="role.name", is_nullable=True, join=_ROLE),
        Field("is_for_role", Kind.TRUTH, column="(trigger_mapping.role_id is not null)"),
        Field("user_number", Kind.INTEGER, column="app_user.number", is_nullable=True, is_sortable=True, join=_USER),
        Field("role_number", Kind.INTEGER, column="role.number", is_nullable=True, is_sortable=True, join=_ROLE),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field(
            "editor_number",
            Kind.INTEGER,
            column="(select app_user.number from app_user where app_user.id = trigger_mapping.updated_by)",
            is_nullable=True,
        ),
    ),
)


def with_paths(paths: Paths) -> Listing:
    """The list that is filtered by where the tasks lie, too."""
    return with_path(TRIGGER_MAPPINGS, task_path(paths, "trigger_mapping.task_id"))


class ForUsers(Struct, frozen=True):
    """These users, each as whom robots may run."""

    users: tuple[UserId, ...]


class ForRoles(Struct, frozen=True):
    """Whoever holds these roles."""

    roles: tuple[RoleId, ...]


async def attach(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    task: TaskId,
    whom: ForUsers | ForRoles,
    *,
    label: str | None = None,
) -> list[TriggerMapping]:
    """Give users, or holders of roles, the triggers of a task; who has them already has those of the label now.

    Raises TaskNotFound, UserNotFound, RoleNotFound, RuntimeMissing; Invalid for none, or too many at once.
    """
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    if label is not None:
        checked_name(label, what="label")
    users = list(dict.fromkeys(whom.users)) if isinstance(whom, ForUsers) else []
    roles = list(dict.fromkeys(whom.roles)) if isinstance(whom, ForRoles) else []
    if not 1 <= len(users) + len(roles) <= MOST_AT_ONCE:
        raise Invalid(f"triggers are for 1 to {MOST_AT_ONCE:,} users or roles", code="TRIGGER_MAPPING_INVALID")
    async with scoped(engine.database, scope) as tx:
        await packages.hold_task(tx, scope, task)
        if users:
            await ensure_runtime(tx, scope, users)
        if roles:
            await _ensure_roles(tx, scope, roles)
        written = [
            await _write(tx, scope, task, label, user=user, role=role, by=actor.id)
            for user, role in (*((user, None) for user in users), *((None, role) for role in roles))
        ]
        for mapping in written:
            await record(engine, tx, actor, scope, "trigger_mapping.put", mapping, task_id=str(task))
        asked = Asked(filter=OneOf("id", tuple(written)), length=len(written))
        return await pages.rows(tx, TriggerMapping, TRIGGER_MAPPINGS, within(scope), asked)


async def detach(engine: Engine, actor: Actor, workspace: WorkspaceId, mapping: TriggerMappingId) -> None:
    """Take the triggers of a task from whom one mapping gave them. Raises TriggerMappingNotFound."""
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await _delete(tx, scope, mapping):
            raise TriggerMappingNotFound(mapping)
        await record(engine, tx, actor, scope, "trigger_mapping.deleted", mapping)


async def get(db: Statements, scope: Scope, mapping: TriggerMappingId) -> TriggerMapping:
    """One mapping. Raises TriggerMappingNotFound."""
    asked = Asked(filter=equal(id=mapping), length=1)
    found = await pages.rows(db, TriggerMapping, TRIGGER_MAPPINGS, within(scope), asked)
    if not found:
        raise TriggerMappingNotFound(mapping)
    return found[0]


async def list_mappings(
    db: Statements, scope: Scope, *, after: TriggerMappingId | None = None, limit: int
) -> list[TriggerMapping]:
    """Mappings, oldest first."""
    asked = Asked(sort=OLDEST_FIRST, start=behind(after), length=limit)
    return await pages.rows(db, TriggerMapping, TRIGGER_MAPPINGS, within(scope), asked)


async def _ensure_roles(tx: ScopedTx, scope: Scope, roles: Sequence[RoleId]) -> None:
    """Raise RoleNotFound for the first that is neither of the organization nor of the system."""
    known = await tx.all(
        RoleId,
        """
        select id from role
         where id = any(%(roles)s::uuid[]) and (organization_id is null or organization_id = %(organization)s)
        """,
        roles=list(roles),
        organization=scope.organization,
    )
    for role in roles:
        if role not in known:
            raise RoleNotFound


async def _delete(tx: ScopedTx, scope: Scope, mapping: TriggerMappingId) -> bool:
    statement = f"delete from trigger_mapping where id = %(mapping)s and workspace_id = {SEEN}"
    return bool(await tx.execute(statement, mapping=mapping, **scope.params))


async def _write(
    tx: ScopedTx,
    scope: Scope,
    task: TaskId,
    label: str | None,
    *,
    user: UserId | None,
    role: RoleId | None,
    by: Any,
) -> TriggerMappingId:
    return await tx.one(
        TriggerMappingId,
        """
        insert into trigger_mapping (id, workspace_id, task_id, label, user_id, role_id, updated_by)
        values (%(mapping)s, %(workspace)s, %(task)s, %(label)s, %(user)s, %(role)s, %(by)s)
            on conflict (task_id, user_id, role_id)
            do update set label = excluded.label, updated_by = excluded.updated_by, updated_at = clock_now()
        returning id
        """,
        mapping=uuid7(),
        workspace=scope.workspace,
        task=task,
        label=label,
        user=user,
        role=role,
        by=by,
    )

"""Statements on variables."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx, ensure_seen
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.variables.errors import VariableExists, VariableNotFound
from controlroom.engine.variables.model import Resolved, Variable, VariableScope, Where
from controlroom.ids import ProcessId, TargetId, UserId, VariableId, WorkspaceId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

VARIABLE: Final = Noun[VariableId](
    "variable",
    lambda _: VariableNotFound(),
    "variable",
    InWorkspace("variable.workspace_id"),
    name="variable.name",
    named="num_nonnulls(variable.target_id, variable.process_id, variable.user_id) = 0",
)

COLUMNS: Final = """variable.id, variable.number, variable.workspace_id,
    variable_workspace.number as workspace_number, variable.name, variable.value, variable.target_id,
    variable_target.number as target_number, variable_target.name as target_name, variable.process_id,
    variable_process.number as process_number, variable_process.name as process_name, variable.user_id,
    variable_user.number as user_number, variable_user.username as user_name, variable.created_at,
    variable.updated_at"""
JOINS: Final = """join workspace as variable_workspace on variable_workspace.id = variable.workspace_id
    left join target as variable_target on variable_target.id = variable.target_id
    left join process as variable_process on variable_process.id = variable.process_id
    left join app_user as variable_user on variable_user.id = variable.user_id"""


class SealedVariable(Variable, frozen=True, kw_only=True):
    """A variable with its value encrypted, where it is secret."""

    sealed: bytes | None


async def get(db: Statements, scope: Scope, variable: VariableId, *, is_held: bool = False) -> SealedVariable:
    """A variable. Raises VariableNotFound."""
    found = await db.one_or_none(
        SealedVariable,
        f"""
        select {COLUMNS}, variable.sealed from variable {JOINS}
         where variable.id = %(variable)s and variable.workspace_id = {SEEN}
         {"for update of variable" if is_held else ""}
        """,
        variable=variable,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise VariableNotFound
    return found


async def of_workspace(
    db: Statements, scope: Scope, scopes: Sequence[VariableScope] = tuple(VariableScope)
) -> list[Variable]:
    """All variables of a workspace that hold in such scopes, by name; its own first, then those of its targets.

    There are as many as people write by hand, so that they have no pages.
    """
    return await db.all(
        Variable,
        f"""
        select {COLUMNS} from variable {JOINS}
         where variable.workspace_id = {SEEN}
           and case when variable.target_id is not null then 'target'
                    when variable.process_id is not null then 'process'
                    when variable.user_id is not null then 'user'
                    else 'workspace' end = any(%(scopes)s)
         order by variable.name collate "C", variable.target_id nulls first, variable.id
        """,
        scopes=[each.value for each in scopes],
        **scope.params,
    )


async def of_targets(db: Statements, scope: Scope, targets: Sequence[TargetId]) -> list[Variable]:
    """The variables of some targets that are seen, by name."""
    return await db.all(
        Variable,
        f"""
        select {COLUMNS} from variable {JOINS}
         where variable.target_id = any(%(targets)s::uuid[]) and variable.workspace_id in {EACH}
         order by variable.name collate "C", variable.id
        """,
        targets=list(targets),
        **scope.each,
    )


async def named(db: Statements, scope: Scope, name: str) -> list[Variable]:
    """The variables of a name, in all scopes."""
    return await db.all(
        Variable,
        f"""
        select {COLUMNS} from variable {JOINS}
         where variable.workspace_id = {SEEN} and variable.name = %(name)s
         order by variable.id
        """,
        name=name,
        **scope.params,
    )


async def find(db: Statements, scope: Scope, name: str, where: Where) -> VariableId | None:
    """The variable of a name in just this scope."""
    found: VariableId | None = await db.value(
        f"""
        select id from variable
         where workspace_id = {SEEN} and name = %(name)s and target_id is not distinct from %(target)s
           and process_id is not distinct from %(process)s and user_id is not distinct from %(user)s
        """,
        name=name,
        target=where.target_id,
        process=where.process_id,
        user=where.user_id,
        **scope.params,
    )
    return found


async def ensure_known(db: Statements, scope: Scope, where: Where) -> bool:
    """Whether the target, the process or the user is there, and of the workspace (a user: of the organization)."""
    return bool(
        await db.value(
            f"""
            select (%(target)s::uuid is null or exists (
                        select from target where id = %(target)s and workspace_id = {SEEN} and deleted_at is null))
               and (%(process)s::uuid is null or exists (
                        select from process where id = %(process)s and workspace_id = {SEEN} and deleted_at is null))
               and (%(user)s::uuid is null or exists (
                        select from app_user where id = %(user)s and organization_id = %(organization)s
                                               and deleted_at is null))
            """,
            target=where.target_id,
            process=where.process_id,
            user=where.user_id,
            **scope.params,
        )
    )


async def count(db: Statements, scope: Scope) -> int:
    """How many variables a workspace has, in all scopes."""
    found: int = await db.value(f"select count(*) from variable where workspace_id = {SEEN}", **scope.params)
    return found


async def add(
    tx: ScopedTx,
    scope: Scope,
    variable: VariableId,
    name: str,
    where: Where,
    *,
    value: str | None,
    sealed: bytes | None,
) -> None:
    """Write a new variable. Raises VariableExists, upon which the transaction is lost."""
    try:
        await tx.execute(
            f"""
            insert into variable (id, workspace_id, name, target_id, process_id, user_id, value, sealed)
            select %(variable)s, seen.id, %(name)s, %(target)s, %(process)s, %(user)s, %(value)s, %(sealed)s
              from {SEEN} as seen
            """,
            variable=variable,
            name=name,
            target=where.target_id,
            process=where.process_id,
            user=where.user_id,
            value=value,
            sealed=sealed,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise VariableExists(name) from taken


async def change(tx: ScopedTx, variable: VariableId, *, name: str, value: str | None, sealed: bytes | None) -> None:
    """Write what a held variable shall be. Raises VariableExists, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            update variable
               set name = %(name)s, value = %(value)s, sealed = %(sealed)s, updated_at = clock_now()
             where id = %(variable)s
            """,
            variable=variable,
            name=name,
            value=value,
            sealed=sealed,
        )
    except UniqueViolation as taken:
        raise VariableExists(name) from taken


async def delete(tx: ScopedTx, variables: Sequence[VariableId]) -> None:
    """Remove variables that were found."""
    await tx.execute("delete from variable where id = any(%(variables)s)", variables=list(variables))


# ---------------------------------------------------------------------------------------------------- what a run finds
class _Row(Struct, frozen=True):
    id: VariableId
    name: str
    value: str | None
    sealed: bytes | None
    scope: VariableScope


async def resolved(
    db: Statements,
    keys: Keys,
    scope: Scope,
    *,
    workspace: WorkspaceId,
    target: TargetId | None = None,
    process: ProcessId | None = None,
    user: UserId | None = None,
) -> list[Resolved]:
    """What a run of these finds, by name: a process's or user's value before a target's, that before the workspace's.

    With the values of secret ones in clear: for plans and assignments alone.
    """
    rows = await db.all(
        _Row,
        """
        select distinct on (variable.name collate "C")
               variable.id, variable.name, variable.value, variable.sealed,
               case when variable.target_id is not null then 'target'
                    when variable.process_id is not null then 'process'
                    when variable.user_id is not null then 'user'
                    else 'workspace' end as scope
          from variable join workspace on workspace.id = variable.workspace_id
         where variable.workspace_id = %(of)s and workspace.organization_id = %(organization)s
           and (variable.target_id is null or variable.target_id = %(target)s)
           and (variable.process_id is null or variable.process_id = %(process)s)
           and (variable.user_id is null or variable.user_id = %(user)s)
         order by variable.name collate "C", variable.user_id nulls last, variable.process_id nulls last,
                  variable.target_id nulls last
        """,
        of=workspace,
        organization=scope.organization,
        target=target,
        process=process,
        user=user,
    )
    return [
        Resolved(
            name=row.name,
            value=opened(keys, row.id, row.sealed) if row.value is None else row.value,
            is_secret=row.value is None,
            scope=row.scope,
        )
        for row in rows
    ]


def seal(keys: Keys, variable: VariableId, value: str) -> bytes:
    """The value of a secret variable, encrypted for its place."""
    return keys.seal(value.encode(), place=f"variable/{variable}")


def opened(keys: Keys, variable: VariableId, sealed: bytes | None) -> str:
    """The value of a secret variable."""
    return "" if sealed is None else keys.unseal(sealed, place=f"variable/{variable}").decode()

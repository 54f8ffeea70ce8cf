"""Statements on targets."""

from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.targets.errors import TargetNameTaken, TargetNotFound
from controlroom.engine.targets.model import Target, TargetDefinition
from controlroom.ids import TargetId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

TARGET: Final = Noun[TargetId](
    "target",
    lambda _: TargetNotFound(),
    "target",
    InWorkspace("target.workspace_id"),
    there="target.deleted_at is null",
    name="target.name",
)

COLUMNS: Final = """target.id, target.number, target.workspace_id, target_workspace.number as workspace_number,
    target.name, target.kind, target.purpose, target.connection_id, target_connection.number as connection_number,
    target.login_id, target_login.number as login_number, target.profile_id, target_profile.number as profile_number,
    target.extended_attributes_id, target_attributes.number as extended_attributes_number, target.branch,
    target.uses_branch, target.tool_version, target.subdirectory, target.kept, target.created_by,
    target_author.number as created_by_number, target.created_at, target.updated_at, target.deleted_at"""
JOINS: Final = """join workspace as target_workspace on target_workspace.id = target.workspace_id
    left join connection as target_connection on target_connection.id = target.connection_id
    left join connection_login as target_login on target_login.id = target.login_id
    left join connection_profile as target_profile on target_profile.id = target.profile_id
    left join extended_attributes as target_attributes on target_attributes.id = target.extended_attributes_id
    left join app_user as target_author on target_author.id = target.created_by"""


async def get(
    db: Statements, scope: Scope, target: TargetId, *, is_held: bool = False, deleted: bool = False
) -> Target:
    """A target; with `deleted` also one that was. Held, it cannot change meanwhile. Raises TargetNotFound."""
    found = await db.one_or_none(
        Target,
        f"""
        select {COLUMNS} from target {JOINS}
         where target.id = %(target)s and target.workspace_id = {SEEN}
           and (%(deleted)s or target.deleted_at is null)
         {"for update of target" if is_held else ""}
        """,
        target=target,
        deleted=deleted,
        **scope.params,
    )
    if found is None:
        await ensure_seen(db, scope)
        raise TargetNotFound
    return found


async def add(
    tx: ScopedTx, scope: Scope, target: TargetId, definition: TargetDefinition, *, author: UserId | None
) -> None:
    """Write a new target. Raises TargetNameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            f"""
            insert into target (id, workspace_id, name, kind, purpose, connection_id, login_id, profile_id,
                                extended_attributes_id, branch, uses_branch, tool_version, subdirectory, kept,
                                created_by)
            select %(target)s, seen.id, %(name)s, %(kind)s, %(purpose)s, %(connection_id)s, %(login_id)s,
                   %(profile_id)s, %(extended_attributes_id)s, %(branch)s, %(uses_branch)s, %(tool_version)s,
                   %(subdirectory)s, %(kept)s, %(author)s
              from {SEEN} as seen
            """,
            target=target,
            author=author,
            name=definition.name,
            kind=definition.kind,
            purpose=definition.purpose,
            connection_id=definition.connection_id,
            login_id=definition.login_id,
            profile_id=definition.profile_id,
            extended_attributes_id=definition.extended_attributes_id,
            branch=definition.branch,
            uses_branch=definition.uses_branch,
            tool_version=definition.tool_version,
            subdirectory=definition.subdirectory,
            kept=definition.kept,
            **scope.params,
        )
    except UniqueViolation as taken:
        raise TargetNameTaken(definition.name) from taken


async def change(tx: ScopedTx, target: TargetId, definition: TargetDefinition) -> None:
    """Write what a held target shall be. Raises TargetNameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            update target
               set name = %(name)s, kind = %(kind)s, purpose = %(purpose)s, connection_id = %(connection_id)s,
                   login_id = %(login_id)s, profile_id = %(profile_id)s,
                   extended_attributes_id = %(extended_attributes_id)s, branch = %(branch)s,
                   uses_branch = %(uses_branch)s, tool_version = %(tool_version)s, subdirectory = %(subdirectory)s,
                   kept = %(kept)s, updated_at = clock_now()
             where id = %(target)s
            """,
            target=target,
            name=definition.name,
            kind=definition.kind,
            purpose=definition.purpose,
            connection_id=definition.connection_id,
            login_id=definition.login_id,
            profile_id=definition.profile_id,
            extended_attributes_id=definition.extended_attributes_id,
            branch=definition.branch,
            uses_branch=definition.uses_branch,
            tool_version=definition.tool_version,
            subdirectory=definition.subdirectory,
            kept=definition.kept,
        )
    except UniqueViolation as taken:
        raise TargetNameTaken(definition.name) from taken


async def delete(tx: ScopedTx, target: TargetId) -> None:
    """Let a held target be gone, and the variables of its own with it."""
    await tx.execute("delete from variable where target_id = %(target)s", target=target)
    await tx.execute(
        "update target set deleted_at = clock_now(), updated_at = clock_now() where id = %(target)s", target=target
    )

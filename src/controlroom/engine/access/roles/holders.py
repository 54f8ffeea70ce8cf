"""Roles together with who holds them in the organization: as a directory shows, and changes, them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.errors import RoleNotFound, UserNotFound
from controlroom.engine.access.grants.actions import kept_governed
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.roles import actions
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.roles.model import RUNNER
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users.accounts import give, take
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.lists.words import renamed
from controlroom.ids import OrganizationId, RoleId, UserId


class HeldRole(Struct, frozen=True, kw_only=True):
    """A role, and who holds it."""

    id: RoleId
    number: int
    name: str
    description: str
    permissions: list[str]
    is_system: bool
    created_at: datetime
    created_by: int | None
    """The number of the user who did it; None: nobody who is a user."""
    updated_at: datetime
    updated_by: int | None
    revision: int
    holders: list[int]
    """Numbers of the users to whom it is granted themselves, in the organization."""


def _number_of(column: str) -> str:
    return f"(select maker.number from app_user as maker where maker.id = role.{column})"


_HOLDER_COUNT: Final = """(select count(*) from access_grant join app_user on app_user.id = access_grant.user_id
                     where access_grant.role_id = role.id and access_grant.workspace_id is null
                       and access_grant.organization_id = %(organization)s)"""

ROLES: Final = Listing(
    noun="roles",
    table="role",
    columns=f"""role.id, role.number, role.name, role.description, role.permissions,
           role.organization_id is null as is_system, role.created_at, role.updated_at, role.revision,
           {_number_of("created_by")} as created_by,
           {_number_of("updated_by")} as updated_by,
           coalesce((select jsonb_agg(app_user.number order by app_user.number)
                       from access_grant join app_user on app_user.id = access_grant.user_id
                      where access_grant.role_id = role.id and access_grant.workspace_id is null
                        and access_grant.organization_id = %(organization)s), '[]') as holders""",
    tenant="coalesce(role.organization_id, %(organization)s)",  # one of the system is everybody's
    always=f"role.id <> '{RUNNER}' and not role.is_set",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("is_system", Kind.TRUTH, column="(role.organization_id is null)", is_sortable=True),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field("holder_count", Kind.INTEGER, column=_HOLDER_COUNT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by", Kind.INTEGER, column=_number_of("created_by"), is_nullable=True),
        Field("updated_by", Kind.INTEGER, column=_number_of("updated_by"), is_nullable=True),
    ),
)


def in_words(names: Mapping[str, str]) -> Listing:
    """The list as a grammar tells it that calls the system's roles by these names."""
    return renamed(ROLES, "name", names, where="role.organization_id is null")


"""What can be held, `within=throughout(actor, Permission.READ_MEMBERS)`; but that robots run as somebody, and sets of
permissions that a grammar of its own names."""

EVERY_ROLE: Final = replace(ROLES, always="")
"""Those, too."""


async def get_held(engine: Engine, actor: Actor, role: RoleId) -> HeldRole:
    """One role, likewise. Raises RoleNotFound."""
    ensure_in_organization(actor, Permission.READ_MEMBERS)
    found = await engine.database.one_or_none(
        HeldRole,
        f"""
        {ROLES.select}
         where role.id = %(role)s and {ROLES.tenant} = %(organization)s and {ROLES.always}
        """,
        role=role,
        organization=actor.organization_id,
    )
    if found is None:
        raise RoleNotFound
    return found


async def create(
    engine: Engine, actor: Actor, *, name: str, permissions: Collection[str], description: str, holders: Collection[int]
) -> RoleId:
    """A new role, given to users (by number) at once, which takes the writing of members.

    Raises UserNotFound, NameTaken, BeyondOwnRights.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        made = await actions.add(engine, tx, actor, name=name, permissions=permissions, description=description)
        await _hold(tx, actor, made.id, holders)
    return made.id


async def edit(
    engine: Engine,
    actor: Actor,
    role: RoleId,
    *,
    name: str | None,
    permissions: Collection[str] | None,
    description: str | None,
    holders: Collection[int] | None,
) -> None:
    """Change a role, and who holds it; None leaves what is there. Raises as `create`, and RoleOfSystem, LastAdmin."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await actions.change(engine, tx, actor, role, name=name, permissions=permissions, description=description)
        if holders is not None:
            await _hold(tx, actor, role, holders)


async def delete(engine: Engine, actor: Actor, role: RoleId) -> None:
    """Delete a role, and take it from whoever holds it. Raises RoleNotFound, RoleOfSystem, BeyondOwnRights."""
    async with scoped(engine.database, actor.organization_id) as tx:
        ensure_in_organization(actor, Permission.WRITE_ROLES)
        await actions.changeable(tx, actor, role)
        await _hold(tx, actor, role, ())
        await actions.remove(engine, tx, actor, role)


async def _hold(tx: ScopedTx, actor: Actor, role: RoleId, holders: Collection[int]) -> None:
    """Let these users hold a role, and nobody else by themselves."""
    wanted = await _users(tx, actor.organization_id, holders)
    held = set(
        await tx.all(
            UserId,
            """
            select user_id from access_grant
             where role_id = %(role)s and organization_id = %(organization)s and workspace_id is null
               and user_id is not null
            """,
            role=role,
            organization=actor.organization_id,
        )
    )
    if wanted == held:
        return
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    async with kept_governed(tx, actor.organization_id, [None]):
        for user in sorted(wanted - held):
            await give(tx, actor, user, [role])
        for user in sorted(held - wanted):
            await take(tx, actor, user, [role])


async def _users(tx: ScopedTx, organization: OrganizationId, numbers: Collection[int]) -> set[UserId]:
    """Users by number. Raises UserNotFound if one is none of the organization."""
    found = set(
        await tx.all(
            UserId,
            """
            select id from app_user
             where number = any (%(numbers)s::bigint[]) and organization_id = %(organization)s and deleted_at is null
               for key share
            """,
            numbers=list(numbers),
            organization=organization,
        )
    )
    if len(found) != len(set(numbers)):
        raise UserNotFound
    return found

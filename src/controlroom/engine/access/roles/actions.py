"""The verbs of roles. They are the organization's: a role that somebody edits changes what all its holders may do."""

import re
from collections.abc import Collection
from typing import Any, Final

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import NameTaken, NotOfOrganization, RoleInUse, RoleNotFound, RoleOfSystem
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles import store
from controlroom.engine.access.roles.model import NamedRole
from controlroom.engine.access.rules import ensure_may_give, permissions_of
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import RoleId, uuid7

_OURS = frozenset(permission.value for permission in Permission)
_GRAMMARS = re.compile(r"[a-z0-9_]{1,40}:[\x21-\x7e][\x20-\x7e]{0,200}")
"""A name of a grammar's own, with the grammar before it."""
_MOST_PERMISSIONS: Final = 1000


def ensure_in_organization(actor: Actor, permission: Permission) -> None:
    """Raise NotOfOrganization unless the actor has the permission in the organization itself."""
    if not actor.uses(permission, None):
        raise NotOfOrganization(permission.value)


def ensure_sees_members(actor: Actor) -> None:
    """Raise NotOfOrganization unless the actor may see who is who, somewhere: roles and groups are for granting."""
    if not any(actor.may(Permission.READ_MEMBERS, workspace) for workspace in (None, *actor.grants)):
        raise NotOfOrganization(Permission.READ_MEMBERS.value)


async def list_roles(engine: Engine, actor: Actor, *, after: RoleId | None = None, limit: int) -> list[NamedRole]:
    """The system's roles and those of the organization, oldest first."""
    ensure_sees_members(actor)
    return await store.list_roles(engine.database, actor.organization_id, after=after, limit=limit)


async def get_role(engine: Engine, actor: Actor, role: RoleId) -> NamedRole:
    """One role. Raises RoleNotFound."""
    ensure_sees_members(actor)
    found = await store.get(engine.database, actor.organization_id, role)
    if found is None:
        raise RoleNotFound
    return found


async def create_role(
    engine: Engine, actor: Actor, *, name: str, permissions: Collection[str], description: str = ""
) -> NamedRole:
    """A new role of the organization, of permissions that the actor has there. Raises NameTaken, BeyondOwnRights."""
    async with scoped(engine.database, actor.organization_id) as tx:
        return await add(engine, tx, actor, name=name, permissions=permissions, description=description)


async def add(
    engine: Engine, tx: ScopedTx, actor: Actor, *, name: str, permissions: Collection[str], description: str
) -> NamedRole:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_ROLES)
    ensure_may_give(actor, permissions_of(_checked(permissions), None), None)
    role = await store.add(
        tx,
        actor.organization_id,
        role=RoleId(uuid7()),
        name=_free(engine, name),
        description=checked_description(description),
        permissions=frozenset(permissions),
        by=actor.id,
    )
    await record(engine, tx, actor, actor.organization_id, "role.created", role.id, **_told(role))
    return role


def _free(engine: Engine, name: str) -> str:
    """The name, if a role may have it. Raises Invalid, and NameTaken for what a grammar calls a role of the system."""
    checked = checked_name(name, what="role's name")
    taken = {each.casefold() for grammar in engine.grammars.values() for each in grammar.role_names}
    if checked.casefold() in taken:
        raise NameTaken("role", checked)
    return checked


async def edit_role(
    engine: Engine,
    actor: Actor,
    role: RoleId,
    *,
    name: str | None = None,
    permissions: Collection[str] | None = None,
    description: str | None = None,
) -> NamedRole:
    """Change a role; None leaves what is there. All that it could and can do must be the actor's own.

    Raises RoleOfSystem, RoleNotFound, NameTaken, BeyondOwnRights.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        return await change(engine, tx, actor, role, name=name, permissions=permissions, description=description)


async def change(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    role: RoleId,
    *,
    name: str | None,
    permissions: Collection[str] | None,
    description: str | None,
) -> NamedRole:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_ROLES)
    before = await changeable(tx, actor, role)
    wanted = before.permissions if permissions is None else _checked(permissions)
    ensure_may_give(actor, permissions_of([*before.permissions, *wanted], None), None)
    after = await store.change(
        tx,
        actor.organization_id,
        role,
        name=before.name if name is None or name == before.name else _free(engine, name),
        description=before.description if description is None else checked_description(description),
        permissions=frozenset(wanted),
        by=actor.id,
    )
    await record(engine, tx, actor, actor.organization_id, "role.updated", after.id, **_told(after))
    tx.after_commit(lambda: forget(engine))
    return after


async def delete_role(engine: Engine, actor: Actor, role: RoleId) -> None:
    """Delete a role that nobody has. Raises RoleInUse, RoleOfSystem, RoleNotFound, BeyondOwnRights."""
    async with scoped(engine.database, actor.organization_id) as tx:
        await remove(engine, tx, actor, role)


async def remove(engine: Engine, tx: ScopedTx, actor: Actor, role: RoleId) -> None:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_ROLES)
    before = await changeable(tx, actor, role)
    ensure_may_give(actor, permissions_of(before.permissions, None), None)
    if grants := await store.count_grants(tx, actor.organization_id, role):
        raise RoleInUse(grants)
    await store.delete(tx, actor.organization_id, role)
    await record(engine, tx, actor, actor.organization_id, "role.deleted", before.id, **_told(before))
    tx.after_commit(lambda: forget(engine))


async def changeable(tx: ScopedTx, actor: Actor, role: RoleId) -> NamedRole:
    """A role of the organization, locked. Raises RoleNotFound, RoleOfSystem."""
    found = await store.get(tx, actor.organization_id, role, lock="for update")
    if found is None:
        raise RoleNotFound
    if found.is_system:
        raise RoleOfSystem(found.name)
    return found


def _checked(permissions: Collection[str]) -> Collection[str]:
    """The names, if each is a permission or a grammar's own. Raises Invalid `UNKNOWN_PERMISSION`."""
    if len(permissions) > _MOST_PERMISSIONS:
        raise Invalid(f"a role has at most {_MOST_PERMISSIONS:,} permissions", code="TOO_MANY_PERMISSIONS")
    for name in permissions:
        if name not in _OURS and not _GRAMMARS.fullmatch(name):
            raise Invalid(f"there is no permission {name!r}", code="UNKNOWN_PERMISSION", name=name)
    return permissions


def checked_words(words: Collection[str]) -> Collection[str]:
    """Words of grammars' own, if each is one. Raises Invalid `UNKNOWN_WORD`."""
    for word in words:
        if not _GRAMMARS.fullmatch(word):
            raise Invalid(f"{word!r} is no word of a grammar's own: `grammar:word`", code="UNKNOWN_WORD", name=word)
    return words


def _told(role: NamedRole) -> dict[str, Any]:
    return {"name": role.name, "permissions": role.permissions}

"""The verbs of users as the organization has them: made with the roles that they hold in it, changed, deleted.

All take the writing of members in the organization; what is given or taken are roles, for which `grants` has the rule:
nobody gives, or takes, what they lack.
"""

from collections.abc import Collection

from msgspec import Struct

from controlroom.engine.access import store as access_store
from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import OwnAccount, RoleNotFound, UsernameTaken
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.actions import ensure_may_hand, kept_governed
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, Permission, Role
from controlroom.engine.access.names import checked_description, checked_name, checked_text
from controlroom.engine.access.passwords import hash_password
from controlroom.engine.access.record import record
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.roles.actions import checked_words, ensure_in_organization
from controlroom.engine.access.roles.model import OF_MEMBERS, RUNNER
from controlroom.engine.access.rules import ensure_may_give
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.users import store
from controlroom.engine.access.users.actions import governed, initial_password_key
from controlroom.engine.engine import Engine
from controlroom.ids import GrantId, RoleId, UserId, WorkspaceId, uuid7
from controlroom.postgres.errors import UniqueViolation


class Profile(Struct, frozen=True, kw_only=True):
    """What is told of a user; None leaves what is there."""

    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    description: str | None = None
    words: Collection[str] | None = None
    """A grammar's own, kept as they are: `grammar:word`."""


class Standing(Struct, frozen=True, kw_only=True):
    """How a user stands in the organization; None leaves what is there."""

    roles: Collection[RoleId] | None = None
    """All that they hold there by themselves."""
    runs_robots: bool | None = None
    """Whether robots run as them: a role of its own, which is not among the others."""
    is_disabled: bool | None = None


async def create(
    engine: Engine,
    actor: Actor,
    *,
    profile: Profile,
    password: str | None,
    standing: Standing,
    member_of: tuple[WorkspaceId, Role] | None = None,
    is_temporary: bool = False,
) -> UserId:
    """A new user of the organization, with a place in a workspace if one is given.

    A temporary password is for once: its user must choose another.

    Raises UsernameTaken, RoleNotFound, BeyondOwnRights.
    """
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    if member_of is not None:
        ensure_may_give(actor, PERMISSIONS_OF_ROLE[member_of[1]], member_of[0])
    checked = _checked(profile)
    name = checked_name(profile.username or "", what="user name")
    password_hash = None if password is None else await hash_password(password)
    async with scoped(engine.database, actor.organization_id) as tx:
        user = UserId(uuid7())
        await store.add_user(
            tx, user=user, organization=actor.organization_id, username=name, password_hash=password_hash
        )
        if password_hash is not None and is_temporary:
            await store.set_password_hash(tx, user, password_hash, is_temporary=True)
        await _tell(tx, actor, user, checked)
        await tx.execute("update app_user set created_by = updated_by, revision = 1 where id = %(user)s", user=user)
        await _stand(tx, actor, user, standing)
        if member_of is not None:
            workspace, role = member_of
            made = GrantId(uuid7())
            await grants.add_membership(
                tx, actor.organization_id, grant=made, workspace=workspace, user=user, role=role
            )
        await record(engine, tx, actor, actor.organization_id, "user.created", user, username=name)
    return user


async def edit(
    engine: Engine, actor: Actor, user: UserId, *, profile: Profile, password: str | None, standing: Standing
) -> None:
    """Change a user, one's own profile or that of somebody whom the actor may govern. A new password, and being
    disabled, end their sessions.

    How one stands takes the writing of members in the organization. Raises UserNotFound, UsernameTaken, RoleNotFound,
    BeyondOwnRights, LastAdmin, OwnAccount.
    """  # noqa: D205
    checked = _checked(profile)
    if standing.is_disabled and user == actor.id:
        raise OwnAccount
    password_hash = None if password is None else await hash_password(password)
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, None)
        if standing != Standing():
            ensure_in_organization(actor, Permission.WRITE_MEMBERS)
        await _tell(tx, actor, user, checked)
        if password_hash is not None:
            await store.set_password_hash(tx, user, password_hash)
            await store.end_sessions(tx, user)
            await access_store.delete_server_key(tx, initial_password_key(user))
        await _stand(tx, actor, user, standing)
        name = checked.username or account.username
        await record(engine, tx, actor, account.organization_id, "user.updated", user, username=name)
        tx.after_commit(lambda: forget(engine))


async def delete(engine: Engine, actor: Actor, user: UserId) -> None:
    """Delete a user, with their places, keys and sessions; what they did stays written, and their name is free again.

    Raises UserNotFound, OwnAccount, LastOwner, LastAdmin.
    """
    ensure_in_organization(actor, Permission.WRITE_MEMBERS)
    if user == actor.id:
        raise OwnAccount
    async with scoped(engine.database, actor.organization_id) as tx:
        account = await governed(tx, actor, user, None)
        async with kept_governed(tx, actor.organization_id, await _owned(tx, user)):
            await _end_places(tx, user)
        await store.end_sessions(tx, user)
        await access_store.delete_server_key(tx, initial_password_key(user))
        await _end(tx, user)
        await record(engine, tx, actor, account.organization_id, "user.deleted", user, username=account.username)
        tx.after_commit(lambda: forget(engine))


def _checked(profile: Profile) -> Profile:
    """The profile, if it is one. Raises Invalid."""
    if profile.username is not None:
        checked_name(profile.username, what="user name")
    checked_text(profile.first_name or "", what="first name")
    checked_text(profile.last_name or "", what="last name")
    checked_text(profile.email or "", what="mail address")
    checked_description(profile.description or "")
    checked_words(profile.words or ())
    return profile


async def _tell(tx: ScopedTx, actor: Actor, user: UserId, profile: Profile) -> None:
    try:
        await tx.execute(
            """
            update app_user
               set username = coalesce(%(username)s, username), first_name = coalesce(%(first_name)s, first_name),
                   last_name = coalesce(%(last_name)s, last_name), email = coalesce(%(email)s, email),
                   description = coalesce(%(description)s, description),
                   words = coalesce(%(words)s::text[], words), updated_at = clock_now(), revision = revision + 1,
                   updated_by = (select doer.id from app_user as doer where doer.id = %(by)s)
             where id = %(user)s
            """,
            user=user,
            by=actor.id,
            username=profile.username,
            first_name=profile.first_name,
            last_name=profile.last_name,
            email=profile.email,
            description=profile.description,
            words=None if profile.words is None else sorted(set(profile.words)),
        )
    except UniqueViolation as taken:
        raise UsernameTaken(profile.username or "") from taken


async def _stand(tx: ScopedTx, actor: Actor, user: UserId, standing: Standing) -> None:
    held = set(await _held(tx, user))
    wanted = held - {RUNNER} if standing.roles is None else set(standing.roles) - {RUNNER}
    if held & {RUNNER} if standing.runs_robots is None else standing.runs_robots:
        wanted.add(RUNNER)
    if wanted != held:
        async with kept_governed(tx, actor.organization_id, [None]):
            await give(tx, actor, user, wanted - held)
            await take(tx, actor, user, held - wanted)
    if standing.is_disabled is not None:
        await store.set_disabled(tx, user, disabled=standing.is_disabled)
        if standing.is_disabled:
            await store.end_sessions(tx, user)


async def give(tx: ScopedTx, actor: Actor, user: UserId, given: Collection[RoleId]) -> None:
    """Give a user roles in the organization, in the caller's transaction. Raises RoleNotFound, BeyondOwnRights."""
    for role in sorted(given):
        await _ensure_hands(tx, actor, role)
        await grants.add(
            tx,
            actor.organization_id,
            grant=GrantId(uuid7()),
            principal=Principal(PrincipalKind.USER, user),
            role=role,
            workspace=None,
        )


async def take(tx: ScopedTx, actor: Actor, user: UserId, taken: Collection[RoleId]) -> None:
    """Take roles in the organization from a user, likewise. The caller sees to it that an admin is left."""
    for role in sorted(taken):
        await _ensure_hands(tx, actor, role)
        await tx.execute(
            "delete from access_grant where user_id = %(user)s and role_id = %(role)s and workspace_id is null",
            user=user,
            role=role,
        )


async def _ensure_hands(tx: ScopedTx, actor: Actor, role: RoleId) -> None:
    found = await roles.get(tx, actor.organization_id, role, lock="for share")
    if found is None:
        raise RoleNotFound
    await ensure_may_hand(tx, actor, found, None)


async def _held(tx: ScopedTx, user: UserId) -> list[RoleId]:
    return await tx.all(
        RoleId, "select role_id from access_grant where user_id = %(user)s and workspace_id is null", user=user
    )


async def _owned(tx: ScopedTx, user: UserId) -> list[WorkspaceId | None]:
    """Where a user is an owner, in the order of locking, the organization last."""
    owned: list[WorkspaceId | None] = await tx.all(
        WorkspaceId,
        """
        select workspace_id from access_grant
         where user_id = %(user)s and role_id = %(owner)s and workspace_id is not null
         order by workspace_id
        """,
        user=user,
        owner=OF_MEMBERS[Role.OWNER],
    )
    return [*owned, None]


async def _end_places(tx: ScopedTx, user: UserId) -> None:
    await tx.execute("delete from access_grant where user_id = %(user)s", user=user)
    await tx.execute("delete from user_group_member where user_id = %(user)s", user=user)


async def _end(tx: ScopedTx, user: UserId) -> None:
    await tx.execute("delete from saved_view where user_id = %(user)s and not is_shared", user=user)
    await tx.execute("delete from credential where user_id = %(user)s", user=user)
    await tx.execute(
        """
        update app_user set deleted_at = clock_now(), disabled_at = coalesce(disabled_at, clock_now()),
                            password_hash = null
         where id = %(user)s
        """,
        user=user,
    )

"""Statements on users."""

from msgspec import Struct

from controlroom.engine.access.errors import UsernameTaken
from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import User
from controlroom.engine.access.roles.model import ADMIN
from controlroom.ids import OrganizationId, UserId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

_USER = f"""app_user.id, app_user.number, app_user.organization_id, app_user.username, app_user.first_name,
    app_user.last_name, app_user.email, app_user.created_at, app_user.disabled_at,
    exists (select from {OF_USER} as held where held.role_id = '{ADMIN}' and held.workspace_id is null) as is_admin"""


class Login(Struct, frozen=True, kw_only=True):
    """A user who may be the one that logs in."""

    id: UserId
    password_hash: str | None


async def logins(tx: Statements, *, username: str, organization: OrganizationId | None) -> list[Login]:
    """Users of this name, whatever its case, who are not disabled."""
    return await tx.all(
        Login,
        """
        select id, password_hash from app_user
         where lower(username) = lower(%(username)s) and disabled_at is null and deleted_at is null
           and (%(organization)s::uuid is null or organization_id = %(organization)s)
         order by id limit 8
        """,
        username=username,
        organization=organization,
    )


async def end_sessions(tx: Statements, user: UserId) -> None:
    """Log a user out, wherever they are."""
    await tx.execute("delete from user_session where user_id = %(user)s", user=user)


async def add_user(
    tx: Statements,
    *,
    user: UserId,
    organization: OrganizationId,
    username: str,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    password_hash: str | None,
) -> User:
    """Write a new user. Raises UsernameTaken, upon which the transaction is lost."""
    try:
        return await tx.one(
            User,
            f"""
            insert into app_user (id, organization_id, username, first_name, last_name, email, password_hash)
            values (%(user)s, %(organization)s, %(username)s, %(first_name)s, %(last_name)s, %(email)s,
                    %(password_hash)s)
            returning {_USER}
            """,
            user=user,
            organization=organization,
            username=username,
            first_name=first_name,
            last_name=last_name,
            email=email,
            password_hash=password_hash,
        )
    except UniqueViolation as taken:
        raise UsernameTaken(username) from taken


async def user(tx: Statements, organization: OrganizationId, user: UserId) -> User | None:
    """One user of the organization."""
    return await tx.one_or_none(
        User,
        f"""
        select {_USER} from app_user
         where id = %(user)s and organization_id = %(organization)s and deleted_at is null
        """,
        user=user,
        organization=organization,
    )


async def is_among(tx: Statements, organization: OrganizationId, user: UserId, among: list[WorkspaceId]) -> bool:
    """Whether a user of the organization has a place in one of these workspaces."""
    found: bool = await tx.value(
        f"""
        select exists (select from app_user
                        where app_user.id = %(user)s and organization_id = %(organization)s
                          and exists (select from {OF_USER} as held where held.workspace_id = any (%(among)s)))
        """,
        user=user,
        organization=organization,
        among=among,
    )
    return found


async def list_users(
    tx: Statements, organization: OrganizationId, *, among: list[WorkspaceId] | None, after: UserId | None, limit: int
) -> list[User]:
    """Users of the organization (only those with a place in one of `among`), by the time of their making."""
    return await tx.all(
        User,
        f"""
        select {_USER} from app_user
         where organization_id = %(organization)s and deleted_at is null
           and (%(after)s::uuid is null or id > %(after)s)
           and (%(among)s::uuid[] is null
                or exists (select from {OF_USER} as held where held.workspace_id = any (%(among)s)))
         order by id limit %(limit)s
        """,
        organization=organization,
        among=among,
        after=after,
        limit=limit,
    )


async def set_password_hash(tx: Statements, user: UserId, password_hash: str, *, is_temporary: bool = False) -> None:
    """Write the hash of a new password; a temporary one its user must change before it opens anything else."""
    await tx.execute(
        """
        update app_user set password_hash = %(password_hash)s, password_is_temporary = %(is_temporary)s
         where id = %(user)s
        """,
        user=user,
        password_hash=password_hash,
        is_temporary=is_temporary,
    )


async def set_disabled(tx: Statements, user: UserId, *, disabled: bool) -> None:
    """Disable a user, or enable them again. The time of the first disabling stays."""
    await tx.execute(
        """
        update app_user set disabled_at = case when %(disabled)s then coalesce(disabled_at, clock_now()) end
         where id = %(user)s
        """,
        user=user,
        disabled=disabled,
    )


async def user_id_by_name(tx: Statements, organization: OrganizationId, username: str) -> UserId | None:
    """Who has this name in the organization, whatever its case."""
    found: UserId | None = await tx.value(
        """
        select id from app_user
         where organization_id = %(organization)s and lower(username) = lower(%(username)s) and deleted_at is null
        """,
        organization=organization,
        username=username,
    )
    return found


async def is_user_named(tx: Statements, username: str) -> bool:
    """Whether anybody in any organization has this name, whatever its case."""
    named: bool = await tx.value(
        "select exists (select from app_user where lower(username) = lower(%(username)s) and deleted_at is null)",
        username=username,
    )
    return named

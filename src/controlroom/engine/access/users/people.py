"""Users as a directory shows them: with the roles that they hold in the organization, and what may be told of them.

The list is of the organization: `within=throughout(actor, Permission.READ_MEMBERS)`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.model import Actor, ActorKind, Granted, Permission
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.roles.model import RUNNER
from controlroom.engine.access.rules import union
from controlroom.engine.access.scope import Scope
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.lists.words import literal
from controlroom.ids import OrganizationId, RoleId, UserId, WorkspaceId
from controlroom.postgres.database import Statements


class HeldRole(Struct, frozen=True):
    """A role that a user was given by themselves, in the organization."""

    id: RoleId
    number: int
    name: str


class Person(Struct, frozen=True, kw_only=True):
    """A user of the organization."""

    id: UserId
    number: int
    organization_id: OrganizationId
    username: str
    first_name: str
    last_name: str
    email: str
    description: str
    words: list[str]
    """A grammar's own, kept as they were given: `grammar:word`."""
    has_password: bool
    created_at: datetime
    created_by: int | None
    """The number of the user who did it; None: nobody who is a user."""
    updated_at: datetime
    updated_by: int | None
    revision: int
    logged_in_at: datetime | None
    disabled_at: datetime | None
    key_created_at: datetime | None
    key_expires_at: datetime | None
    groups: list[str]
    """Names of the groups that they are in."""
    roles: list[HeldRole]
    granted: list[Granted]
    """By themselves, their groups, and their roles."""
    workspaces: list[WorkspaceId]
    """Those of their grants, and for one in the organization all, as far as they are there."""

    def to_actor(self) -> Actor:
        """What they may do, for rules that ask an actor."""
        held = union(self.granted, set(self.workspaces))
        return Actor(
            kind=ActorKind.USER,
            id=self.id,
            name=self.username,
            organization_id=self.organization_id,
            grants=held.workspaces,
            throughout=held.throughout,
            words=held.words,
        )


def _number_of(column: str) -> str:
    return f"(select maker.number from app_user as maker where maker.id = app_user.{column})"


_OF_NEWEST_KEY: Final = """(select credential.{} from credential
                 where credential.user_id = app_user.id and credential.kind = 'user_key'
                 order by credential.id desc limit 1)"""

PEOPLE: Final = Listing(
    noun="users",
    table="app_user",
    columns=f"""app_user.id, app_user.number, app_user.organization_id, app_user.username, app_user.first_name,
           app_user.last_name, app_user.email, app_user.description, app_user.words,
           app_user.password_hash is not null as has_password, app_user.created_at, app_user.updated_at,
           {_number_of("created_by")} as created_by,
           {_number_of("updated_by")} as updated_by,
           app_user.revision, app_user.logged_in_at, app_user.disabled_at,
           user_key.created_at as key_created_at, user_key.expires_at as key_expires_at,
           coalesce((select jsonb_agg(user_group.name order by user_group.name)
                       from user_group_member join user_group on user_group.id = user_group_member.user_group_id
                      where user_group_member.user_id = app_user.id), '[]') as groups,
           coalesce((select jsonb_agg(jsonb_build_object('id', role.id, 'number', role.number, 'name', role.name)
                                      order by role.id)
                       from access_grant join role on role.id = access_grant.role_id
                      where access_grant.user_id = app_user.id and access_grant.workspace_id is null
                        and access_grant.role_id <> '{RUNNER}' and not role.is_set), '[]') as roles,
           coalesce(held.granted, '[]') as granted,
           coalesce((select jsonb_agg(workspace.id) from workspace
                      where workspace.organization_id = app_user.organization_id and workspace.deleted_at is null
                        and (held.is_wide or workspace.id = any (held.workspaces))), '[]') as workspaces""",
    joins=f"""left join lateral (
           select credential.created_at, credential.expires_at from credential
            where credential.user_id = app_user.id and credential.kind = 'user_key'
            order by credential.id desc limit 1) as user_key on true
      cross join lateral (
           select jsonb_agg(jsonb_build_array(held.workspace_id, role.permissions)) as granted,
                  array_agg(held.workspace_id) as workspaces, bool_or(held.workspace_id is null) as is_wide
             from {OF_USER} as held join role on role.id = held.role_id) as held""",
    tenant="app_user.organization_id",
    always="app_user.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("username", Kind.TEXT, is_sortable=True),
        Field("first_name", Kind.TEXT, is_sortable=True),
        Field("last_name", Kind.TEXT, is_sortable=True),
        Field("email", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("is_disabled", Kind.TRUTH, column="(app_user.disabled_at is not null)", is_sortable=True),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by", Kind.INTEGER, column=_number_of("created_by"), is_nullable=True),
        Field("updated_by", Kind.INTEGER, column=_number_of("updated_by"), is_nullable=True),
        Field("has_password", Kind.TRUTH, column="(app_user.password_hash is not null)"),
        Field("logged_in_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("has_email", Kind.TRUTH, column="(app_user.email <> '')"),
        Field(
            "key_created_at",
            Kind.INSTANT,
            column=_OF_NEWEST_KEY.format("created_at"),
            is_nullable=True,
            is_sortable=True,
        ),
        Field(
            "key_expires_at",
            Kind.INSTANT,
            column=_OF_NEWEST_KEY.format("expires_at"),
            is_nullable=True,
            is_sortable=True,
        ),
    ),
)


def with_words(flags: Mapping[str, str], texts: Mapping[str, str]) -> Listing:
    """The list that is filtered by the words of users, too, as a grammar writes them.

    `flags` are fields by the word that they have where it holds, `texts` by the beginning of the word that tells them.
    """
    words = "jsonb_array_elements_text(to_jsonb(app_user.words)) as word (text)"
    fields = [
        *(
            Field(name, Kind.TRUTH, column=f"exists (select from {words} where word.text = {literal(word)})")
            for name, word in flags.items()
        ),
        *(
            Field(
                name,
                Kind.TEXT,
                column=f"""coalesce((select substr(word.text, {len(start) + 1}) from {words}
                            where starts_with(word.text, {literal(start)}) limit 1), '')""",
                is_sortable=True,
            )
            for name, start in texts.items()
        ),
    ]
    return replace(PEOPLE, fields=(*PEOPLE.fields, *fields))


async def email_of(db: Statements, scope: Scope, user: UserId) -> str:
    """The address of mail of a user of the organization; empty for one without."""
    found: str | None = await db.value(
        """
        select email from app_user
         where id = %(user)s and organization_id = %(organization)s and deleted_at is null
        """,
        user=user,
        organization=scope.organization,
    )
    return found or ""


async def person(engine: Engine, actor: Actor, user: UserId) -> Person:
    """One user, for who reads members in the organization, and for themselves. Raises UserNotFound."""
    if actor.id != user:
        ensure_in_organization(actor, Permission.READ_MEMBERS)
    found = await engine.database.one_or_none(
        Person,
        f"""
        {PEOPLE.select}
         where app_user.id = %(user)s and app_user.organization_id = %(organization)s and {PEOPLE.always}
        """,
        user=user,
        organization=actor.organization_id,
    )
    if found is None:
        raise UserNotFound
    return found

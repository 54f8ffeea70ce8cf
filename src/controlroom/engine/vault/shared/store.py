"""Statements on secrets of the organization, and on their attributes."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.vault.errors import AttributeNotFound, SharedSecretNotFound
from controlroom.engine.vault.lockers.model import Asker, LockerRight, Standing
from controlroom.engine.vault.lockers.store import CONSUMED_BY_USER
from controlroom.engine.vault.shared.model import AttributeDefinition, SecretStanding, SharedSecret
from controlroom.ids import AttributeId, LockerId, OrganizationId, SharedSecretId, UserId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

SHARED_SECRET: Final = Noun[SharedSecretId](
    "shared secret",
    lambda _: SharedSecretNotFound(),
    "shared_secret",
    InOrganization("shared_secret.organization_id"),
    name="shared_secret.name",
)
ATTRIBUTE: Final = Noun[AttributeId](
    "secret attribute",
    lambda _: AttributeNotFound(),
    "secret_attribute",
    InOrganization("shared_secret.organization_id"),
    joined="join shared_secret on shared_secret.id = secret_attribute.shared_secret_id",
)

_ATTRIBUTES = """(
    select coalesce(jsonb_agg(jsonb_build_object(
               'id', secret_attribute.id, 'number', secret_attribute.number, 'name', secret_attribute.name,
               'description', secret_attribute.description, 'is_user_provided', secret_attribute.is_user_provided,
               'is_masked', secret_attribute.is_masked, 'is_password', secret_attribute.is_password,
               'revision', secret_attribute.revision,
               'created_at', secret_attribute.created_at, 'updated_at', secret_attribute.updated_at,
               'created_by_number', (select number from app_user where app_user.id = secret_attribute.created_by),
               'updated_by_number', (select number from app_user where app_user.id = secret_attribute.updated_by))
           order by secret_attribute.position), '[]')
      from secret_attribute where secret_attribute.shared_secret_id = shared_secret.id)"""

_CONSUMERS = """(
    with consuming as (
        select role_id from locker_consumer where locker_consumer.locker_id = shared_secret.locker_id
         union
        select holder_role_id from locker_consumer join access_grant using (role_id)
         where locker_consumer.locker_id = shared_secret.locker_id and holder_role_id is not null
           and access_grant.organization_id = shared_secret.organization_id
    ), granted as (
        select access_grant.user_id, access_grant.user_group_id from consuming join access_grant using (role_id)
         where access_grant.organization_id = shared_secret.organization_id
    )
    select user_id from granted where user_id is not null
     union
    select user_group_member.user_id from granted join user_group_member using (user_group_id))"""
"""The users who hold a role that uses the locker of a `shared_secret`: (user_id)."""

IS_COMPLETED = f"""not exists (
    select from secret_attribute
     where secret_attribute.shared_secret_id = shared_secret.id
       and case when secret_attribute.is_user_provided then exists (
                select from (select user_id from {_CONSUMERS} as consumers
                              union
                             select shared_secret.owner_id
                              where not exists (select from {_CONSUMERS} as consumers)) as owing
                  join app_user on app_user.id = owing.user_id and app_user.disabled_at is null
                 where not exists (
                       select from secret_value
                        where secret_value.attribute_id = secret_attribute.id
                          and secret_value.user_id = owing.user_id))
           else not exists (
                select from secret_value where secret_value.attribute_id = secret_attribute.id) end)"""

COLUMNS: Final = f"""shared_secret.id, shared_secret.number, shared_secret.name, shared_secret.description,
    shared_secret.owner_id, owner.number as owner_number, owner.username as owner_name,
    shared_secret.locker_id, locker.number as locker_number, locker.name as locker_name, shared_secret.revision,
    shared_secret.created_by, author.number as created_by_number, shared_secret.created_at,
    shared_secret.updated_by, editor.number as updated_by_number, shared_secret.updated_at,
    {_ATTRIBUTES} as attributes, {IS_COMPLETED} as is_completed"""

JOINS: Final = """join app_user as owner on owner.id = shared_secret.owner_id
    left join locker on locker.id = shared_secret.locker_id
    left join app_user as author on author.id = shared_secret.created_by
    left join app_user as editor on editor.id = shared_secret.updated_by"""

VISIBLE: Final = f"""(
    select shared_secret.id from shared_secret
     where shared_secret.organization_id = %(organization)s
       and (%(governs)s or shared_secret.owner_id = %(user)s
            or shared_secret.locker_id in (select locker_id from locker_member
                                            where user_id = %(user)s and rights && '{{manage,own}}')
            or shared_secret.locker_id in {CONSUMED_BY_USER})
       and (%(consumed)s::boolean is null
            or coalesce(shared_secret.locker_id in {CONSUMED_BY_USER}, false) = %(consumed)s))"""
"""The secrets that an asker may know of; those that they consume, or do not, if that is asked."""


class _Found(Struct, frozen=True):
    is_owner: bool
    rights: list[LockerRight]
    consumes: bool
    revision: int
    owner_id: UserId
    locker_id: LockerId | None


class Held(Struct, frozen=True):
    """What somebody is to a secret, and what decides about it."""

    standing: SecretStanding
    revision: int
    owner: UserId
    locker: LockerId | None


async def standing(tx: Statements, asker: Asker, secret: SharedSecretId, *, lock: bool = False) -> Held | None:
    """What the asker is to a secret of the organization; locked for changing it. None: there is no such."""
    found = await tx.one_or_none(
        _Found,
        f"""
        select shared_secret.revision, shared_secret.owner_id, shared_secret.locker_id,
               (shared_secret.owner_id = %(user)s) is true as is_owner,
               coalesce((select rights from locker_member
                          where locker_member.locker_id = shared_secret.locker_id
                            and locker_member.user_id = %(user)s), '{{}}') as rights,
               (shared_secret.locker_id in {CONSUMED_BY_USER}) is true as consumes
          from shared_secret
         where shared_secret.id = %(secret)s and shared_secret.organization_id = %(organization)s
        """
        + ("for update of shared_secret" if lock else ""),
        secret=secret,
        organization=asker.organization,
        user=asker.user,
    )
    if found is None:
        return None
    locker = Standing.of(asker, found.rights, consumes=found.consumes)
    about = SecretStanding(is_owner=found.is_owner, locker=locker, reveals=asker.reveals)
    return Held(about, found.revision, found.owner_id, found.locker_id)


async def get(tx: Statements, organization: OrganizationId, secret: SharedSecretId) -> SharedSecret | None:
    """One secret of the organization."""
    return await tx.one_or_none(
        SharedSecret,
        f"""
        select {COLUMNS} from shared_secret {JOINS}
         where shared_secret.id = %(secret)s and shared_secret.organization_id = %(organization)s
        """,
        secret=secret,
        organization=organization,
    )


async def owned(tx: Statements, organization: OrganizationId, name: str, owner: UserId) -> SharedSecretId | None:
    """The secret of a name that a user owns."""
    found: SharedSecretId | None = await tx.value(
        """
        select id from shared_secret
         where organization_id = %(organization)s and name = %(name)s and owner_id = %(owner)s
        """,
        organization=organization,
        name=name,
        owner=owner,
    )
    return found


async def in_locker(tx: Statements, organization: OrganizationId, locker: LockerId) -> list[SharedSecret]:
    """What is in a locker, oldest first."""
    return await tx.all(
        SharedSecret,
        f"""
        select {COLUMNS} from shared_secret {JOINS}
         where shared_secret.locker_id = %(locker)s and shared_secret.organization_id = %(organization)s
         order by shared_secret.id
        """,
        locker=locker,
        organization=organization,
    )


async def add(
    tx: ScopedTx, asker: Asker, secret: SharedSecretId, *, name: str, description: str, owner: UserId
) -> bool:
    """Write a new secret; False if there is no such owner. Raises NameTaken: the transaction is lost."""
    try:
        return (
            await tx.execute(
                """
                insert into shared_secret (id, organization_id, name, description, owner_id, created_by, updated_by)
                select %(secret)s, organization_id, %(name)s, %(description)s, id, %(user)s, %(user)s
                  from app_user
                 where id = %(owner)s and organization_id = %(organization)s and deleted_at is null
                """,
                secret=secret,
                organization=asker.organization,
                name=name,
                description=description,
                owner=owner,
                user=asker.user,
            )
            > 0
        )
    except UniqueViolation as taken:
        raise NameTaken("secret", name) from taken


async def set_owner(tx: ScopedTx, asker: Asker, secret: SharedSecretId, owner: UserId) -> bool:
    """Give a locked secret to a user of the organization; False if there is no such user. Its next revision."""
    return (
        await tx.execute(
            """
            update shared_secret set owner_id = app_user.id, revision = shared_secret.revision + 1,
                                     updated_by = %(user)s, updated_at = clock_now()
              from app_user
             where shared_secret.id = %(secret)s and shared_secret.organization_id = %(organization)s
               and app_user.id = %(owner)s and app_user.organization_id = %(organization)s
               and app_user.deleted_at is null
            """,
            secret=secret,
            organization=asker.organization,
            owner=owner,
            user=asker.user,
        )
        > 0
    )


async def put_into(tx: ScopedTx, asker: Asker, secret: SharedSecretId, locker: LockerId | None) -> None:
    """Put a locked secret into a locker, or (None) into none. Its next revision."""
    await tx.execute(
        """
        update shared_secret set locker_id = %(locker)s, revision = revision + 1,
                                 updated_by = %(user)s, updated_at = clock_now()
         where id = %(secret)s and organization_id = %(organization)s
        """,
        secret=secret,
        organization=asker.organization,
        locker=locker,
        user=asker.user,
    )


async def add_attributes(
    tx: ScopedTx, asker: Asker, secret: SharedSecretId, attributes: Sequence[tuple[int, AttributeDefinition]]
) -> None:
    """Write new attributes of a locked secret, each with its place."""
    await tx.execute(
        """
        insert into secret_attribute (id, shared_secret_id, position, name, description, is_user_provided, is_masked,
                                      is_password, created_by, updated_by)
        select id, %(secret)s, position, name, description, is_user_provided, is_masked, is_password, %(user)s, %(user)s
          from unnest(%(ids)s::uuid[], %(positions)s::int[], %(names)s::text[], %(descriptions)s::text[],
                      %(provided)s::boolean[], %(masked)s::boolean[], %(passwords)s::boolean[])
               as given (id, position, name, description, is_user_provided, is_masked, is_password)
        """,
        secret=secret,
        user=asker.user,
        ids=[uuid7() for _ in attributes],
        positions=[position for position, _ in attributes],
        names=[each.name for _, each in attributes],
        descriptions=[each.description for _, each in attributes],
        provided=[each.is_user_provided for _, each in attributes],
        masked=[each.is_masked for _, each in attributes],
        passwords=[each.is_password for _, each in attributes],
    )


async def change_attribute(
    tx: ScopedTx, asker: Asker, attribute: AttributeId, position: int, wanted: AttributeDefinition
) -> None:
    """Write what an attribute of a locked secret is; its next revision, if anything is otherwise.

    Values that were of users do not become everybody's, nor the other way round: they are gone.
    """
    await tx.execute(
        """
        with unfit as (
            delete from secret_value
             where attribute_id = %(attribute)s and (user_id is not null) <> %(is_user_provided)s
        )
        update secret_attribute
           set position = %(position)s, name = %(name)s, description = %(description)s,
               is_user_provided = %(is_user_provided)s, is_masked = %(is_masked)s, is_password = %(is_password)s,
               revision = revision + 1, updated_by = %(user)s, updated_at = clock_now()
         where id = %(attribute)s
           and (position, name, description, is_user_provided, is_masked, is_password)
               <> (%(position)s, %(name)s, %(description)s, %(is_user_provided)s, %(is_masked)s, %(is_password)s)
        """,
        attribute=attribute,
        user=asker.user,
        position=position,
        name=wanted.name,
        description=wanted.description,
        is_user_provided=wanted.is_user_provided,
        is_masked=wanted.is_masked,
        is_password=wanted.is_password,
    )


async def keep_attributes(tx: ScopedTx, secret: SharedSecretId, kept: Sequence[AttributeId]) -> None:
    """Remove the attributes of a locked secret but some, with their values."""
    await tx.execute(
        "delete from secret_attribute where shared_secret_id = %(secret)s and not id = any(%(kept)s::uuid[])",
        secret=secret,
        kept=list(kept),
    )

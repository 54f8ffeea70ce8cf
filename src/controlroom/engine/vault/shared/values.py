"""Values of secrets of the organization: sealed, bound to attribute and user, opened by verbs that are audited."""

from typing import Any, Final

from msgspec import Struct

from controlroom.engine.access.grants.store import OF_USER
from controlroom.engine.access.scope import SEEN, Robot, ScopedTx
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.engine.vault.errors import ValueNotFound
from controlroom.engine.vault.lockers.model import Asker
from controlroom.engine.vault.lockers.store import CONSUMED_BY_USER
from controlroom.engine.vault.shared.model import SealedValue
from controlroom.ids import AttributeId, SecretValueId, SharedSecretId, UserId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

VALUE: Final = Noun[SecretValueId](
    "secret value",
    lambda _: ValueNotFound(),
    "secret_value",
    InOrganization("shared_secret.organization_id"),
    joined="""join secret_attribute on secret_attribute.id = secret_value.attribute_id
      join shared_secret on shared_secret.id = secret_attribute.shared_secret_id""",
)

_VALUE = """
    select secret_value.id, secret_value.number, secret_value.attribute_id,
           secret_attribute.number as attribute_number, secret_attribute.name as attribute_name,
           secret_attribute.is_masked, secret_attribute.is_password,
           secret_value.user_id, holder.number as user_number, holder.username,
           secret_value.sealed, secret_value.revision,
           author.number as created_by_number, secret_value.created_at,
           editor.number as updated_by_number, secret_value.updated_at
      from secret_value
      join secret_attribute on secret_attribute.id = secret_value.attribute_id
      left join app_user as holder on holder.id = secret_value.user_id
      left join app_user as author on author.id = secret_value.created_by
      left join app_user as editor on editor.id = secret_value.updated_by
"""


def seal(keys: Keys, attribute: AttributeId, user: UserId | None, value: str) -> bytes:
    """The value as it is stored: nobody can move it to another attribute, or to another user."""
    return keys.seal(value.encode(), place=_place(attribute, user))


def opened(keys: Keys, row: SealedValue) -> str:
    """What was sealed."""
    return keys.unseal(row.sealed, place=_place(row.attribute_id, row.user_id)).decode()


async def of_secret(
    tx: Statements, secret: SharedSecretId, *, attribute: AttributeId | None, user: UserId | None
) -> list[SealedValue]:
    """The values of a secret that the caller has found; of one attribute, or of one user, if that is asked."""
    return await tx.all(
        SealedValue,
        f"""
        {_VALUE}
         where secret_attribute.shared_secret_id = %(secret)s
           and (%(attribute)s::uuid is null or secret_attribute.id = %(attribute)s)
           and (%(whose)s::uuid is null or secret_value.user_id = %(whose)s)
         order by secret_attribute.position, secret_value.id
        """,
        secret=secret,
        attribute=attribute,
        whose=user,
    )


async def given(tx: Statements, secret: SharedSecretId, user: UserId | None) -> list[AttributeId]:
    """Of which attributes of a secret that the caller has found there is a value: everybody's, or the user's own."""
    return await tx.all(
        AttributeId,
        """
        select distinct secret_attribute.id
          from secret_value join secret_attribute on secret_attribute.id = secret_value.attribute_id
         where secret_attribute.shared_secret_id = %(secret)s
           and (secret_value.user_id is null or secret_value.user_id = %(user)s)
        """,
        secret=secret,
        user=user,
    )


async def get(tx: Statements, secret: SharedSecretId, value: SecretValueId) -> SealedValue | None:
    """One value of a secret that the caller has found."""
    return await tx.one_or_none(
        SealedValue,
        f"{_VALUE} where secret_value.id = %(value)s and secret_attribute.shared_secret_id = %(secret)s",
        secret=secret,
        value=value,
    )


async def lock(tx: ScopedTx, secret: SharedSecretId, value: SecretValueId) -> SealedValue | None:
    """One value of a secret that the caller has found, locked."""
    return await tx.one_or_none(
        SealedValue,
        f"""
        {_VALUE}
         where secret_value.id = %(value)s and secret_attribute.shared_secret_id = %(secret)s
           for update of secret_value
        """,
        secret=secret,
        value=value,
    )


async def add(tx: ScopedTx, asker: Asker, attribute: AttributeId, user: UserId | None, sealed: bytes) -> bool:
    """Write a value where there is none; whether there was none."""
    return (
        await tx.execute(
            """
            insert into secret_value (id, attribute_id, user_id, sealed, created_by, updated_by)
            values (uuid_made_at(clock_timestamp()), %(attribute)s, %(whose)s, %(sealed)s, %(user)s, %(user)s)
            on conflict do nothing
            """,
            attribute=attribute,
            whose=user,
            sealed=sealed,
            user=asker.user,
        )
        > 0
    )


async def put(tx: ScopedTx, asker: Asker, attribute: AttributeId, user: UserId | None, sealed: bytes) -> None:
    """Write a value of an attribute, whether there is one or not."""
    await tx.execute(
        """
        insert into secret_value (id, attribute_id, user_id, sealed, created_by, updated_by)
        values (uuid_made_at(clock_timestamp()), %(attribute)s, %(whose)s, %(sealed)s, %(user)s, %(user)s)
        on conflict (attribute_id, user_id) do update
           set sealed = excluded.sealed, revision = secret_value.revision + 1,
               updated_by = excluded.updated_by, updated_at = clock_now()
        """,
        attribute=attribute,
        whose=user,
        sealed=sealed,
        user=asker.user,
    )


async def change(tx: ScopedTx, asker: Asker, value: SecretValueId, sealed: bytes) -> None:
    """Write another value in the place of a locked one; its next revision."""
    await tx.execute(
        """
        update secret_value set sealed = %(sealed)s, revision = revision + 1,
                                updated_by = %(user)s, updated_at = clock_now()
         where id = %(value)s
        """,
        value=value,
        sealed=sealed,
        user=asker.user,
    )


async def delete(tx: ScopedTx, value: SecretValueId) -> None:
    """Remove a locked value."""
    await tx.execute("delete from secret_value where id = %(value)s", value=value)


class Usable(SealedValue, frozen=True, kw_only=True):
    """A value, encrypted, and of which secret it is."""

    secret_id: SharedSecretId
    secret_name: str


async def usable(tx: Statements, asker: Asker, attribute: AttributeId) -> Usable | None:
    """The value of an attribute of a secret that the asker owns or consumes: everybody's, or their own."""
    return await tx.one_or_none(
        Usable,
        f"""
        select found.*, shared_secret.id as secret_id, shared_secret.name as secret_name
          from ({_VALUE}
                 where secret_attribute.id = %(attribute)s
                   and (secret_value.user_id is null or secret_value.user_id = %(user)s)) as found
          join secret_attribute on secret_attribute.id = found.attribute_id
          join shared_secret on shared_secret.id = secret_attribute.shared_secret_id
         where shared_secret.organization_id = %(organization)s
           and (shared_secret.owner_id = %(user)s or shared_secret.locker_id in {CONSUMED_BY_USER} or %(reveals)s)
        """,
        attribute=attribute,
        organization=asker.organization,
        user=asker.user,
        reveals=asker.reveals,
    )


class Readable(Struct, frozen=True):
    """A secret that a robot may read, and as whom it runs."""

    id: SharedSecretId
    name: str
    description: str
    user_id: UserId
    username: str


async def readable(tx: Statements, robot: Robot, name: str) -> Readable | None:
    """The secret of this name, if the robot's attempt lives and runs as a user who owns or consumes it.

    A user consumes what is in a locker by a role that they hold in the organization, or in the robot's workspace.
    """
    return await tx.one_or_none(
        Readable,
        f"""
        select shared_secret.id, shared_secret.name, shared_secret.description,
               app_user.id as user_id, app_user.username
          from step_run
          join app_user on app_user.id = step_run.run_as and app_user.disabled_at is null
          join shared_secret on shared_secret.organization_id = app_user.organization_id
         where step_run.id = %(reader)s and step_run.workspace_id = {SEEN}
           and shared_secret.organization_id = %(organization)s and shared_secret.name = %(name)s
           and (shared_secret.owner_id = app_user.id or exists (
                select from {OF_USER} as held join locker_consumer on locker_consumer.role_id = held.role_id
                 where locker_consumer.locker_id = shared_secret.locker_id
                   and (held.workspace_id is null or held.workspace_id = step_run.workspace_id)))
        """,
        reader=robot.step_run,
        name=name,
        **robot.params,
    )


async def values_for(tx: ScopedTx, keys: Keys, secret: SharedSecretId, user: UserId) -> dict[str, Any]:
    """The values of a secret by the names of its attributes, as a robot gets them who runs as a user.

    An attribute that has no value (yet) is not there.
    """
    rows = await tx.all(
        SealedValue,
        f"""
        {_VALUE}
         where secret_attribute.shared_secret_id = %(secret)s
           and (secret_value.user_id is null or secret_value.user_id = %(whose)s)
         order by secret_attribute.position
        """,
        secret=secret,
        whose=user,
    )
    return {row.attribute_name: opened(keys, row) for row in rows}


def _place(attribute: AttributeId, user: UserId | None) -> str:
    return f"secret_value/{attribute}/{user or 'everybody'}"

"""Statements on users' pairs of identifier and secret."""

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.access.users.model import UserCredential
from controlroom.ids import UserCredentialId, UserId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first


def place_of_user_credential(credential: UserCredentialId) -> str:
    """Where a sealed secret of a pair belongs."""
    return f"user_credential/{credential}/secret"


_CREDENTIAL = "id, number, user_id, name, identifier, created_at, used_at"


async def add_credential(
    tx: ScopedTx, *, credential: UserCredentialId, user: UserId, name: str, identifier: str, sealed: bytes
) -> UserCredential | None:
    """Write a new pair; None if another has the identifier."""
    return await tx.one_or_none(
        UserCredential,
        f"""
        insert into credential (id, kind, organization_id, user_id, name, identifier, sealed)
        select %(credential)s, 'user_credential', organization_id, id, %(name)s, %(identifier)s, %(sealed)s
          from app_user where id = %(user)s
        on conflict (identifier) do nothing
        returning {_CREDENTIAL}
        """,
        credential=credential,
        user=user,
        name=name,
        identifier=identifier,
        sealed=sealed,
    )


async def list_credentials(
    tx: ScopedTx, user: UserId, *, after: UserCredentialId | None, limit: int
) -> list[UserCredential]:
    """A user's pairs without their secrets, oldest first."""
    return await tx.all(
        UserCredential,
        f"""
        select {_CREDENTIAL} from credential
         where user_id = %(user)s and kind = 'user_credential'
         {oldest_first("id")}
        """,
        user=user,
        after=after,
        limit=limit,
    )


async def delete_credential(tx: ScopedTx, user: UserId, credential: UserCredentialId) -> bool:
    """Remove a pair of this user; whether there was one."""
    return (
        await tx.execute(
            "delete from credential where id = %(credential)s and user_id = %(user)s and kind = 'user_credential'",
            credential=credential,
            user=user,
        )
        > 0
    )


async def owner_of_credential(tx: Statements, credential: UserCredentialId) -> UserId | None:
    """Whose pair it is; None if it was deleted."""
    found: UserId | None = await tx.value(
        "select user_id from credential where id = %(credential)s and kind = 'user_credential'", credential=credential
    )
    return found


async def sealed_credential(tx: ScopedTx, credential: UserCredentialId) -> bytes | None:
    """The encrypted secret of a pair."""
    sealed: bytes | None = await tx.value(
        "select sealed from credential where id = %(credential)s and kind = 'user_credential'", credential=credential
    )
    return sealed

"""Statements on secrets."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.vault.errors import SecretNotFound
from controlroom.engine.vault.model import Secret
from controlroom.ids import SecretId
from controlroom.postgres.database import Statements

SECRET: Final = Noun[SecretId](
    "secret",
    SecretNotFound,
    "secret",
    InWorkspace("secret.workspace_id"),
    name="secret.name",
)

_COLUMNS = "id, number, name, description, created_at, updated_at"


class SealedSecret(Secret, frozen=True, kw_only=True):
    """A secret with its encrypted values."""

    sealed: bytes


class Written(Struct, frozen=True, kw_only=True):
    """What `put` did."""

    id: SecretId
    number: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    is_new: bool

    @property
    def secret(self) -> Secret:
        """The secret as lists show it."""
        return Secret(
            id=self.id,
            number=self.number,
            name=self.name,
            description=self.description,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


async def sealed(tx: Statements, scope: Scope, name: str) -> SealedSecret | None:
    """The secret of this name, if the workspace is seen and, for a robot, its attempt lives: all in this statement."""
    return await tx.one_or_none(
        SealedSecret,
        f"select {_COLUMNS}, sealed from secret where workspace_id = {SEEN} and name = %(name)s",
        name=name,
        **scope.params,
    )


async def hold(tx: ScopedTx, scope: Scope, name: str) -> SealedSecret | None:
    """Likewise, so that nobody writes or removes it before the transaction ends."""
    return await tx.one_or_none(
        SealedSecret,
        f"select {_COLUMNS}, sealed from secret where workspace_id = {SEEN} and name = %(name)s for update",
        name=name,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, secret: SecretId) -> Secret:
    """One secret of the workspace, as lists show it. Raises SecretNotFound."""
    found = await db.one_or_none(
        Secret,
        f"select {_COLUMNS} from secret where workspace_id = {SEEN} and id = %(secret)s",
        secret=secret,
        **scope.params,
    )
    if found is None:
        raise SecretNotFound(str(secret))
    return found


async def list_secrets(tx: Statements, scope: Scope, *, after: str | None, limit: int) -> list[Secret]:
    """Secrets of the workspace by name, those behind `after`."""
    return await tx.all(
        Secret,
        f"""
        select {_COLUMNS} from secret
         where workspace_id = {SEEN} and (%(after)s::text is null or name > %(after)s)
         order by name limit %(limit)s
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def put(
    tx: Statements, scope: Scope, *, secret: SecretId, name: str, description: str | None, values: bytes
) -> Written | None:
    """Create a secret, or replace all its values; a description of None leaves the one there. None: nothing is seen.

    Of two who write at once, the last one's values stay, whole.
    """
    return await tx.one_or_none(
        Written,
        f"""
        insert into secret (id, workspace_id, name, description, sealed)
        select %(secret)s, seen.id, %(name)s, coalesce(%(description)s, ''), %(values)s from {SEEN} as seen
        on conflict (workspace_id, name) do update
           set description = coalesce(%(description)s, secret.description),
               sealed = excluded.sealed, updated_at = clock_now()
        returning {_COLUMNS}, xmax = 0 as is_new
        """,
        secret=secret,
        name=name,
        description=description,
        values=values,
        **scope.params,
    )


async def delete(tx: Statements, scope: Scope, name: str) -> SecretId | None:
    """Remove a secret; the one that was removed."""
    removed: SecretId | None = await tx.value(
        f"delete from secret where workspace_id = {SEEN} and name = %(name)s returning id",
        name=name,
        **scope.params,
    )
    return removed

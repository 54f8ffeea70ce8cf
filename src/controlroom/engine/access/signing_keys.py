"""The key pairs that sign tokens which others can check (RS512), and the public halves as they are published (JWKS).

They are the room's, shared by all its servers, sealed by the master key. One signs. It is made at the first start and
is followed by another when it is `ROTATED_AFTER` old; then it is kept to check what it has signed until the last of
that has ended. What is published may be kept by whoever asks: a key that they do not know is a reason to ask again.
"""

import asyncio
from datetime import timedelta
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from joserfc.jwk import RSAKey
from msgspec import Struct

from controlroom.engine.access.credentials import Memory
from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scoped
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden
from controlroom.keys import Keys
from controlroom.postgres.database import Statements, Tx

ALGORITHM: Final = "RS512"
LONGEST_LIFE: Final = timedelta(hours=12)
"""Of a token: so long is a key kept that signs no more."""
ROTATED_AFTER: Final = timedelta(days=90)
_BITS: Final = 2048  # Why: RSA of 3072 signs three times as slowly; a key is used for three months
_LONGEST_KID: Final = 100


class Made(Struct, frozen=True):
    """A new key pair that is not written yet."""

    kid: str
    public: dict[str, Any]
    private: bytes


class SigningKey(Struct, frozen=True):
    """The key that signs, by its name."""

    kid: str
    private: RSAKey


class _Signing(Struct, frozen=True):
    kid: str
    sealed: bytes
    is_old: bool


class _Published(Struct, frozen=True):
    public: dict[str, Any]


class _Process:
    """What this process has loaded of the keys of one control room. A key pair never changes, only what it may do."""

    def __init__(self) -> None:
        self.private: dict[str, RSAKey] = {}
        self.public: Memory[RSAKey] = Memory(at_most=100)


_processes: WeakKeyDictionary[Keys, _Process] = WeakKeyDictionary()


def _process(engine: Engine) -> _Process:
    return _processes.setdefault(engine.keys, _Process())


async def make() -> Made:
    """A new key pair. Takes a tenth of a second of a core, in a thread."""
    return await asyncio.to_thread(_make)


async def write(engine: Engine, tx: Statements, made: Made) -> None:
    """Let a new key pair sign from now on, in the caller's transaction; unless there is one that does."""
    await tx.execute(
        """
        insert into signing_key (kid, public, sealed) values (%(kid)s, %(public)s, %(sealed)s)
        on conflict ((true)) where retired_at is null do nothing
        """,
        kid=made.kid,
        public=made.public,
        sealed=engine.keys.seal(made.private, place=_place(made.kid)),
    )


async def ensure(engine: Engine) -> None:
    """Make the first key, where there is none."""
    if await _signing(engine.database) is None:
        await write(engine, engine.database, await make())


async def signing(engine: Engine) -> SigningKey:
    """The key that signs now; the first one to ask makes it, or its successor when it is old."""
    found = await _signing(engine.database)
    if found is None:
        await ensure(engine)
        found = await _signing(engine.database)
    elif found.is_old:
        made = await make()
        async with engine.database.transaction() as tx:
            await _follow(engine, tx, made, unless_younger_than=ROTATED_AFTER)
        found = await _signing(engine.database)
    assert found is not None  # noqa: S101  # one is retired only as another takes its place
    loaded = _process(engine).private
    if found.kid not in loaded:
        pem = engine.keys.unseal(found.sealed, place=_place(found.kid))
        loaded[found.kid] = await asyncio.to_thread(RSAKey.import_key, pem)
    return SigningKey(found.kid, loaded[found.kid])


async def checking(engine: Engine, kid: str) -> RSAKey | None:
    """The public key of this name, if tokens of it may still live. Remembered for a few seconds, also that none is."""
    if len(kid) > _LONGEST_KID or "\0" in kid:
        return None
    memory, name = _process(engine).public, kid.encode("utf-8", "replace")
    remembered = memory.get(name)
    if remembered is not None:
        return remembered[0]
    generation = memory.generation
    found = await engine.database.one_or_none(
        _Published,
        "select public from signing_key where kid = %(kid)s and (ends_at is null or ends_at > clock_now())",
        kid=kid,
    )
    key = None if found is None else RSAKey.import_key(cast("dict[str, str | list[str]]", found.public))
    memory.put(name, key, generation=generation)
    return key


async def published(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The public keys as a JSON Web Key Set (RFC 7517 §5): the one that signs, then those that are only checked."""
    rows = await engine.database.all(
        _Published,
        """
        select public from signing_key where ends_at is null or ends_at > clock_now()
         order by retired_at desc nulls first
        """,
    )
    return {"keys": [row.public for row in rows]}


async def rotate(engine: Engine, actor: Actor) -> str:
    """Let a new key sign at once; its name. What the one before has signed is good until it ends. For admins."""
    if not actor.is_admin:
        raise Forbidden("only an admin has another key sign", code="ADMIN_ONLY")
    made = await make()
    async with scoped(engine.database, actor.organization_id) as tx:
        await tx.execute("lock table signing_key in share row exclusive mode")
        await _follow(engine, tx, made, unless_younger_than=timedelta())
        await record(engine, tx, actor, actor.organization_id, "signing_key.rotated", kid=made.kid)
    return made.kid


async def _follow(engine: Engine, tx: Tx, made: Made, *, unless_younger_than: timedelta) -> None:
    """Put a key in the place of the one that signs, if that is old enough, and forget those that are over."""
    await tx.execute("delete from signing_key where ends_at <= clock_now()")
    retired = await tx.execute(
        """
        update signing_key set retired_at = clock_now(), ends_at = clock_now() + %(life)s::interval
         where retired_at is null and made_at <= clock_now() - %(age)s::interval
        """,
        life=LONGEST_LIFE,
        age=unless_younger_than,
    )
    if retired:
        await write(engine, tx, made)


async def _signing(tx: Statements) -> _Signing | None:
    return await tx.one_or_none(
        _Signing,
        """
        select kid, sealed, made_at <= clock_now() - %(age)s::interval as is_old
          from signing_key where retired_at is null
        """,
        age=ROTATED_AFTER,
    )


def _make() -> Made:
    key = RSAKey.generate_key(_BITS, private=True)
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
    return Made(kid, public, key.as_pem(private=True))


def _place(kid: str) -> str:
    return f"signing_key/{kid}/private"

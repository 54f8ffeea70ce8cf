"""Keys that all servers of one database share, made by the first that needs one, sealed by the master key."""

import asyncio
from collections.abc import Callable

from controlroom.engine.access import store
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.keys import Keys, Unsealable
from controlroom.postgres.database import Statements


async def server_key(engine: Engine, name: str, make: Callable[[], bytes]) -> bytes:
    """The shared key of this name; `make` (run in a thread) is asked when there is none yet.

    Every server gets the same bytes, however many ask at once: the first write stands.
    """
    sealed = await store.server_key(engine.database, name)
    if sealed is None:
        made = await asyncio.to_thread(make)
        await store.add_server_key(engine.database, name, engine.keys.seal(made, place=_place(name)))
        sealed = await store.server_key(engine.database, name)
        assert sealed is not None  # noqa: S101  # shared keys are not deleted while servers ask for them
    return engine.keys.unseal(sealed, place=_place(name))


async def keep(engine: Engine, tx: Statements, name: str, value: bytes) -> None:
    """Keep a value under a name, in the caller's transaction; one that is there already stays."""
    await store.add_server_key(tx, name, engine.keys.seal(value, place=_place(name)))


async def kept(engine: Engine, name: str) -> bytes | None:
    """What is kept under a name."""
    sealed = await store.server_key(engine.database, name)
    return None if sealed is None else engine.keys.unseal(sealed, place=_place(name))


async def check_keys(database: Statements, keys: Keys, name: str) -> None:
    """See that these keys opened what is kept under a name, if something is. Raises Invalid `MASTER_KEY`."""
    sealed = await store.server_key(database, name)
    try:
        if sealed is not None:
            keys.unseal(sealed, place=_place(name))
    except Unsealable as other:
        raise Invalid(
            "the master key is not the one of this database: put back the one that it was made with "
            "(CONTROLROOM_MASTER_KEY, or master.key in the data folder); no other opens its secrets",
            code="MASTER_KEY",
        ) from other


def _place(name: str) -> str:
    return f"server_key/{name}"

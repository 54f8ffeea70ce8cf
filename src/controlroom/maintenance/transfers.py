"""Makes the archives that were asked for, takes those that came, and hands over those that are for another room.

What it does: claims what was asked for, oldest first, one at a time, and does it by the rights that who asked has then.
Who else may do it: every server; a claim is a lease of a minute, renewed meanwhile.
When it dies half-way: the lease runs out and another server begins anew. An archive is made again; of one that is taken
what was taken already is found there. After three servers that died over it, it has failed, and says so.
What it costs: one index probe each two seconds while nothing is asked for; the archive is made in a process aside.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import msgspec
import structlog

from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.repository.stored_versions import forget_deleted
from controlroom.engine.transfers import exporting, importing, store
from controlroom.engine.transfers.actions import place_of
from controlroom.engine.transfers.model import Claimed, ExportWish, Sealed, Target, TransferKind
from controlroom.engine.wakes import Topic
from controlroom.errors import ControlRoomError, Invalid, Unavailable
from controlroom.outgoing import Outgoing

log = structlog.get_logger(__name__)

EVERY: Final = 2.0
RENEW_EVERY: Final = 20.0
"""Seconds. Why: a third of the lease, so that two renewals may fail."""
PRUNE_EVERY: Final = 3600.0
MOST_HANDED: Final = 256 << 20
"""Bytes of an archive that is handed to another room: it is sent from memory."""

Hand = Callable[[Outgoing, Target, str, str, bytes], Awaitable[None]]
"""Gives an archive to another room, in its words: target, a user's key there, name, bytes. Raises what says why not."""


class Transfers:
    """The service of a server."""

    def __init__(
        self, engine: Engine, outgoing: Outgoing, hand: Hand | None, *, renew_every: float = RENEW_EVERY
    ) -> None:
        self._engine = engine
        self._outgoing = outgoing
        self._hand = hand
        self._renew_every = renew_every

    async def serve(self) -> None:
        """Do what is asked for, until cancelled."""
        while True:
            with self._engine.wakes.watch(Topic.TRANSFERS) as watch:
                while await self.one():
                    pass
                await watch.wait(EVERY)

    async def one(self) -> bool:
        """Claim and end one; whether there was any."""
        async with scoped(self._engine.database, Room()) as tx:
            claimed = await store.claim(tx, Room())
        if claimed is None:
            return False
        if claimed.attempts > store.MOST_ATTEMPTS:
            await self._fail(claimed, "the server stopped over it again and again")
            return True
        try:
            await self._while_it_is_ours(claimed, self._do(claimed))
        except ControlRoomError as refused:
            await self._fail(claimed, refused.message)
        except OSError as failed:  # above all a full disk
            await self._fail(claimed, f"the server could not keep it: {failed.strerror or failed}")
        return True

    async def _do(self, claimed: Claimed) -> None:
        sealed = Sealed()
        if claimed.sealed is not None:
            opened = self._engine.keys.unseal(claimed.sealed, place=place_of(claimed.id))
            sealed = msgspec.json.decode(opened, type=Sealed)
        match claimed.kind:
            case TransferKind.IMPORT:
                done = await importing.take(self._engine, claimed, importing.wish_of(claimed), sealed.password)
                await self._complete(claimed, digest=None, size=None, done=done)
            case TransferKind.EXPORT | TransferKind.PROMOTION:
                actor = await actor_of_user(self._engine.database, claimed.user_id)
                wish = msgspec.json.decode(claimed.wish, type=ExportWish)
                made = await exporting.make(self._engine, actor, claimed, wish, sealed.password)
                if claimed.kind is TransferKind.PROMOTION:
                    await self._hand_over(claimed, made, sealed.key or "")
                archive = made.archive
                await self._complete(claimed, digest=archive.hash, size=archive.size, done=made.files)

    async def _hand_over(self, claimed: Claimed, made: exporting.Made, key: str) -> None:
        if self._hand is None:
            raise Invalid("this room hands nothing to another one", code="NOT_SUPPORTED")
        if made.archive.size > MOST_HANDED:
            raise Invalid(f"the archive is larger than {MOST_HANDED:,} bytes", code="ARCHIVE_TOO_LARGE")
        target = msgspec.json.decode(claimed.wish, type=dict[str, msgspec.Raw])["target"]
        where = msgspec.json.decode(target, type=Target)
        archive = await self._engine.objects.read(made.archive.hash)
        await self._hand(self._outgoing, where, key, claimed.name, archive)

    async def _complete(self, claimed: Claimed, *, digest: str | None, size: int | None, done: int) -> None:
        async with scoped(self._engine.database, claimed.organization_id) as tx:
            if not await store.complete(tx, claimed, digest=digest, size=size, done=done):
                return
            kind = f"transfer.{claimed.kind.value}_completed"
            who = By("user", claimed.user_id)
            await record(
                self._engine, tx, who, claimed.organization_id, kind, claimed.id, name=claimed.name, files=done
            )
            tx.after_commit(lambda: self._engine.wakes.wake(Topic.TRANSFER_ENDED, claimed.id))

    async def _fail(self, claimed: Claimed, reason: str) -> None:
        log.info("transfer failed", transfer=str(claimed.id), kind=claimed.kind.value, reason=reason)
        async with scoped(self._engine.database, claimed.organization_id) as tx:
            if not await store.fail(tx, claimed, reason):
                return
            kind = f"transfer.{claimed.kind.value}_failed"
            who = By("user", claimed.user_id)
            await record(
                self._engine, tx, who, claimed.organization_id, kind, claimed.id, name=claimed.name, reason=reason
            )
            tx.after_commit(lambda: self._engine.wakes.wake(Topic.TRANSFER_ENDED, claimed.id))

    async def _while_it_is_ours(self, claimed: Claimed, work: Coroutine[Any, Any, None]) -> None:
        """Do the work of a claim and renew that meanwhile; give it back when we end."""
        working = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({working}, timeout=self._renew_every))[0]:
                with contextlib.suppress(Unavailable):
                    async with scoped(self._engine.database, Room()) as tx:
                        if not await store.renew(tx, claimed):
                            log.info("transfer is another server's now", transfer=str(claimed.id))
                            return
            await working
        except asyncio.CancelledError:
            await _ended(working)
            async with scoped(self._engine.database, Room()) as tx:
                await store.let_go(tx, claimed)
            raise
        finally:
            await _ended(working)


async def prune(engine: Engine) -> int:
    """Forget what ended a month ago, and what was in files that were deleted then."""
    async with scoped(engine.database, Room()) as tx:
        return await store.prune(tx, Room()) + await forget_deleted(tx, Room())


async def _ended(working: asyncio.Task[None]) -> None:
    working.cancel()
    await asyncio.wait({working})

"""Exports and imports of the repository (our own management API): seen, and forgotten. Users ask for them elsewhere.

They are the organization's: whoever asked for one has it, and who governs the organization has all.
"""

from datetime import datetime
from uuid import UUID

from controlroom.border.asking import Asking, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind
from controlroom.engine.transfers import actions, store
from controlroom.engine.transfers.listings import TRANSFERS, seen_by
from controlroom.engine.transfers.model import Transfer, TransferKind, TransferState
from controlroom.ids import UserId


class TransferAnswer(Shape, frozen=True, kw_only=True):
    """An export, an import or a promotion."""

    id: UUID
    kind: TransferKind
    state: TransferState
    name: str
    user_id: UserId
    """Who has asked for it."""
    size: int | None
    """Of its archive, in bytes."""
    files: int
    """How many it has taken along, or brought."""
    reason: str
    """Why it has failed."""
    created_at: datetime
    ended_at: datetime | None
    """It is kept for 30 days from then on."""


@get("/transfers", needs=Permission.READ_PACKAGES)
async def list_transfers(request: Asking, paging: Pages) -> Page[TransferAnswer]:
    """List exports and imports, oldest first: your own, or all of the organization for who governs it."""
    seen, which = seen_by(request.actor)
    position = paging.after(UUID)
    asked = Asked(filter=which, start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, Transfer, TRANSFERS, seen, asked)
    return paging.page(rows, _show)


@get("/transfers/{transfer_id:uuid}", needs=Permission.READ_PACKAGES)
async def get_transfer(request: Asking, transfer_id: Path[UUID]) -> TransferAnswer:
    """Get an export or import: how far it is."""
    return _show(await store.get(request.db, request.actor, transfer_id))


@delete("/transfers/{transfer_id:uuid}", needs=Permission.READ_PACKAGES)
async def delete_transfer(request: Asking, transfer_id: Path[UUID]) -> Deleted:
    """Forget an export or import that has ended, with its archive. What an import has brought stays."""
    return await Deleted.after(transfer_id, actions.forget(*request.governing, transfer_id))


_show = shown_as(TransferAnswer, Transfer, files="done")

"""Chains of processes (our own management API): what starts when a run of a process ends."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.chains import actions, model, store
from controlroom.ids import ChainId, ProcessId


class ChainAnswer(Shape, frozen=True, kw_only=True):
    """What starts when a run of the process ends."""

    id: ChainId
    next_process: Named
    after: list[model.End]
    empty: model.Empty
    enabled: bool
    created_at: datetime


class CreateChain(OwnBody, frozen=True, kw_only=True):
    """A new chain. `empty` says what happens when the run has put nothing out."""

    next_process: Reference
    after: tuple[model.End, ...] = (model.End.COMPLETED,)
    empty: model.Empty = model.Empty.SKIP
    enabled: bool = True


class UpdateChain(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    after: tuple[model.End, ...] | UnsetType = UNSET
    empty: model.Empty | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class LinkAnswer(Shape, frozen=True, kw_only=True):
    """The end of one run, and what followed."""

    process_run: Identified
    state: model.LinkState
    next_process_run: Identified | None
    reason: str
    decided_at: datetime


@get("/processes/{process_id:uuid}/chains", needs=Permission.READ_PROCESSES)
async def list_chains(request: Asking, paging: Pages, process_id: Path[ProcessId]) -> Page[ChainAnswer]:
    """List what starts when a run of the process ends, oldest first."""
    return paging.page(await store.list_chains(*request.reading, process_id, **paging.after(ChainId)), _show)


@post("/processes/{process_id:uuid}/chains")
async def create_chain(request: Asking, process_id: Path[ProcessId], data: Body[CreateChain]) -> ChainAnswer:
    """Let another process start when a run of this one ends, with its outputs."""
    return _show(await actions.create(*request.acting, process_id, _definition_of(data)))


@get("/processes/{process_id:uuid}/chains/{chain_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_chain(request: Asking, process_id: Path[ProcessId], chain_id: Path[ChainId]) -> ChainAnswer:
    """Get a chain."""
    return _show(await store.get(*request.reading, process_id, chain_id))


@update("/processes/{process_id:uuid}/chains/{chain_id:uuid}")
async def update_chain(
    request: Asking, process_id: Path[ProcessId], chain_id: Path[ChainId], data: Body[UpdateChain]
) -> ChainAnswer:
    """Change a chain."""
    return _show(await actions.update(*request.acting, process_id, chain_id, _change_of(data)))


@delete("/processes/{process_id:uuid}/chains/{chain_id:uuid}")
async def delete_chain(request: Asking, process_id: Path[ProcessId], chain_id: Path[ChainId]) -> Deleted:
    """Delete a chain."""
    return await Deleted.after(chain_id, actions.delete(*request.acting, process_id, chain_id))


@get("/processes/{process_id:uuid}/chains/{chain_id:uuid}/links", needs=Permission.READ_PROCESSES)
async def list_chain_links(
    request: Asking, paging: Pages, process_id: Path[ProcessId], chain_id: Path[ChainId]
) -> Page[LinkAnswer]:
    """List what followed of the ends of runs, the latest first."""
    rows = await store.list_links(*request.reading, process_id, chain_id, **paging.before(int))
    return paging.page(rows, _show_link, lambda link: link.event_id)


_show = shown_as(ChainAnswer, model.Chain, after="ends")
_definition_of = shown_as(model.ChainDefinition, CreateChain, ends="after")
_change_of = shown_as(model.ChainChange, UpdateChain, ends="after")
_show_link = shown_as(LinkAnswer, model.ChainLink)

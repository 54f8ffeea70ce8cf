"""What follows a process: chains are made, changed, switched and taken away on the pages on which they stand."""

from typing import Final

from controlroom.engine.chains import actions
from controlroom.engine.chains.model import Chain, ChainChange, ChainDefinition, Empty, End
from controlroom.engine.chains.store import get
from controlroom.engine.processes import store
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import ChainId
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.processes.one import acted_on, address, back_from
from controlroom.ui.routing import verb

ENDS: Final = {
    End.COMPLETED: "completed",
    End.UNRESOLVED: "unresolved",
    End.FAILED: "failed",
    End.TIMED_OUT: "timed out",
    End.STOPPED: "stopped",
}
_WRITES: Final = Permission.WRITE_PROCESSES


@verb("/processes/{number:str}/chains", may=Permission.WRITE_PROCESSES)
async def add_chain(request: Asking, number: Path[str]) -> Shown:
    """Start another process when a run of this one ends."""
    process = await acted_on(request, number, _WRITES)
    fields = await request.fields()
    named = await PROCESSES.chosen(request, fields.text("next"))
    following = await resolve(request.db, request.scope_for(_WRITES), store.PROCESS, named)
    definition = ChainDefinition(next_process=following, ends=_ends(fields), empty=_empty(fields))
    made = await actions.create(*request.acting, process.id, definition)
    back = await back_from(request, process)
    undo = f"{address(request, process)}/chains/{made.id}/delete"
    return request.done(back, "The other process follows from now on.", undo=undo, undo_with={"back": back})


@verb("/processes/{number:str}/chains/{chain:uuid}/edit", may=Permission.WRITE_PROCESSES)
async def change_chain(request: Asking, number: Path[str], chain: Path[ChainId]) -> Shown:
    """Let it follow other ends, or none for a while."""
    process = await acted_on(request, number, _WRITES)
    fields = await request.fields()
    before = await get(request.db, request.scope_for(_WRITES), process.id, chain)
    change = ChainChange(ends=_ends(fields), empty=_empty(fields), is_enabled=fields.has("is_enabled"))
    await actions.update(*request.acting, process.id, chain, change)
    back = await back_from(request, process)
    undo = f"{address(request, process)}/chains/{chain}/edit"
    return request.done(back, "It follows so from now on.", undo=undo, undo_with=_as_fields(before) | {"back": back})


@verb("/processes/{number:str}/chains/{chain:uuid}/delete", may=Permission.WRITE_PROCESSES)
async def delete_chain(request: Asking, number: Path[str], chain: Path[ChainId]) -> Shown:
    """Let it follow no more."""
    process = await acted_on(request, number, _WRITES)
    await actions.delete(*request.acting, process.id, chain)
    back = await back_from(request, process)
    undo = f"{address(request, process)}/chains/{chain}/restore"
    return request.done(back, "It follows no more.", undo=undo, undo_with={"back": back})


@verb("/processes/{number:str}/chains/{chain:uuid}/restore", may=Permission.WRITE_PROCESSES)
async def restore_chain(request: Asking, number: Path[str], chain: Path[ChainId]) -> Shown:
    """Let it follow again, as it did."""
    process = await acted_on(request, number, _WRITES)
    await actions.restore(*request.acting, process.id, chain)
    return request.done(await back_from(request, process), "It follows again.")


def _ends(fields: Fields) -> tuple[End, ...]:
    """The ticked ones; or, of a form that takes a change back, all in one field."""
    said = [each for text in fields.texts("end") for each in text.split()]
    try:
        return tuple(End(each) for each in said)
    except ValueError as unknown:
        raise Invalid("There is no such end.", code="CHAIN_INVALID") from unknown


def _empty(fields: Fields) -> Empty:
    return Empty.ONE_ITEM if fields.has("even_if_empty") else Empty.SKIP


def _as_fields(chain: Chain) -> dict[str, str]:
    """The form that makes it what it is."""
    ticked = {"even_if_empty": chain.empty is Empty.ONE_ITEM, "is_enabled": chain.is_enabled}
    return {"end": " ".join(chain.ends)} | {name: "yes" for name, is_ticked in ticked.items() if is_ticked}

"""What was changed of a process, each change as a difference, with a button that takes it back."""

from typing import Final

from controlroom.engine.processes import changes, versions
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.processes.one import acted_on, address, process_of, show, taken_back_by
from controlroom.ui.routing import page, verb

_LENGTH: Final = 20
_NAMES: Final = {
    "name": "name",
    "is_enabled": "enabled",
    "default_item": "default input",
    "order": "order of steps",
    "work": "runs",
    "max_parallel": "at a time",
    "timeout": "time limit",
    "starts_after_previous": "begins after the steps before",
    "one_item_per_step_run": "a robot for each item",
    "retry.max_attempts": "attempts",
    "retry.delay_seconds": "seconds apart",
    "retry.backoff": "each time longer by",
    "placement.places": "where",
}


@page("/processes/{number:str}/changes", needs=Permission.READ_PROCESSES)
async def show_changes(request: Asking, number: Path[str]) -> Shown:
    """The latest first; older ones one page on."""
    process = await process_of(request, number)
    before = _before(request.query_params.get("before", ""))
    kept = await versions.list_versions(*request.reading, process.id, before=before, limit=_LENGTH + 1)
    told = []
    for place, version in enumerate(kept[:_LENGTH]):
        older = kept[place + 1].definition if place + 1 < len(kept) else None
        told.append((version, changes.differences(older, version.definition), older is not None))
    return await show(
        request,
        "processes/changes.html",
        process,
        "Changes",
        told=told,
        names=_NAMES,
        older=f"{address(request, process)}/changes?before={kept[_LENGTH - 1].version}" if len(kept) > _LENGTH else "",
        newest=f"{address(request, process)}/changes" if before is not None else "",
    )


@page(
    "/processes/{number:str}/changes/{version:int}/take-back",
    needs=(Permission.WRITE_PROCESSES, Permission.READ_PROCESSES),
)
async def ask_to_take_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """What the process will be again."""
    process = await process_of(request, number)
    await versions.get(*request.reading, process.id, version)
    before = await versions.get(*request.reading, process.id, version - 1)
    [now] = await versions.list_versions(*request.reading, process.id, limit=1)
    here = address(request, process)
    crumbs = [Crumb("Processes", f"{request.base}/processes"), Crumb(process.name, here), Crumb("Take back")]
    return await request.show(
        "processes/take_back.html",
        title=f"Take back a change of {process.name}",
        at="processes",
        crumbs=crumbs,
        process=process,
        here=here,
        version=version,
        count=now.version - version + 1,
        changed=changes.differences(now.definition, before.definition),
        names=_NAMES,
    )


@verb("/processes/{number:str}/changes/{version:int}/take-back")
async def take_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """Take it back."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    after = await changes.take_back(*request.acting, process.id, version)
    said = f"{after.name} is what it was before change {version}."
    return request.done(f"{address(request, after)}/changes", said, undo=await taken_back_by(request, after))


def _before(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else None  # noqa: PLR2004 - 32 bits

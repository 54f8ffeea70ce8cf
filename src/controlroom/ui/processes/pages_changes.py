"""What was changed of a process, each change as a difference, with a button that takes it back."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from controlroom.engine.processes import changes, versions
from controlroom.engine.processes.changes import Difference
from controlroom.engine.provisioners import places
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.processes.one import acted_on, address, process_of, show, taken_back_by
from controlroom.ui.routing import page, verb

_LENGTH: Final = 20
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
}


@page("/processes/{number:str}/changes", needs=Permission.READ_PROCESSES)
async def show_changes(request: Asking, number: Path[str]) -> Shown:
    """The latest first; older ones one page on."""
    process = await process_of(request, number)
    before = _before(request.query_params.get("before", ""))
    kept = await versions.list_versions(*request.reading, process.id, before=before, limit=_LENGTH + 1)
    olders = [each.definition for each in kept[1:]] + [None]
    changed = [
        changes.differences(older, version.definition)
        for version, older in zip(kept[:_LENGTH], olders[: len(kept[:_LENGTH])], strict=True)
    ]
    known = await _places(request, [each for its in changed for each in its])
    told = [
        (version, named(its, known), older is not None)
        for version, its, older in zip(kept[:_LENGTH], changed, olders[: len(changed)], strict=True)
    ]
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
    changed = changes.differences(now.definition, before.definition)
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
        changed=named(changed, await _places(request, changed)),
        names=_NAMES,
    )


@verb("/processes/{number:str}/changes/{version:int}/take-back")
async def take_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """Take it back."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    after = await changes.take_back(*request.acting, process.id, version)
    said = f"{after.name} is what it was before change {version}."
    return request.done(f"{address(request, after)}/changes", said, undo=await taken_back_by(request, after))


async def _places(request: Asking, changed: Sequence[Difference]) -> dict[str, str]:
    """Workers, groups and provisioners of which differences tell, by their ids."""
    seen = request.scope_for(Permission.READ_PROCESSES)
    told = {UUID(found) for each in changed if each.what == "where" for found in _ID.findall(f"{each.was} {each.now}")}
    return {str(id_): name for id_, name in (await places.named(request.db, seen, told)).items()}


def named(changed: Sequence[Difference], known: Mapping[str, str]) -> list[Difference]:
    """Differences with places by their names, as far as those are there yet. Pure."""

    def said(text: str | None) -> str | None:
        return text and _ID.sub(lambda found: known.get(found[0], found[0]), text)

    return [replace(each, was=said(each.was), now=said(each.now)) if each.what == "where" else each for each in changed]


def _before(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else None  # noqa: PLR2004 - 32 bits

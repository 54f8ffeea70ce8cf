"""What was changed of a process, each change as a difference, with a button that takes it back."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from controlroom.engine.processes import changes, versions
from controlroom.engine.processes.changes import Difference
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.names import ids_in, known_to, named
from controlroom.ui.processes.one import acted_on, address, process_of, show, taken_back_by
from controlroom.ui.routing import page, verb

_LENGTH: Final = 20
_NAMES: Final = {
    "name": "name",
    "is_enabled": "enabled",
    "default_item": "default input",
    "order": "order of steps",
    "work": "runs",
    "work in full.package_id": "package",
    "placement.run_as": "runs as",
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
    known = await _known(request, [each for its in changed for each in its])
    told = [
        (version, by_name(its, known), older is not None)
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
        changed=by_name(changed, await _known(request, changed)),
        names=_NAMES,
    )


@verb("/processes/{number:str}/changes/{version:int}/take-back")
async def take_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """Take it back."""
    process = await acted_on(request, number, Permission.WRITE_PROCESSES)
    after = await changes.take_back(*request.acting, process.id, version)
    said = f"{after.name} is what it was before change {version}."
    return request.done(f"{address(request, after)}/changes", said, undo=await taken_back_by(request, after))


async def _known(request: Asking, changed: Sequence[Difference]) -> dict[str, str]:
    """Of whom and what differences tell by id: workers, groups, provisioners, people, packages, by their names."""
    told = ids_in([[each.was, each.now] for each in changed if _tells_ids(each)])
    return await known_to(request, request.scope_for(Permission.READ_PROCESSES), told)


def by_name(changed: Sequence[Difference], known: Mapping[str, str]) -> list[Difference]:
    """Differences with who and what is meant by its name, as far as it is there yet. Pure."""

    def said(text: str | None) -> str | None:
        return text and named(text, known)

    return [replace(each, was=said(each.was), now=said(each.now)) if _tells_ids(each) else each for each in changed]


def _tells_ids(of: Difference) -> bool:
    """Whether ids in it are ours: those in an input or a variable are whoever's."""
    return of.what in {"where", "placement.run_as", "work in full.package_id"}


def _before(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else None  # noqa: PLR2004 - 32 bits

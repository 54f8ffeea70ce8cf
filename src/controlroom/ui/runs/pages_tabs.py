"""The tabs of a run beside timeline and console: its items, what it left, what went in and out, what happened."""

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.border.links import download_url
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.lists.model import equal
from controlroom.engine.runs import item_views, run_views, store
from controlroom.engine.runs.model import Artifact, Run
from controlroom.engine.runs.run_views import LeftBy
from controlroom.engine.work_items import store as work_items
from controlroom.errors import NotFound
from controlroom.ids import ArtifactId, StepRunId, WorkItemId, as_uuid
from controlroom.objects.store import Blob
from controlroom.ui.asking import Asking, Path, Permission, Shown, elsewhere
from controlroom.ui.items.listing import LIST
from controlroom.ui.items.tree import Tree, tree_of
from controlroom.ui.routing import page
from controlroom.ui.runs.pages_run import run_of, show_of_run
from controlroom.ui.runs.previews import ICONS, Preview, kind_of, preview_of, rank_of

_MOST_ARTIFACTS: Final = 500
_MOST_PAYLOADS: Final = 20
_MOST_BYTES: Final = 2 << 20
_MOST_EVENTS: Final = 200


@page("/runs/{number:str}/items", needs=(Permission.READ_RUNS, Permission.READ_WORK_ITEMS))
async def list_items(request: Asking, number: Path[str]) -> Shown:
    """Its work items."""
    run = await run_of(request, number)
    of_run = replace(
        LIST,
        path=f"/runs/{run.number}/items",
        kept_as="runs/items",
        tabs=(LIST.tabs[-1], *LIST.tabs[:-1]),
        filters=tuple(each for each in LIST.filters if each.key not in {"process", "run", "queue", "failure"}),
        topics=f"run-{run.id}",
    )
    found = await of_run.read(request, also=equal(run_id=run.id))
    beside = await item_views.beside(*request.reading, found.rows) if found.rows else {}
    return await show_of_run(request, "runs/items.html", run, "Items", found=found, beside=beside)


# ---------------------------------------------------------------------------------------------------- what it left
@page("/runs/{number:str}/artifacts", needs=(Permission.READ_RUNS, Permission.READ_RUN_OUTPUTS))
async def list_artifacts(request: Asking, number: Path[str]) -> Shown:
    """What its step runs left, and one of it shown; `?show=` says which."""
    run = await run_of(request, number)
    found = await run_views.artifacts_of_run(*request.reading, run.id, limit=_MOST_ARTIFACTS)
    chosen = _chosen(found, request.query_params.get("show", ""))
    preview = None if chosen is None else await _preview(request, run, chosen.artifact)
    return await show_of_run(
        request,
        "runs/artifacts.html",
        run,
        "Artifacts",
        found=found,
        chosen=chosen,
        preview=preview,
        is_cut=len(found) == _MOST_ARTIFACTS,
        kind_of=kind_of,
        icons=ICONS,
    )


def _chosen(found: list[LeftBy], wanted: str) -> LeftBy | None:
    if wanted:
        for each in found:
            if str(each.artifact.id) == wanted or str(each.artifact.number) == wanted:
                return each
        raise NotFound("This run has left no such file.", code="ARTIFACT_NOT_FOUND")
    return min(found, key=lambda each: rank_of(each.artifact.name), default=None)


async def _preview(request: Asking, run: Run, artifact: Artifact) -> Preview:
    href = f"{request.base}/runs/{run.number}/artifacts/{artifact.step_run_id}/{artifact.id}"
    return await preview_of(request, artifact.name, Blob(artifact.hash, artifact.size), href)


@page("/runs/{number:str}/artifacts/{step_run:uuid}/{artifact:uuid}", needs=Permission.READ_RUN_OUTPUTS)
async def fetch_artifact(request: Asking, step_run: Path[StepRunId], artifact: Path[ArtifactId]) -> Shown:
    """What a step run left: by a link that works for an hour, and can do nothing in the name of who follows it."""
    found = await store.get_artifact(*request.reading, step_run, artifact)
    return elsewhere(download_url(request, DownloadKind.ARTIFACT, found.id, file_name=found.name))


# ---------------------------------------------------------------------------------------------------- in and out
class Datum(Struct, frozen=True):
    """An item of which the payload is shown."""

    id: WorkItemId
    tree: Tree


@page("/runs/{number:str}/data", needs=(Permission.READ_RUNS, Permission.READ_WORK_ITEMS))
async def show_data(request: Asking, number: Path[str]) -> Shown:
    """What it began with, and what its last step put out."""
    run = await run_of(request, number)
    began = await run_views.inputs_of_run(*request.reading, run.id, limit=_MOST_PAYLOADS + 1)
    payloads = await work_items.payloads_of(*request.reading, began[:_MOST_PAYLOADS], most_bytes=_MOST_BYTES)
    outputs = await work_items.list_outputs(*request.reading, run.id, limit=_MOST_PAYLOADS + 1, most_bytes=_MOST_BYTES)
    return await show_of_run(
        request,
        "runs/data.html",
        run,
        "Data",
        inputs=[Datum(each, tree_of(payloads.get(each))) for each in began[:_MOST_PAYLOADS]],
        more_inputs=len(began) > _MOST_PAYLOADS,
        outputs=[Datum(each.id, tree_of(each.payload)) for each in outputs[:_MOST_PAYLOADS]],
        more_outputs=len(outputs) > _MOST_PAYLOADS,
    )


@page("/runs/{number:str}/events", needs=Permission.READ_RUNS)
async def list_events(request: Asking, number: Path[str]) -> Shown:
    """What happened to it, oldest first."""
    run = await run_of(request, number)
    asked = request.query_params.get("after", "")
    after = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) <= 18 else None  # noqa: PLR2004 - 64 bits
    events = await run_views.events_of_run(*request.reading, run.id, after=after, limit=_MOST_EVENTS + 1)
    here = f"{request.base}/runs/{run.number}/events"
    return await show_of_run(
        request,
        "runs/events.html",
        run,
        "Events",
        events=[(each, _said(each.data)) for each in events[:_MOST_EVENTS]],
        later=f"{here}?after={events[_MOST_EVENTS - 1].id}" if len(events) > _MOST_EVENTS else "",
        first=here if after is not None else "",
    )


def _said(data: dict[str, Any]) -> str:
    """What an event says beside its kind, in one line."""
    told = []
    for key, value in data.items():
        parts = value.values() if isinstance(value, dict) else [value]
        said = ", ".join(str(each) for each in parts if each not in (None, "", [], {}) and as_uuid(str(each)) is None)
        if said:
            told.append(f"{key.replace('_', ' ')} {said}")
    return " · ".join(told)[:300]

"""A run of an assistant on somebody's machine: how it went, and the files that it left, its output among them."""

from typing import Final

from controlroom.border.links import download_url
from controlroom.engine.access import history
from controlroom.engine.assistants import actions, store
from controlroom.engine.assistants.model import AssistantArtifact, AssistantRun
from controlroom.engine.assistants.store import ASSISTANT_ARTIFACT, ASSISTANT_RUN
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.errors import NotFound
from controlroom.ids import AssistantArtifactId, AssistantRunId
from controlroom.objects.store import Blob
from controlroom.ui.asking import Asking, Path, Permission, Shown, elsewhere
from controlroom.ui.assistants.pages import SIGNS, seen
from controlroom.ui.routing import page
from controlroom.ui.runs.previews import ICONS, kind_of, preview_of, rank_of

_MOST_ARTIFACTS: Final = 500


@page("/assistants/{number:str}/runs/{run:str}", needs=Permission.READ_ASSISTANTS)
async def show_run(request: Asking, number: Path[str], run: Path[str]) -> Shown:
    """Who ran it, how it ended, and one of its files; `?show=` says which."""
    assistant = await seen(request, number)
    found = await _run(request, number, run)
    left = await store.list_artifacts(*request.reading, found.id, limit=_MOST_ARTIFACTS)
    chosen = _chosen(left, request.query_params.get("show", ""))
    here = f"{request.base}/assistants/{assistant.number}/runs/{found.number}"
    preview = None
    if chosen is not None:
        href = f"{here}/artifacts/{chosen.number}"
        preview = await preview_of(request, chosen.name, Blob(chosen.hash, chosen.size), href)
    return await request.show(
        "assistants/run.html",
        title=f"{assistant.name} #{found.number}",
        at="assistants",
        crumbs=request.way(
            ("Assistants", "/assistants"), (assistant.name, f"/assistants/{assistant.number}"), f"#{found.number}"
        ),
        run=found,
        assistant=assistant,
        here=here,
        found=left,
        chosen=chosen,
        preview=preview,
        kind_of=kind_of,
        icons=ICONS,
        signs=SIGNS,
        events=await history.changes_of(*request.reading, found.id),
    )


@page("/assistants/{number:str}/runs/{run:str}/artifacts/{artifact:str}", needs=Permission.READ_ASSISTANTS)
async def fetch_artifact(request: Asking, number: Path[str], run: Path[str], artifact: Path[str]) -> Shown:
    """What it left: by a link that works for an hour, and can do nothing in the name of who follows it."""
    found = await _run(request, number, run)
    named: AssistantArtifactId = await resolve(*request.reading, ASSISTANT_ARTIFACT, artifact)
    left = await store.get_artifact(*request.reading, found.id, named)
    if left is None:
        raise NotFound("This run has left no such file.", code="ARTIFACT_NOT_FOUND")
    return elsewhere(download_url(request, DownloadKind.ASSISTANT_ARTIFACT, left.id, file_name=left.name))


async def _run(request: Asking, number: str, named: str) -> AssistantRun:
    """The run of this assistant. Raises AssistantRunNotFound, NotFound."""
    run: AssistantRunId = await resolve(*request.reading, ASSISTANT_RUN, named)
    found = await actions.get_run(*request.reading, run)
    if (await seen(request, number)).id != found.assistant_id:
        raise NotFound("This assistant has no such run.", code="ASSISTANT_RUN_NOT_FOUND")
    return found


def _chosen(left: list[AssistantArtifact], wanted: str) -> AssistantArtifact | None:
    if wanted:
        for each in left:
            if wanted in {str(each.id), str(each.number)}:
                return each
        raise NotFound("This run has left no such file.", code="ARTIFACT_NOT_FOUND")
    return min(left, key=lambda each: rank_of(each.name), default=None)

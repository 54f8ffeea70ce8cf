"""Assistants and their runs (§1.7, §1.8); deleting them, and reading what their runs left, is our own."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission, Query
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Deleted, Named, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, Paging, delete, get, post
from controlroom.engine.assistants import actions, model, store
from controlroom.engine.downloads.model import DownloadKind
from controlroom.ids import AssistantArtifactId, AssistantId, AssistantRunId, PackageId


class AssistantTask(Shape, frozen=True):
    """What an assistant runs."""

    name: str
    package_id: PackageId


class AssistantAnswer(Shape, frozen=True, kw_only=True):
    """A task that people may run on their own machines."""

    id: AssistantId
    name: str
    task: AssistantTask
    created_at: datetime


class CreateAssistant(Shape, frozen=True):
    """A new assistant."""

    name: str
    task: AssistantTask


class RunError(Shape, frozen=True):
    """Why a run failed."""

    code: model.AssistantError


class AssistantRunAnswer(Shape, frozen=True, kw_only=True):
    """One run of an assistant."""

    id: AssistantRunId
    state: model.AssistantRunState
    error: RunError | None
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    assistant: Named


class AssistantArtifactAnswer(Shape, frozen=True):
    """A file that a run left; the link is good for an hour."""

    id: AssistantArtifactId
    name: str
    size: int
    url: str


@get("/assistants", needs=Permission.READ_ASSISTANTS)
async def list_assistants(request: Asking, paging: Pages) -> Page[AssistantAnswer]:
    """List assistants, oldest first."""
    return paging.page(await store.list_assistants(*request.reading, **paging.after(AssistantId)), _show)


@post("/assistants")
async def create_assistant(request: Asking, data: Body[CreateAssistant]) -> Named:
    """Create an assistant of a task."""
    made = await actions.create(*request.acting, name=data.name, package=data.task.package_id, task=data.task.name)
    return Named(made.id, made.name)


@get("/assistants/{assistant_id:uuid}", needs=Permission.READ_ASSISTANTS)
async def get_assistant(request: Asking, assistant_id: Path[AssistantId]) -> AssistantAnswer:
    """Get an assistant."""
    return _show(await actions.get(*request.reading, assistant_id))


@delete("/assistants/{assistant_id:uuid}")
async def delete_assistant(request: Asking, assistant_id: Path[AssistantId]) -> Deleted:
    """Delete an assistant; its runs stay in the lists."""
    return await Deleted.after(assistant_id, actions.delete(*request.acting, assistant_id))


@get("/assistant-runs", needs=Permission.READ_ASSISTANTS)
async def list_assistant_runs(
    request: Asking, paging: Pages, assistant_id: Query[AssistantId | None] = None
) -> Page[AssistantRunAnswer]:
    """List runs of assistants, newest first."""
    return await _runs(request, paging, assistant_id)


@get("/assistants/{assistant_id:uuid}/assistant-runs", needs=Permission.READ_ASSISTANTS)
async def list_runs_of_assistant(
    request: Asking, paging: Pages, assistant_id: Path[AssistantId]
) -> Page[AssistantRunAnswer]:
    """Likewise, of one assistant, by its older address (§1.8)."""
    await actions.get(*request.reading, assistant_id)
    return await _runs(request, paging, assistant_id)


@get("/assistant-runs/{assistant_run_id:uuid}", needs=Permission.READ_ASSISTANTS)
async def get_assistant_run(request: Asking, assistant_run_id: Path[AssistantRunId]) -> AssistantRunAnswer:
    """Get a run of an assistant."""
    return _show_run(await actions.get_run(*request.reading, assistant_run_id))


@get("/assistant-runs/{assistant_run_id:uuid}/artifacts", needs=Permission.READ_ASSISTANTS)
async def list_assistant_run_artifacts(
    request: Asking, paging: Pages, assistant_run_id: Path[AssistantRunId]
) -> Page[AssistantArtifactAnswer]:
    """List what a run of an assistant left."""
    await actions.get_run(*request.reading, assistant_run_id)
    rows = await store.list_artifacts(*request.reading, assistant_run_id, **paging.after(AssistantArtifactId))

    def shown(artifact: model.AssistantArtifact) -> AssistantArtifactAnswer:
        name = artifact.name.rpartition("/")[2]
        url = download_url(request, DownloadKind.ASSISTANT_ARTIFACT, artifact.id, file_name=name)
        return AssistantArtifactAnswer(artifact.id, artifact.name, artifact.size, url)

    return paging.page(rows, shown)


async def _runs(request: Asking, paging: Paging, assistant: AssistantId | None) -> Page[AssistantRunAnswer]:
    rows = await store.list_runs(*request.reading, assistant=assistant, **paging.before(AssistantRunId))
    return paging.page(rows, _show_run)


def task_of(assistant: model.Assistant) -> AssistantTask:
    """What an assistant runs, as this dialect writes it."""
    return AssistantTask(assistant.task_name, assistant.package_id)


_show = shown_as(AssistantAnswer, model.Assistant, task=task_of)
_show_run = shown_as(
    AssistantRunAnswer, model.AssistantRun, error=lambda run: run.error_code and RunError(run.error_code)
)

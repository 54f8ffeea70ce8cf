"""Process runs (§1.7): list, get, start, stop, delete."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Raw, UnsetType, field
from msgspec.structs import replace

from controlroom.border.answers import worded
from controlroom.border.asking import Asking, Body, Path, Permission, QueryParameter
from controlroom.dialects.robocorp.answers import Accepted, Deleted, Named, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.locks import LockBody, RunLock, locks_of, locks_of_one
from controlroom.dialects.robocorp.messages import GRAMMAR
from controlroom.dialects.robocorp.placements import PlacementBody, placement_of
from controlroom.dialects.robocorp.routing import OfProcess, Page, Pages, delete, get, post
from controlroom.engine.runs import actions, model, reruns, store
from controlroom.engine.runs.callbacks import Callback, CallbackEvent
from controlroom.engine.runs.parameters import RunParameters
from controlroom.errors import Invalid
from controlroom.ids import PackageVersionId, ProcessId, RunId, TaskId, UserId, WorkItemId


class StarterDetails(Shape, frozen=True):
    """The person who started a run."""

    id: UserId
    first_name: str
    last_name: str


class Starter(Shape, frozen=True):
    """What started a run; details only of a person."""

    type: Literal["api", "user", "schedule", "email"]
    details: StarterDetails | None


class OverridesBody(OwnBody, frozen=True, kw_only=True, omit_defaults=True):
    """What one run has in place of its steps' settings. Whoever sees the run sees the variables: no secrets here."""

    variables: dict[str, str] = field(default_factory=dict)
    package_version_id: PackageVersionId | None = None
    package_label: str | None = None
    timeout_seconds: float | None = None


class ProcessRun(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of a process. The fields from `name` on are ours, and told where the start has given them."""

    id: RunId
    state: model.RunState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    process: Named
    started_by: Starter
    duration: float | None
    name: str = ""
    cause: str = ""
    overrides: OverridesBody | None = None
    locks: list[RunLock] | UnsetType = UNSET
    """How it stands with the locks that it wants."""
    blocked_by: list[RunId] | UnsetType = UNSET
    """Likewise: the process runs that it waits for."""
    rerun_of: RunId | None = None


class CallbackRequest(OwnBody, frozen=True):
    """Whom to tell of this one run; signed with the secret (§9.2)."""

    url: str
    secret: str
    callback_events: list[Literal["started", "completed", "unresolved"]]


class StartRequest(OwnBody, frozen=True, kw_only=True):
    """How to start a run: by default, or with one of three kinds of input, which need no `type` to be plain."""

    type: Literal["with_work_item_ids", "with_inputs", "with_payloads"] | None = None
    work_item_ids: list[WorkItemId] | None = None
    payloads: list[Raw] | None = None
    callback: CallbackRequest | None = None
    name: str = ""
    """What this run is called; as all below, ours."""
    cause: str = ""
    """Why it is started, in words."""
    idempotency_key: str | None = None
    """A start of the process that has it again, and asks for the same, is answered with the run of the first."""
    priority: int = 0
    overrides: OverridesBody = field(default_factory=OverridesBody)  # Why so: the document's drawing hashes defaults
    locks: list[LockBody] = field(default_factory=list)
    """What the run shall hold until it ends, beside what its process says."""
    placement: PlacementBody = PlacementBody()
    """What it names goes before what the steps name: the places, the user."""


class RerunRequest(OwnBody, frozen=True):
    """How to run again what has ended."""

    cause: str = ""
    """Why, in words."""
    idempotency_key: str | None = None
    """Repeated with the same key, it answers with the run that was started first."""


class Started(Shape, frozen=True):
    """The run that was started."""

    id: RunId
    started: Literal[True] = True


class NotStarted(Shape, frozen=True):
    """Nothing waited in the input queue."""

    started: Literal[False] = False


class StopProcessRun(Shape, frozen=True):
    """How to stop a run (§10.1)."""

    set_remaining_work_items_as_done: bool
    terminate_ongoing_activity_runs: bool
    reason: str | None = None

    def to_stop(self) -> model.StopRequest:
        """What the engine is asked."""
        done = self.set_remaining_work_items_as_done
        return model.StopRequest(self.terminate_ongoing_activity_runs, remaining_done=done, reason=self.reason or "")


@get("/process-runs", needs=Permission.READ_RUNS)
async def list_process_runs(
    request: Asking,
    paging: Pages,
    process_id: OfProcess = None,
    run_state: Annotated[model.RunState | None, QueryParameter(name="state")] = None,
) -> Page[ProcessRun]:
    """List process runs, newest first."""
    rows = await store.list_runs(*request.reading, process=process_id, state=run_state, **paging.before(RunId))
    locks = await locks_of(request, rows[: paging.limit])
    if not locks:
        return paging.page(rows, show)
    return paging.page(rows, lambda run: _with_locks(show(run), locks.get(run.id, [])))


@get("/process-runs/{run_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_process_run(request: Asking, run_id: Path[RunId]) -> ProcessRun:
    """Get a process run."""
    run = await store.get(*request.reading, run_id)
    shown = show(run)
    return shown if run.lock_state is None else _with_locks(shown, await locks_of_one(request, run))


@delete("/process-runs/{run_id:uuid}")
async def delete_process_run(request: Asking, run_id: Path[RunId]) -> Deleted:
    """Delete a process run that has ended, with all that belongs to it."""
    return await Deleted.after(run_id, actions.delete(*request.acting, run_id))


@post("/process-runs/{run_id:uuid}/stop")
async def stop_process_run(request: Asking, run_id: Path[RunId], data: Body[StopProcessRun]) -> Accepted:
    """Ask a process run to stop; not accepted if it has ended."""
    return Accepted(await actions.stop(*request.acting, run_id, data.to_stop()))


@post("/processes/{process_id:uuid}/process-runs")
async def start_process_run(
    request: Asking, process_id: Path[ProcessId], data: Body[StartRequest | None] = None
) -> Started | NotStarted:
    """Start a process: by default, with given items, with what waits, or with new payloads."""
    asked = data or StartRequest()
    run = await actions.start(*request.acting, process_id, inputs_of(asked), parameters_of(asked))
    return NotStarted() if run is None else Started(run.id)


@post("/tasks/{task_id:uuid}/process-runs")
async def start_task_run(
    request: Asking, task_id: Path[TaskId], data: Body[StartRequest | None] = None
) -> Started | NotStarted:
    """Start a bare task of a package, by a process that is the task's own; as a process is started."""
    asked = data or StartRequest()
    run = await actions.start_task(*request.acting, task_id, inputs_of(asked), parameters_of(asked))
    return NotStarted() if run is None else Started(run.id)


@post("/process-runs/{run_id:uuid}/rerun")
async def rerun_process_run(request: Asking, run_id: Path[RunId], data: Body[RerunRequest | None] = None) -> Started:
    """Start a run as one that has ended was: with its parameters, and copies of the items that it began with."""
    asked = data or RerunRequest()
    run = await reruns.rerun_run(*request.acting, run_id, cause=asked.cause, key=asked.idempotency_key)
    return Started(run.id)


# The dialect has no word for chains and queues.
_WORDS = worded(model.StartedBy, user="user", schedule="schedule", email="email", api="api chain queue")
_STARTERS = {kind: Starter(word, None) for kind, word in _WORDS.items()}


def _starter(run: model.Run) -> Starter:
    if run.started_by is not model.StartedBy.USER or run.started_by_id is None:
        return _STARTERS[run.started_by]
    first, last = run.starter_first_name or "", run.starter_last_name or ""
    return Starter("user", StarterDetails(UserId(run.started_by_id), first, last))


_show_overrides = shown_as(OverridesBody, model.Overrides)
_show = shown_as(ProcessRun, model.Run, started_by=_starter)


def show(run: model.Run) -> ProcessRun:
    """A run as this dialect writes it."""
    if (told := run.told) is None:
        return _show(run)
    overrides = None if told.overrides == model.AS_THE_STEPS_SAY else _show_overrides(told.overrides)
    return replace(_show(run), name=told.name, cause=told.cause, rerun_of=told.rerun_of, overrides=overrides)


def _with_locks(run: ProcessRun, locks: list[RunLock]) -> ProcessRun:
    if not locks:
        return run
    blocking = dict.fromkeys(each.id for lock in locks for each in lock.blocked_by)
    return replace(run, locks=locks, blocked_by=list(blocking))


def inputs_of(asked: StartRequest) -> model.Inputs:
    """The input that a start asks for. Raises Invalid."""
    # What is given says what is meant, with or without a type beside it; what contradicts it is never dropped.
    match asked.type, asked.work_item_ids, asked.payloads:
        case None, None, None:
            return model.DefaultInput()
        case "with_inputs", None, None:
            return model.WithWaiting()
        case None | "with_work_item_ids", list(items), None:
            return model.WithItems(tuple(items))
        case None | "with_payloads", None, list(payloads):
            array = b"[" + b",".join(map(bytes, payloads)) + b"]"
            return model.WithPayloads(Raw(array), len(payloads))
        case "with_work_item_ids", None, _:
            raise Invalid("with_work_item_ids needs work_item_ids.", code="INVALID_BODY")
        case "with_payloads", _, None:
            raise Invalid("with_payloads needs payloads.", code="INVALID_BODY")
        case _:
            raise Invalid("A start has either work_item_ids, or payloads, or with_inputs.", code="INVALID_BODY")


def callback_of(asked: CallbackRequest) -> Callback:
    """Whom to tell, as the engine takes it."""
    events = tuple(CallbackEvent(f"run.{name}") for name in asked.callback_events)
    return Callback(url=asked.url, grammar=GRAMMAR, events=events, secret=asked.secret)


parameters_of = shown_as(
    RunParameters, StartRequest, placement=("placement", placement_of), callback=("callback", callback_of)
)
"""What a start asks for beside its input."""

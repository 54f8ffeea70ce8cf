"""How a verb says what happened to a thing: an event in its own transaction; those who read events are woken."""

from typing import Any, Protocol, TypeAlias
from uuid import UUID

from controlroom.engine.access.model import Actor, StepRunActor, WorkerActor
from controlroom.engine.access.scope import Of, Robot, ScopedTx, by
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.wakes import Topic
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkItemId, WorkspaceId


class Placed(Protocol):
    """A row that says whose it is."""

    @property
    def organization_id(self) -> OrganizationId:
        """The tenant."""

    @property
    def workspace_id(self) -> WorkspaceId | None:
        """Its workspace, if it is one's."""


Place: TypeAlias = Of | Robot | Placed | OrganizationId
"""Where something happened: in the workspace of a scope, where a row is, or to the organization as a whole."""


async def record(
    engine: Engine,
    tx: ScopedTx,
    who: Actor | StepRunActor | WorkerActor | By,
    place: Place,
    kind: str,
    subject: UUID | None = None,
    /,
    *,
    process_id: ProcessId | None = None,
    run_id: RunId | None = None,
    step_run_id: StepRunId | None = None,
    work_item_id: WorkItemId | None = None,
    **data: Any,
) -> None:
    """Write who did what (`kind` is `noun.verb`) to the thing `subject`; readers are woken once it is committed.

    The other ids are what it belongs to; `data` is what a reader cannot find out any more, and never a secret.
    """
    event = happened(
        place,
        kind,
        subject,
        process_id=process_id,
        run_id=run_id,
        step_run_id=step_run_id,
        work_item_id=work_item_id,
        **data,
    )
    await append(tx, who if isinstance(who, By) else by(who), event)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))


def happened(
    place: Place,
    kind: str,
    subject: UUID | None = None,
    /,
    *,
    process_id: ProcessId | None = None,
    run_id: RunId | None = None,
    step_run_id: StepRunId | None = None,
    work_item_id: WorkItemId | None = None,
    **data: Any,
) -> Event:
    """The event of it, for those who append many at once and wake whom it concerns by themselves."""
    organization, workspace = _whose(place)
    return Event(
        kind=kind,
        organization_id=organization,
        workspace_id=workspace,
        process_id=process_id,
        run_id=run_id,
        step_run_id=step_run_id,
        work_item_id=work_item_id,
        subject_id=subject,
        data=data,
    )


def _whose(place: Place) -> tuple[OrganizationId, WorkspaceId | None]:
    match place:
        case Of() | Robot():
            return place.organization, place.workspace
        case UUID():
            return OrganizationId(place), None
        case _:
            return place.organization_id, place.workspace_id

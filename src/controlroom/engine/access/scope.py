"""What a statement must name so that it touches only what its actor may see (DESIGN §4.13).

A verb makes a scope of its actor and the permission it needs; its statements say `where workspace_id in {SEEN}` and
take `**scope.params`. One fragment thus keeps tenancy for everybody, and for a robot that its attempt still lives.
"""

from typing import Any

import msgspec
from msgspec import Struct

from controlroom.engine.access.errors import AttemptOver, WorkspaceNotFound
from controlroom.engine.access.model import Actor, ActorKind, Permission, StepRunActor, WorkerActor
from controlroom.engine.events.store import By
from controlroom.ids import OrganizationId, StepRunId, WorkspaceId
from controlroom.postgres.database import Statements

SEEN = """(
    select workspace.id from workspace
     where workspace.id = %(workspace)s
       and workspace.organization_id = %(organization)s
       and workspace.deleted_at is null
       and (%(step_run)s::uuid is null or exists (
               select from step_run
                where step_run.id = %(step_run)s
                  and step_run.workspace_id = workspace.id
                  and step_run.attempt = %(attempt)s
                  and step_run.state = 'in_progress')))"""
"""The workspace of the scope, if it exists and the actor has not lost it meanwhile; else no row."""


class Scope(Struct, frozen=True, kw_only=True):
    """A workspace as one actor sees it."""

    workspace: WorkspaceId
    organization: OrganizationId
    step_run: StepRunId | None = None
    attempt: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that `SEEN` names."""
        return msgspec.structs.asdict(self)


def scope_of(actor: Actor | StepRunActor, permission: Permission, workspace: WorkspaceId) -> Scope:
    """The workspace for an actor who has the permission there.

    A robot has no permissions: a verb that takes a StepRunActor at all is open to every living attempt of the
    workspace. Raises NotFound for an outsider, Forbidden for a member who lacks the permission.
    """
    if isinstance(actor, StepRunActor):
        if actor.workspace_id != workspace:
            raise WorkspaceNotFound
        return Scope(
            workspace=workspace,
            organization=actor.organization_id,
            step_run=actor.step_run_id,
            attempt=actor.attempt,
        )
    actor.require(permission, workspace)
    return Scope(workspace=workspace, organization=actor.organization_id)


async def ensure_seen(tx: Statements, scope: Scope) -> None:
    """Tell why a statement of this scope found nothing, if it is for the scope's sake.

    Raises AttemptOver when the robot's attempt has ended, WorkspaceNotFound when the workspace is gone or another
    organization's.
    """
    if await tx.value(f"select id from {SEEN} as seen", **scope.params) is not None:
        return
    raise AttemptOver if scope.step_run is not None else WorkspaceNotFound


async def ensure_lives(tx: Statements, robot: StepRunActor) -> None:
    """A robot's attempt has not ended, and has not been overtaken. Raises AttemptOver.

    For doors that give something before any statement names the attempt.
    """
    await ensure_seen(tx, scope_of(robot, Permission.READ_ASSETS, robot.workspace_id))


def by(actor: Actor | StepRunActor | WorkerActor) -> By:
    """The actor as events record it."""
    match actor:
        case Actor():
            return By(actor.kind.value, actor.id)
        case StepRunActor():
            return By(ActorKind.STEP_RUN.value, actor.step_run_id)
        case WorkerActor():
            return By(ActorKind.WORKER.value, actor.worker_id)

"""What a statement may touch: the tenants' rows that its actor may see, and no others (DESIGN §4.13, §13.9).

A Scope is made of an actor and a permission, and by nothing else: `scope_of`. A route that reads declares its
permission, and the border hands it the Scope; a verb that writes makes its own. Statements over the rows of one
workspace say `workspace_id = {SEEN}` and take `**scope.params`: one fragment keeps tenancy for everybody, and for a
robot that its attempt still lives. What the room does by itself, for all tenants, takes a `Room`.

Functions of a transaction that was begun `scoped` may write rows that the same transaction has found by its scope,
without naming the workspace again; their `tx` is a ScopedTx.
"""

from typing import Final

from controlroom.engine.access.errors import AttemptOver, NotOfOrganization, WorkspaceNotFound
from controlroom.engine.access.model import Actor, ActorKind, Permission, StepRunActor, WorkerActor
from controlroom.engine.events.store import By
from controlroom.engine.lists.model import Within
from controlroom.engine.tenancy import EACH, ITS_WORKSPACE, SEEN, Of, Robot, Room, Scope, ScopedTx, scoped
from controlroom.errors import Forbidden
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Statements

__all__ = [
    "EACH",
    "ITS_WORKSPACE",
    "SEEN",
    "Of",
    "Robot",
    "Room",
    "Scope",
    "ScopedTx",
    "by",
    "ensure_lives",
    "ensure_seen",
    "scope_of",
    "scope_of_robot",
    "scope_of_signed",
    "scope_of_worker",
    "scoped",
    "throughout",
    "within",
    "within_ever",
]

_EVER: Final = "(select workspace.id from workspace where workspace.organization_id = %(organization)s)"


def scope_of(actor: Actor | StepRunActor, permission: Permission, workspace: WorkspaceId | None = None) -> Scope:
    """The workspace for an actor who has the permission there; without one, all in which they have it.

    A robot has no permissions: a verb that takes a StepRunActor at all is open to every living attempt of the
    workspace. Raises NotFound for an outsider, Forbidden for a member who lacks the permission, or has it nowhere.
    """
    if isinstance(actor, StepRunActor):
        if workspace not in {None, actor.workspace_id}:
            raise WorkspaceNotFound
        return scope_of_robot(actor)
    if workspace is not None:
        actor.require(permission, workspace)
        return Of(actor.organization_id, (workspace,))
    having = tuple(each for each in actor.grants if actor.may(permission, each))
    if not having:
        raise Forbidden(
            f"this needs the permission {permission.value}", code="PERMISSION_MISSING", permission=permission
        )
    if actor.noting is not None:
        actor.noting.asked(actor, permission, None)
    return Of(actor.organization_id, having)


def scope_of_robot(robot: StepRunActor) -> Robot:
    """What a robot's attempt is for."""
    return Robot(robot.organization_id, robot.workspace_id, robot.step_run_id, robot.attempt)


def scope_of_worker(worker: WorkerActor) -> Of:
    """What a worker serves: statements over what it has in hand say `workspace_id in {EACH}`."""
    return Of(worker.organization_id, worker.workspaces)


async def scope_of_signed(
    db: Statements, workspace: WorkspaceId, organization: OrganizationId | None = None
) -> Of | None:
    """The workspace for what carries its own right: a token or a link that we have signed for it. None: it is gone.

    One that tells the organization, too, spares looking for it; whether the workspace is there the statements see to.
    """
    if organization is not None:
        return Of(organization, (workspace,))
    organization = await db.value(
        "select organization_id from workspace where id = %(workspace)s and deleted_at is null", workspace=workspace
    )
    return None if organization is None else Of(organization, (workspace,))


def within(scope: Scope) -> Within:
    """The part of a list that the scope sees: one workspace stays an equality, each of several is asked for itself."""
    if isinstance(scope, Of) and len(scope.workspaces) != 1:
        return Within.several(EACH, **scope.each)
    return Within.one(SEEN, **scope.params)


def throughout(actor: Actor, permission: Permission) -> Within:
    """The part of a list of the organization's own rows: all of them, for who has the permission throughout it.

    Raises Forbidden for who has it in some workspaces only, or nowhere.
    """
    if not actor.uses(permission, None):
        raise NotOfOrganization(permission)
    return Within.one("%(organization)s", organization=actor.organization_id)


def within_ever(actor: Actor, permission: Permission, seen: Scope) -> Within:
    """The part of a list that the scope sees, and what lay in workspaces that are gone, which no scope has any more.

    The latter for who has the permission throughout the organization: others do not learn of what there was.
    """
    if not actor.uses(permission, None):
        return within(seen)
    return Within.several(_EVER, organization=actor.organization_id)


async def ensure_seen(tx: Statements, scope: Scope) -> None:
    """Tell why a statement of this scope found nothing, if it is for the scope's sake.

    Raises AttemptOver when the robot's attempt has ended, WorkspaceNotFound when the workspace is gone or another
    organization's.
    """
    if await tx.value(f"select id from {SEEN} as seen", **scope.params) is not None:
        return
    raise AttemptOver if isinstance(scope, Robot) else WorkspaceNotFound


async def ensure_lives(tx: Statements, robot: StepRunActor) -> None:
    """A robot's attempt has not ended, and has not been overtaken. Raises AttemptOver.

    For doors that give something before any statement names the attempt.
    """
    await ensure_seen(tx, scope_of_robot(robot))


def by(actor: Actor | StepRunActor | WorkerActor) -> By:
    """The actor as events record it."""
    match actor:
        case Actor():
            return By(actor.kind.value, actor.id)
        case StepRunActor():
            return By(ActorKind.STEP_RUN.value, actor.step_run_id)
        case WorkerActor():
            return By(ActorKind.WORKER.value, actor.worker_id)

"""What the verbs over things of an organization share that serve its workspaces: workers, groups, tokens, provisioners.

Each verb comes by a workspace that the thing serves. What changes the thing itself needs the right in all workspaces
that it serves; its deletion in one of them ends the service there, and is a deletion where it was the last one.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Of, Scope, ScopedTx, by, ensure_seen, scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.nouns import Noun
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import serving
from controlroom.engine.workers.errors import ServesNothing, ServesOthers
from controlroom.engine.workers.model import AllWorkspaces, Serves, TheseWorkspaces
from controlroom.engine.workers.serving import Served, Service
from controlroom.errors import Forbidden
from controlroom.ids import OrganizationId, WorkspaceId


async def served(engine: Engine, actor: Actor, workspace: WorkspaceId, noun: Noun[Any], subject: UUID) -> Served:
    """What something serves that serves a workspace: all, and those workspaces in which the actor may see workers."""
    await serving.seen(engine.database, scope_of(actor, Permission.READ_WORKERS, workspace), noun, subject)
    return await serving.seen(engine.database, scope_of(actor, Permission.READ_WORKERS), noun, subject)


async def held(tx: ScopedTx, scope: Scope, noun: Noun[Any], subject: UUID) -> Service:
    """What a subject that the scope sees serves, locked. Raises the noun's NotFound."""
    service = await serving.lock(tx, scope, noun, subject)
    if service is None:
        await ensure_seen(tx, scope)
        raise noun.missing(str(subject))
    return service


def require_everywhere(actor: Actor, service: Service) -> None:
    """The right to change what serves, in every workspace that it serves. Raises ServesOthers."""
    if not all(actor.may(Permission.WRITE_WORKERS, workspace) for workspace in service.workspaces):
        raise ServesOthers


def wished(actor: Actor, wanted: Serves) -> Serves:
    """What something shall serve, if the actor may let it.

    Raises NotFound for workspaces that the actor does not know, Forbidden where the right is missing (all workspaces,
    those to come too, take the right in the organization), ServesNothing.
    """
    match wanted:
        case AllWorkspaces():
            if not actor.uses(Permission.WRITE_WORKERS, None):
                raise Forbidden(
                    "only who may change workers in the whole organization lets something serve all its workspaces",
                    code="ADMIN_ONLY",
                )
        case TheseWorkspaces(workspaces):
            if not workspaces:
                raise ServesNothing
            for workspace in workspaces:
                actor.require(Permission.WRITE_WORKERS, workspace)
    return wanted


async def written(tx: ScopedTx, noun: Noun[Any], subject: UUID, wanted: Serves) -> Service:
    """Write what a locked subject serves from now on; what that is."""
    await serving.change(tx, noun, subject, wanted)
    return await serving.now(tx, noun, subject)


def without(service: Service, workspace: WorkspaceId) -> TheseWorkspaces | None:
    """What is left of a service that ends in a workspace: no more those to come; None if that was the last one."""
    left = tuple(each for each in service.workspaces if each != workspace)
    return TheseWorkspaces(left) if left else None


async def tell(
    engine: Engine, tx: ScopedTx, who: Actor | By, service: Service, kind: str, subject: UUID, **data: Any
) -> None:
    """Write what happened to what serves workspaces: each of them has it in its own record."""
    await tell_in(engine, tx, who, service.organization_id, service.workspaces, kind, subject, **data)


async def tell_in(
    engine: Engine,
    tx: ScopedTx,
    who: Actor | By,
    organization: OrganizationId,
    workspaces: Sequence[WorkspaceId],
    kind: str,
    subject: UUID,
    **data: Any,
) -> None:
    """Likewise, in the record of these workspaces."""
    events = [happened(Of(organization, (workspace,)), kind, subject, **data) for workspace in workspaces]
    await append(tx, who if isinstance(who, By) else by(who), *events)
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))


async def tell_service(
    engine: Engine, tx: ScopedTx, actor: Actor, word: str, subject: UUID, before: Service, after: Service
) -> None:
    """Write of which workspaces something has begun, and has ended, to serve: each of them knows it of itself."""
    of, is_all = before.organization_id, after.serves_all
    begun = [each for each in after.workspaces if each not in before.workspaces]
    ended = [each for each in before.workspaces if each not in after.workspaces]
    await tell_in(engine, tx, actor, of, begun, f"{word}.service_begun", subject, serves_all=is_all)
    await tell_in(engine, tx, actor, of, ended, f"{word}.service_ended", subject, serves_all=is_all)

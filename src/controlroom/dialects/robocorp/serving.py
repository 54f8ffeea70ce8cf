"""Which workspaces workers, worker groups, link tokens and provisioners serve (our own management API).

They are an organization's and serve one, several or all of its workspaces; under a workspace's address those are found
that serve it, and a deletion there ends the service in it.
"""

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Named, Shape, shown_as
from controlroom.dialects.robocorp.routing import get, update
from controlroom.engine.provisioners import actions as provisioners
from controlroom.engine.provisioners.store import PROVISIONER
from controlroom.engine.workers import actions, link_tokens, linking, service
from controlroom.engine.workers.link_tokens import LINK_TOKEN
from controlroom.engine.workers.model import AllWorkspaces, Serves, TheseWorkspaces
from controlroom.engine.workers.serving import Served
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import LinkTokenId, ProvisionerId, WorkerGroupId, WorkerId, WorkspaceId

_TOKEN = "/worker-groups/{group_id:uuid}/link-tokens/{token_id:uuid}/serving"  # noqa: S105 - a path


class Serving(Shape, frozen=True, kw_only=True):
    """What something serves: all workspaces, also those to come, or the named ones."""

    serves_all: bool = False
    workspaces: tuple[WorkspaceId, ...] = ()

    def wanted(self) -> Serves:
        """Likewise, in the engine's words."""
        if self.serves_all and self.workspaces:
            raise Invalid("it serves all workspaces, or those that are named", code="BODY_INVALID")
        return AllWorkspaces() if self.serves_all else TheseWorkspaces(self.workspaces)

    def wished(self) -> Serves | None:
        """Likewise for something new; None: the workspace of the address."""
        return self.wanted() if self.serves_all or self.workspaces else None


class OwnServing(Serving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Likewise, for routes of our own."""


class ServingAnswer(Shape, frozen=True):
    """What something serves: the workspaces in which the caller may see workers."""

    serves_all: bool
    workspaces: list[Named]


@get("/workers/{worker_id:uuid}/serving", needs=Permission.READ_WORKERS)
async def get_serving_of_worker(request: Asking, worker_id: Path[WorkerId]) -> ServingAnswer:
    """Tell which workspaces a worker serves."""
    return _show(await service.served(*request.acting, WORKER, worker_id))


@update("/workers/{worker_id:uuid}/serving")
async def update_serving_of_worker(request: Asking, worker_id: Path[WorkerId], data: Body[OwnServing]) -> ServingAnswer:
    """Say which workspaces a worker serves. What it runs for others is lost."""
    return _show(await actions.serve(*request.acting, worker_id, data.wanted()))


@get("/worker-groups/{group_id:uuid}/serving", needs=Permission.READ_WORKERS)
async def get_serving_of_worker_group(request: Asking, group_id: Path[WorkerGroupId]) -> ServingAnswer:
    """Tell in which workspaces steps may be placed on a group."""
    return _show(await service.served(*request.acting, WORKER_GROUP, group_id))


@update("/worker-groups/{group_id:uuid}/serving")
async def update_serving_of_worker_group(
    request: Asking, group_id: Path[WorkerGroupId], data: Body[OwnServing]
) -> ServingAnswer:
    """Say in which workspaces steps may be placed on a group."""
    return _show(await actions.serve_with_group(*request.acting, group_id, data.wanted()))


@get(_TOKEN, needs=Permission.READ_WORKERS)
async def get_serving_of_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId]
) -> ServingAnswer:
    """Tell which workspaces the workers will serve that come with a group's token."""
    await link_tokens.get(*request.reading, token_id, group=group_id)
    return _show(await service.served(*request.acting, LINK_TOKEN, token_id))


@update(_TOKEN)
async def update_serving_of_link_token(
    request: Asking, group_id: Path[WorkerGroupId], token_id: Path[LinkTokenId], data: Body[OwnServing]
) -> ServingAnswer:
    """Say which workspaces the workers will serve that come with a group's token from now on."""
    return _show(await linking.serve_with_link_token(*request.acting, token_id, data.wanted(), group=group_id))


@get("/provisioners/{provisioner_id:uuid}/serving", needs=Permission.READ_WORKERS)
async def get_serving_of_provisioner(request: Asking, provisioner_id: Path[ProvisionerId]) -> ServingAnswer:
    """Tell in which workspaces steps may be placed on a provisioner."""
    return _show(await service.served(*request.acting, PROVISIONER, provisioner_id))


@update("/provisioners/{provisioner_id:uuid}/serving")
async def update_serving_of_provisioner(
    request: Asking, provisioner_id: Path[ProvisionerId], data: Body[OwnServing]
) -> ServingAnswer:
    """Say in which workspaces steps may be placed on a provisioner."""
    return _show(await provisioners.serve(*request.acting, provisioner_id, data.wanted()))


_show = shown_as(
    ServingAnswer,
    Served,
    workspaces=lambda served: [Named(each.id, each.name) for each in served.workspaces],
)

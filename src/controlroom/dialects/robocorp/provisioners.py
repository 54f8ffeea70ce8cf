"""Provisioners of workers on demand (§9.5; our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, duration_of, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.serving import OwnServing
from controlroom.dialects.robocorp.webhooks import DeliveryAnswer, OfState, deliveries_of
from controlroom.engine.provisioners import actions, model, store
from controlroom.ids import ProvisionerId


class ProvisionerAnswer(Shape, frozen=True, kw_only=True):
    """Who starts workers on demand, without its secret."""

    id: ProvisionerId
    name: str
    endpoint: str
    max_lifetime_seconds: float | None
    created_at: datetime


class NewProvisioner(ProvisionerAnswer, frozen=True, kw_only=True):
    """A provisioner with the secret that signs the requests to it."""

    secret: str


class RevealedSecret(Shape, frozen=True):
    """A provisioner's secret."""

    id: ProvisionerId
    secret: str


class CreateProvisioner(OwnServing, frozen=True, kw_only=True):
    """A new provisioner, of the workspace unless others are named; without `secret` one is made."""

    name: str
    endpoint: str
    secret: str | None = None
    max_lifetime_seconds: float | None = None


class UpdateProvisioner(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    name: str | None = None
    endpoint: str | None = None
    secret: str | None = None
    max_lifetime_seconds: float | None = None


@get("/provisioners", needs=Permission.READ_WORKERS)
async def list_provisioners(request: Asking, paging: Pages) -> Page[ProvisionerAnswer]:
    """List provisioners, oldest first, without their secrets."""
    return paging.page(await store.list_provisioners(*request.reading, **paging.after(ProvisionerId)), _show)


@post("/provisioners")
async def create_provisioner(request: Asking, data: Body[CreateProvisioner]) -> NewProvisioner:
    """Create a provisioner. A step is placed on it by `placement: {"provisioner": id}`."""
    lifetime = duration_of(data.max_lifetime_seconds)
    made, secret = await actions.create(
        *request.acting,
        name=data.name,
        endpoint=data.endpoint,
        secret=data.secret,
        max_lifetime=lifetime,
        serves=data.wished(),
    )
    return _show(made).widened(NewProvisioner, secret=secret)


@get("/provisioners/{provisioner_id:uuid}", needs=Permission.READ_WORKERS)
async def get_provisioner(request: Asking, provisioner_id: Path[ProvisionerId]) -> ProvisionerAnswer:
    """Get a provisioner, without its secret."""
    return _show(await store.get(*request.reading, provisioner_id))


@update("/provisioners/{provisioner_id:uuid}")
async def update_provisioner(
    request: Asking, provisioner_id: Path[ProvisionerId], data: Body[UpdateProvisioner]
) -> ProvisionerAnswer:
    """Change a provisioner; requests under way go to where it is now."""
    most = duration_of(data.max_lifetime_seconds)
    changed = await actions.update(
        *request.acting, provisioner_id, name=data.name, endpoint=data.endpoint, secret=data.secret, max_lifetime=most
    )
    return _show(changed)


@delete("/provisioners/{provisioner_id:uuid}")
async def delete_provisioner(request: Asking, provisioner_id: Path[ProvisionerId]) -> Deleted:
    """Delete a provisioner that no step is placed on."""
    return await Deleted.after(provisioner_id, actions.delete(*request.acting, provisioner_id))


@post("/provisioners/{provisioner_id:uuid}/reveal")
async def reveal_provisioner(request: Asking, provisioner_id: Path[ProvisionerId]) -> RevealedSecret:
    """Show the secret of a provisioner once more. It is recorded who saw it."""
    return RevealedSecret(provisioner_id, await actions.reveal(*request.acting, provisioner_id))


@get("/provisioners/{provisioner_id:uuid}/deliveries", needs=(Permission.READ_WORKERS, Permission.READ_WEBHOOKS))
async def list_provisioner_deliveries(
    request: Asking, paging: Pages, provisioner_id: Path[ProvisionerId], delivery_state: OfState = None
) -> Page[DeliveryAnswer]:
    """List what a provisioner was asked, newest first."""
    await store.get(*request.reading, provisioner_id)
    return await deliveries_of(request, paging, provisioner_id, delivery_state)


_show = shown_as(ProvisionerAnswer, model.Provisioner)

"""Secrets of the organization (our own management API): attributes, owners and values; what is masked shows to few."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind
from controlroom.engine.vault.errors import AttributeNotFound
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared import actions, giving, model
from controlroom.engine.vault.shared.giving import Given
from controlroom.engine.vault.shared.listings import SHARED_SECRETS, seen_by
from controlroom.engine.vault.shared.model import AttributeDefinition, SecretChange, SecretValue, SharedSecret
from controlroom.ids import AttributeId, LockerId, SecretValueId, SharedSecretId, UserId


class AttributeAnswer(Shape, frozen=True, kw_only=True):
    """An attribute of a secret."""

    id: AttributeId
    name: str
    description: str
    user_provided: bool
    masked: bool
    password: bool
    revision: int


class SharedSecretAnswer(Shape, frozen=True, kw_only=True):
    """A secret of the organization, without its values."""

    id: SharedSecretId
    name: str
    description: str
    revision: int
    owner: Named
    locker: Named | None
    attributes: list[AttributeAnswer]
    completed: bool
    """Nobody owes it a value."""
    created_at: datetime
    updated_at: datetime


class SharedValueAnswer(Shape, frozen=True, kw_only=True):
    """A value of an attribute; null where it is not shown."""

    id: SecretValueId
    attribute: Named
    user_id: UserId | None
    value: str | None
    revision: int
    updated_at: datetime


class SecretAttributeBody(OwnBody, frozen=True, kw_only=True):
    """What an attribute shall be; without an id the one of its name, else a new one."""

    name: str
    id: AttributeId | None = None
    description: str = ""
    user_provided: bool = False
    masked: bool = False
    password: bool = False


class CreateSharedSecret(OwnBody, frozen=True, kw_only=True):
    """A new secret, without values; who asks owns it, unless another user is said to."""

    name: str
    description: str = ""
    attributes: tuple[SecretAttributeBody, ...] = ()
    owner: Reference | None = None
    locker: Reference | None = None


class EditSharedSecret(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. With a revision, only while it is the one there."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    attributes: list[SecretAttributeBody] | UnsetType = UNSET
    revision: int | None = None


class GiveTo(OwnBody, frozen=True):
    """Whose it shall be."""

    user: Reference


class GiveValues(OwnBody, frozen=True, kw_only=True):
    """Values for attributes, by the names of these; of a user, where each has their own."""

    values: dict[str, str]
    replace: bool = False
    """Also for those that have one."""
    user: Reference | None = None


class ChangeValue(OwnBody, frozen=True, kw_only=True):
    """Another value. With a revision, only while it is the one there."""

    value: str
    revision: int | None = None


@get("/shared-secrets", needs=Permission.READ_SECRETS)
async def list_shared_secrets(request: Asking, paging: Pages) -> Page[SharedSecretAnswer]:
    """List the secrets of the organization that you may know of, oldest first."""
    position = paging.after(SharedSecretId)
    asked = Asked(start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, SharedSecret, SHARED_SECRETS, seen_by(asker_of(request.actor)), asked)
    return paging.page(rows, _show)


@post("/shared-secrets", needs=Permission.READ_SECRETS)
async def create_shared_secret(request: Asking, data: Body[CreateSharedSecret]) -> SharedSecretAnswer:
    """Create a secret of the organization."""
    made = await actions.create(
        *request.governing,
        name=data.name,
        description=data.description,
        attributes=[_definition(each) for each in data.attributes],
        owner=None if data.owner is None else UserId(data.owner.id),
        locker=None if data.locker is None else LockerId(data.locker.id),
    )
    return _show(made)


@get("/shared-secrets/{secret_id:uuid}", needs=Permission.READ_SECRETS)
async def get_shared_secret(request: Asking, secret_id: Path[SharedSecretId]) -> SharedSecretAnswer:
    """Get a secret of the organization, without its values."""
    return _show(await actions.get(*request.governing, secret_id))


@update("/shared-secrets/{secret_id:uuid}", needs=Permission.READ_SECRETS)
async def update_shared_secret(
    request: Asking, secret_id: Path[SharedSecretId], data: Body[EditSharedSecret]
) -> SharedSecretAnswer:
    """Change a secret, for its owner; its attributes are replaced as a whole."""
    attributes = data.attributes if data.attributes is UNSET else [_definition(each) for each in data.attributes]
    change = SecretChange(name=data.name, description=data.description, attributes=attributes)
    return _show(await actions.edit(*request.governing, secret_id, change, revision=data.revision))


@update("/shared-secrets/{secret_id:uuid}/owner", needs=Permission.READ_SECRETS)
async def give_shared_secret(request: Asking, secret_id: Path[SharedSecretId], data: Body[GiveTo]) -> Identified:
    """Let another user own a secret: it is yours no more."""
    await actions.give_to(*request.governing, secret_id, UserId(data.user.id))
    return Identified(secret_id)


@delete("/shared-secrets/{secret_id:uuid}", needs=Permission.READ_SECRETS)
async def delete_shared_secret(request: Asking, secret_id: Path[SharedSecretId]) -> Deleted:
    """Delete a secret with all its values, for its owner."""
    return await Deleted.after(secret_id, actions.delete(*request.governing, secret_id))


@get("/shared-secrets/{secret_id:uuid}/values", needs=Permission.READ_SECRETS)
async def list_shared_values(
    request: Asking, secret_id: Path[SharedSecretId], attribute: Query[str | None] = None
) -> list[SharedValueAnswer]:
    """List the values that you may know of; of one attribute alone, what is masked shows to its owner. Audited."""
    which = None if attribute is None else await _attribute(request, secret_id, attribute)
    return [_show_value(each) for each in await giving.show(*request.governing, secret_id, attribute=which)]


@post("/shared-secrets/{secret_id:uuid}/values", needs=Permission.READ_SECRETS)
async def give_shared_values(
    request: Asking, secret_id: Path[SharedSecretId], data: Body[GiveValues]
) -> list[SharedValueAnswer]:
    """Give attributes values: everybody's by the owner, a user's own by themselves."""
    given = [Given(await _attribute(request, secret_id, name), value) for name, value in data.values.items()]
    user = None if data.user is None else UserId(data.user.id)
    written = await giving.give(*request.governing, secret_id, given, user=user, replaces=data.replace)
    return [_show_value(each) for each in written]


@update("/shared-secrets/{secret_id:uuid}/values/{value_id:uuid}", needs=Permission.READ_SECRETS)
async def change_shared_value(
    request: Asking, secret_id: Path[SharedSecretId], value_id: Path[SecretValueId], data: Body[ChangeValue]
) -> SharedValueAnswer:
    """Put another value in the place of one."""
    return _show_value(await giving.change(*request.governing, secret_id, value_id, data.value, revision=data.revision))


@delete("/shared-secrets/{secret_id:uuid}/values/{value_id:uuid}", needs=Permission.READ_SECRETS)
async def delete_shared_value(
    request: Asking, secret_id: Path[SharedSecretId], value_id: Path[SecretValueId]
) -> Deleted:
    """Delete a value."""
    return await Deleted.after(value_id, giving.remove(*request.governing, secret_id, value_id))


async def _attribute(request: Asking, secret: SharedSecretId, name: str) -> AttributeId:
    found = await actions.get(*request.governing, secret)
    for each in found.attributes:
        if each.name == name:
            return each.id
    raise AttributeNotFound


def _definition(body: SecretAttributeBody) -> AttributeDefinition:
    return AttributeDefinition(
        id=body.id,
        name=body.name,
        description=body.description,
        is_user_provided=body.user_provided,
        is_masked=body.masked,
        is_password=body.password,
    )


_show_attribute = shown_as(
    AttributeAnswer,
    model.Attribute,
    user_provided="is_user_provided",
    masked="is_masked",
    password="is_password",  # noqa: S106 - a field
)


def _show(secret: SharedSecret) -> SharedSecretAnswer:
    return SharedSecretAnswer(
        id=secret.id,
        name=secret.name,
        description=secret.description,
        revision=secret.revision,
        owner=Named(secret.owner_id, secret.owner_name),
        locker=None if secret.locker_id is None else Named(secret.locker_id, secret.locker_name or ""),
        attributes=[_show_attribute(each) for each in secret.attributes],
        completed=secret.is_completed,
        created_at=secret.created_at,
        updated_at=secret.updated_at,
    )


def _show_value(found: SecretValue) -> SharedValueAnswer:
    row = found.row
    return SharedValueAnswer(
        id=row.id,
        attribute=Named(row.attribute_id, row.attribute_name),
        user_id=row.user_id,
        value=found.value,
        revision=row.revision,
        updated_at=row.updated_at,
    )

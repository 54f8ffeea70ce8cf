"""Credential Vault API v2 (§2.12): credentials and their values, which are secrets of the organization."""

from typing import Annotated

from controlroom.border.columns import As
from controlroom.dialects.automation360 import transport
from controlroom.dialects.automation360.answers import Shape, moment, shown_as
from controlroom.dialects.automation360.asking import Asking, Body, Query, QueryParameter
from controlroom.dialects.automation360.columns import NOT_TOLD, Columns, nothing_is_zero
from controlroom.dialects.automation360.ids import Id, find, number_of, shown
from controlroom.dialects.automation360.lists import Listed, Sought, page
from controlroom.dialects.automation360.routing import delete, get, post, put
from controlroom.dialects.automation360.vault_routes import Routes, checked, everywhere, keeping
from controlroom.engine.access.nouns import USER
from controlroom.engine.vault.errors import AttributeNotFound
from controlroom.engine.vault.lockers.model import Asker
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.lockers.store import LOCKER
from controlroom.engine.vault.shared import actions, giving
from controlroom.engine.vault.shared.giving import Given
from controlroom.engine.vault.shared.listings import SHARED_SECRETS, seen_by
from controlroom.engine.vault.shared.model import (
    Attribute,
    AttributeDefinition,
    SecretChange,
    SecretValue,
    SharedSecret,
)
from controlroom.engine.vault.shared.rules import MOST_ATTRIBUTES
from controlroom.engine.vault.shared.store import SHARED_SECRET
from controlroom.engine.vault.shared.values import VALUE
from controlroom.errors import Invalid
from controlroom.ids import AttributeId, SharedSecretId, UserId

_routes = Routes()
handlers = _routes.handlers


class AttributeTold(Shape, frozen=True, kw_only=True):
    """An attribute of a credential."""

    id: str
    name: str
    description: str
    user_provided: bool
    masked: bool
    password_flag: bool
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    version: str
    external_vault_username_expression: None = None


class CredentialPermissions(Shape, frozen=True):
    """What the caller may do with a credential."""

    can_transfer_ownership: bool


class CredentialTold(Shape, frozen=True, kw_only=True):
    """A credential, without values."""

    id: str
    name: str
    description: str
    locker_id: str | None
    owner_id: str
    attributes: list[AttributeTold]
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    version: str
    completed: bool
    permissions: CredentialPermissions
    external_vault_credential_name: None = None


class ValueTold(Shape, frozen=True, kw_only=True):
    """A value of an attribute; `""` where it is masked."""

    id: str
    credential_attribute_id: str
    value: str
    user_id: str
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    version: str
    password: bool


class Credentials(Shape, frozen=True):
    """All credentials of a locker."""

    list: list[CredentialTold]


class Values(Shape, frozen=True):
    """Values of a credential."""

    list: list[ValueTold]


class AttributeAsked(Shape, frozen=True, kw_only=True):
    """What an attribute shall be; without an id the one of its name, else a new one."""

    name: str
    id: int | None = None
    description: str = ""
    user_provided: bool = False
    masked: bool = False
    password_flag: bool = False


class CredentialAsked(Shape, frozen=True, kw_only=True):
    """What a credential shall be. Its values are given apart, its owner by a call of its own."""

    name: str
    description: str = ""
    attributes: list[AttributeAsked] | None = None
    locker_id: int | None = None
    version: int | None = None


class ValueAsked(Shape, frozen=True, kw_only=True):
    """A value for an attribute."""

    credential_attribute_id: int
    value: str


class ValuesAsked(Shape, frozen=True):
    """Values for attributes that have none."""

    list: list[ValueAsked]


class ValueChange(Shape, frozen=True, kw_only=True):
    """Another value, and the version that the caller has seen."""

    value: str
    version: int


_COLUMNS = Columns(
    SHARED_SECRETS,
    {
        "id": As("number", sort="id"),
        "name": "name",
        "description": "description",
        "ownerId": "owner_number",
        "lockerId": As("locker_number", sort=""),
        "lockerName": As("locker_name", sort=""),
        "version": "revision",
        "completed": "is_completed",
        "externalVaultCredentialName": NOT_TOLD,
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by_number"),
        "updatedBy": nothing_is_zero("updated_by_number"),
    },
)

EncryptionKey = Annotated[str | None, QueryParameter(name="encryptionKey")]


@_routes.route(post, "/credentials", status=201)
async def create_credential(request: Asking, data: Body[CredentialAsked]) -> CredentialTold:
    """Create a credential, without values, for the caller."""
    checked(data.name, data.description)
    engine, actor = keeping(request)
    locker = None
    if data.locker_id is not None:
        locker = (await find(request, LOCKER, data.locker_id, everywhere(request))).id
    definitions = [_definition(each, None) for each in data.attributes or ()]
    made = await actions.create(
        engine, actor, name=data.name, description=data.description, attributes=definitions, locker=locker
    )
    return show(made, asker_of(actor))


@_routes.route(post, "/credentials/list")
async def list_credentials(
    request: Asking, data: Sought = None, consumed: Query[bool | None] = None
) -> Listed[CredentialTold]:
    """Search the credentials that the caller owns, or sees for the sake of a locker."""
    asker = asker_of(keeping(request)[1])
    found = await page(request, data, _COLUMNS, SharedSecret, within=seen_by(asker, consumed=consumed))
    return found.shown([show(row, asker) for row in found.rows])


@_routes.route(get, "/credentials/{credential:str}")
async def get_credential(request: Asking, credential: Id) -> CredentialTold:
    """Get a credential."""
    engine, actor = keeping(request)
    return show(await actions.get(engine, actor, await the(request, credential)), asker_of(actor))


@_routes.route(put, "/credentials/{credential:str}")
async def update_credential(request: Asking, credential: Id, data: Body[CredentialAsked]) -> CredentialTold:
    """Replace what a credential is, if its version is still the one that the caller has seen."""
    checked(data.name, data.description)
    engine, actor = keeping(request)
    secret = await the(request, credential)
    before = await actions.get(engine, actor, secret)
    change = SecretChange(name=data.name, description=data.description)
    if data.attributes is not None:
        definitions = [_definition(each, before) for each in data.attributes]
        change = SecretChange(name=data.name, description=data.description, attributes=definitions)
    locker = None
    if data.locker_id not in {None, before.locker_number}:
        locker = (await find(request, LOCKER, data.locker_id or 0, everywhere(request))).id
    return show(
        await actions.edit(engine, actor, secret, change, revision=data.version, locker=locker), asker_of(actor)
    )


@_routes.route(delete, "/credentials/{credential:str}")
async def delete_credential(request: Asking, credential: Id) -> None:
    """Delete a credential with all its values."""
    await actions.delete(*keeping(request), await the(request, credential))


@_routes.route(put, "/credentials/{credential:str}/owner/{user:str}", status=204)
async def change_credential_owner(request: Asking, credential: Id, user: Id) -> None:
    """Let another user own a credential."""
    engine, actor = keeping(request)
    secret = await the(request, credential)
    await actions.give_to(engine, actor, secret, (await find(request, USER, user, everywhere(request))).id)


@_routes.route(get, "/credentials/{credential:str}/attributevalues")
async def get_credential_values(
    request: Asking,
    credential: Id,
    attribute: Annotated[str | None, QueryParameter(name="credentialAttributeId")] = None,
    user: Annotated[str | None, QueryParameter(name="userId")] = None,
    encryption_key: EncryptionKey = None,
) -> Values:
    """Get the values that the caller may see; what is masked only if its attribute alone is asked for."""
    engine, actor = keeping(request)
    close = await transport.closed_for(encryption_key)
    secret = await the(request, credential)
    which = None
    if attribute:
        which = _attribute(await actions.get(engine, actor, secret), number_of(attribute))
    whose = await _user(request, user)
    found = await giving.show(engine, actor, secret, attribute=which, user=whose)
    return Values([_show_value(each, close(each.value) if each.value else "") for each in found])


@_routes.route(post, "/credentials/{credential:str}/attributevalues", status=201)
async def create_credential_values(
    request: Asking,
    credential: Id,
    data: Body[ValuesAsked],
    user: Annotated[str | None, QueryParameter(name="userId")] = None,
    encryption_key: EncryptionKey = None,
) -> Values:
    """Give attributes values, encrypted for the transport key if it is named."""
    engine, actor = keeping(request)
    if len(data.list) > MOST_ATTRIBUTES:
        raise Invalid(f"A credential has at most {MOST_ATTRIBUTES} attributes.", code="TOO_MANY_VALUES")
    secret = await the(request, credential)
    found = await actions.get(engine, actor, secret)
    whose = await _user(request, user)
    clear = await transport.opened(engine, encryption_key, [each.value for each in data.list])
    given = [
        Given(_attribute(found, each.credential_attribute_id), value)
        for each, value in zip(data.list, clear, strict=True)
    ]
    written = await giving.give(engine, actor, secret, given, user=whose)
    return Values([_show_value(each, each.value or "") for each in written])


@_routes.route(put, "/credentials/{credential:str}/attributevalues/{value:str}")
async def update_credential_value(
    request: Asking, credential: Id, value: Id, data: Body[ValueChange], encryption_key: EncryptionKey = None
) -> ValueTold:
    """Change a value, if its version is still the one that the caller has seen."""
    engine, actor = keeping(request)
    secret = await the(request, credential)
    located = await find(request, VALUE, value, everywhere(request))
    [clear] = await transport.opened(engine, encryption_key, [data.value])
    changed = await giving.change(engine, actor, secret, located.id, clear, revision=data.version)
    return _show_value(changed, changed.value or "")


@_routes.route(delete, "/credentials/{credential:str}/attributevalues/{value:str}")
async def delete_credential_value(request: Asking, credential: Id, value: Id) -> None:
    """Delete a value."""
    engine, actor = keeping(request)
    secret = await the(request, credential)
    await giving.remove(engine, actor, secret, (await find(request, VALUE, value, everywhere(request))).id)


async def the(request: Asking, credential: str) -> SharedSecretId:
    """The secret of a number, whoever may see it."""
    return (await find(request, SHARED_SECRET, credential, everywhere(request))).id


def show(secret: SharedSecret, asker: Asker) -> CredentialTold:
    """A secret as its reader is told."""
    return CredentialTold(
        id=shown(secret.number),
        name=secret.name,
        description=secret.description,
        locker_id=None if secret.locker_number is None else shown(secret.locker_number),
        owner_id=shown(secret.owner_number),
        attributes=[_show_attribute(each) for each in secret.attributes],
        created_by=shown(secret.created_by_number),
        created_on=moment(secret.created_at),
        updated_by=shown(secret.updated_by_number),
        updated_on=moment(secret.updated_at),
        version=shown(secret.revision),
        completed=secret.is_completed,
        permissions=CredentialPermissions(asker.governs or secret.owner_id == asker.user),
    )


_show_attribute = shown_as(
    AttributeTold,
    Attribute,
    id="number",
    user_provided="is_user_provided",
    masked="is_masked",
    password_flag="is_password",  # noqa: S106 - a field's name
    created_by=lambda row: shown(row.created_by_number),
    updated_by=lambda row: shown(row.updated_by_number),
)


def _show_value(found: SecretValue, value: str) -> ValueTold:
    row = found.row
    return ValueTold(
        id=shown(row.number),
        credential_attribute_id=shown(row.attribute_number),
        value=value,
        user_id=shown(row.user_number),
        created_by=shown(row.created_by_number),
        created_on=moment(row.created_at),
        updated_by=shown(row.updated_by_number),
        updated_on=moment(row.updated_at),
        version=shown(row.revision),
        password=row.is_password,
    )


def _definition(asked: AttributeAsked, before: SharedSecret | None) -> AttributeDefinition:
    checked(asked.name, asked.description)
    return AttributeDefinition(
        name=asked.name,
        description=asked.description,
        is_user_provided=asked.user_provided,
        is_masked=asked.masked,
        is_password=asked.password_flag,
        id=None if before is None or asked.id is None else _attribute(before, asked.id),
    )


def _attribute(secret: SharedSecret, number: int) -> AttributeId:
    for each in secret.attributes:
        if each.number == number:
            return each.id
    raise AttributeNotFound


async def _user(request: Asking, user: str | None) -> UserId | None:
    return (await find(request, USER, user, everywhere(request))).id if user else None

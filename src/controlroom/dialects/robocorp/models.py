"""Connections to models (our own management API): OpenAI-compatible endpoints, and their key in the vault."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.border import model_prompts
from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, OwnBody, Reference, Shape
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.model_connections import actions
from controlroom.engine.model_connections.model import (
    Auth,
    AuthKind,
    KeyPlace,
    Model,
    ModelDefinition,
    Provider,
    ProviderDefinition,
)
from controlroom.engine.vault.errors import AttributeNotFound
from controlroom.engine.vault.shared import actions as secrets
from controlroom.ids import AttributeId, ModelConnectionId, ModelProviderId, SharedSecretId


class ModelAnswer(Shape, frozen=True, kw_only=True):
    """A connection to a model."""

    id: ModelConnectionId
    name: str
    display_name: str | None
    description: str | None
    uri: str
    method: str
    revision: int
    created_at: datetime


class ModelProviderAnswer(Shape, frozen=True, kw_only=True):
    """Who has models, and whether a key for them is named."""

    id: ModelProviderId
    name: str
    description: str
    has_key: bool
    models: list[ModelAnswer]


class KeyBody(OwnBody, frozen=True, kw_only=True):
    """Where the key is: an attribute of a secret of the organization, that you own or consume."""

    secret: Reference
    attribute: str


class CreateModel(OwnBody, frozen=True, kw_only=True):
    """A connection to an endpoint that is asked as OpenAI's chat completions are."""

    provider: str
    name: str
    uri: str
    display_name: str | None = None
    description: str = ""
    key: KeyBody | None = None
    """None: of a provider that has one, that; of a new one, none."""
    key_header: str | None = "Authorization"
    """null: the endpoint wants no key."""
    key_prefix: str = "Bearer "


class UpdateModel(OwnBody, frozen=True, kw_only=True):
    """What to change of a connection; what is left out stays. Other rules of its requests and answers stay as well."""

    name: str | None = None
    uri: str | None = None
    display_name: str | UnsetType | None = UNSET
    """null: it is shown by its name."""
    description: str | UnsetType | None = UNSET


class UpdateModelProvider(OwnBody, frozen=True, kw_only=True):
    """What to change of a provider, for all of its models; what is left out stays, as does its key."""

    name: str | None = None
    description: str | None = None
    key_header: str | None = None
    """The header that shows who asks; further places of keys stay."""
    key_prefix: str | None = None


class Prompt(OwnBody, frozen=True, kw_only=True):
    """What the model is asked, and values that its connection takes, by name."""

    prompt: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class PromptAnswer(Shape, frozen=True, kw_only=True):
    """What the model answered."""

    text: str
    values: dict[str, str]
    """All that its connection reads of an answer."""


@get("/models", needs=Permission.READ_SECRETS)
async def list_models(request: Asking, paging: Pages) -> Page[ModelProviderAnswer]:
    """List providers with the connections to their models, oldest first."""
    rows = await actions.list_providers(*request.governing, **paging.after(ModelProviderId))
    return paging.page(rows, _show)


@post("/models", needs=Permission.READ_SECRETS)
async def create_model(request: Asking, data: Body[CreateModel]) -> ModelProviderAnswer:
    """Create a connection to a model."""
    keys = [] if data.key_header is None else [KeyPlace(name=data.key_header, prefix=data.key_prefix)]
    model = ModelDefinition(name=data.name, uri=data.uri, display_name=data.display_name)
    definition = ProviderDefinition(
        name=data.provider,
        description=data.description,
        auth=Auth(kind=AuthKind.API_KEY, keys=keys),
        models=[model],
    )
    key = None if data.key is None else await _key(request, data.key)
    return _show(await actions.create(*request.governing, definition, key=key))


@get("/models/{model_id:uuid}", needs=Permission.READ_SECRETS)
async def get_model(request: Asking, model_id: Path[ModelConnectionId]) -> ModelAnswer:
    """Get a connection to a model."""
    return _show_model((await actions.get(*request.governing, model_id))[1])


@update("/models/{model_id:uuid}", needs=Permission.READ_SECRETS)
async def update_model(request: Asking, model_id: Path[ModelConnectionId], data: Body[UpdateModel]) -> ModelAnswer:
    """Have a model asked otherwise, or call it so."""
    before = (await actions.get(*request.governing, model_id))[1].definition
    changed = replace(
        before,
        name=data.name if data.name is not None else before.name,
        uri=data.uri if data.uri is not None else before.uri,
        display_name=before.display_name if data.display_name is UNSET else data.display_name,
        description=before.description if data.description is UNSET else data.description,
    )
    after = await actions.edit(*request.governing, model_id, changed)
    return _show_model(next(each for each in after.models if each.id == model_id))


@update("/models/{model_id:uuid}/provider", needs=Permission.READ_SECRETS)
async def update_model_provider(
    request: Asking, model_id: Path[ModelConnectionId], data: Body[UpdateModelProvider]
) -> ModelProviderAnswer:
    """Change the provider of a model: for all of its models."""
    provider, _ = await actions.get(*request.governing, model_id)
    await actions.edit_provider(
        *request.governing,
        provider.id,
        name=data.name if data.name is not None else provider.name,
        description=data.description if data.description is not None else provider.description,
        auth=provider.auth.shown_by(data.key_header, data.key_prefix),
    )
    return _show((await actions.get(*request.governing, model_id))[0])


@update("/models/{model_id:uuid}/key", needs=Permission.READ_SECRETS)
async def set_model_key(request: Asking, model_id: Path[ModelConnectionId], data: Body[KeyBody]) -> Identified:
    """Say where the key of a model's provider is."""
    provider, _ = await actions.get(*request.governing, model_id)
    await actions.set_key(*request.governing, provider.id, await _key(request, data))
    return Identified(provider.id)


@delete("/models/{model_id:uuid}", needs=Permission.READ_SECRETS)
async def delete_model(request: Asking, model_id: Path[ModelConnectionId]) -> Deleted:
    """Delete the connection to a model."""
    return await Deleted.after(model_id, actions.delete(*request.governing, model_id))


@post("/models/{model_id:uuid}/prompt", needs=Permission.READ_SECRETS)
async def prompt_model(request: Asking, model_id: Path[ModelConnectionId], data: Body[Prompt]) -> PromptAnswer:
    """Ask a model something, to see that its connection works. Private addresses must be allowed by the operator."""
    told = await model_prompts.ask(
        *request.governing, model_id, data.prompt, data.parameters, outgoing=request.app.state.outgoing
    )
    return PromptAnswer(text=told.text, values=told.values)


async def _key(request: Asking, body: KeyBody) -> AttributeId:
    secret = await secrets.get(*request.governing, SharedSecretId(body.secret.id))
    for each in secret.attributes:
        if each.name == body.attribute:
            return each.id
    raise AttributeNotFound


def _show(provider: Provider) -> ModelProviderAnswer:
    return ModelProviderAnswer(
        id=provider.id,
        name=provider.name,
        description=provider.description,
        has_key=provider.key_id is not None,
        models=[_show_model(each) for each in provider.models],
    )


def _show_model(model: Model) -> ModelAnswer:
    return ModelAnswer(
        id=model.id,
        name=model.definition.name,
        display_name=model.definition.display_name,
        description=model.definition.description,
        uri=model.definition.uri,
        method=model.definition.method,
        revision=model.revision,
        created_at=model.created_at,
    )

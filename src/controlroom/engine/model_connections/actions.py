"""The verbs of model connections. They are the organization's; the key of one is used as its asker may use it."""

from collections.abc import Mapping

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.model_connections import store
from controlroom.engine.model_connections.errors import KeyMissing, ModelNotFound
from controlroom.engine.model_connections.model import Auth, Call, Model, ModelDefinition, Provider, ProviderDefinition
from controlroom.engine.model_connections.rules import call_of, checked, checked_model, checked_provider, wants_key
from controlroom.engine.vault.errors import AttributeNotFound
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared import values
from controlroom.ids import AttributeId, ModelConnectionId, ModelProviderId


async def create(
    engine: Engine, actor: Actor, definition: ProviderDefinition, *, key: AttributeId | None = None
) -> Provider:
    """Connections to models of a provider; to one that is there, more of them. `key` names what is shown to it.

    Raises ModelExists, ConnectionInvalid, AttributeNotFound for a key that the actor may not use.
    """
    ensure_in_organization(actor, Permission.WRITE_MODELS)
    asker = asker_of(actor)
    checked(definition)
    async with scoped(engine.database, asker.organization) as tx:
        await _ensure_usable(tx, actor, key)
        provider = await store.put_provider(tx, asker.organization, definition, key=key, author=asker.user)
        made = await store.add_models(tx, provider, definition.name, definition.models)
        for model, each in zip(definition.models, made, strict=True):
            await record(
                engine,
                tx,
                actor,
                asker.organization,
                "model_connection.created",
                each,
                name=model.name,
                provider=definition.name,
            )
        found = await store.named(tx, asker.organization, definition.name)
    assert found is not None  # noqa: S101  # written in the same transaction
    return found


async def list_providers(
    engine: Engine, actor: Actor, *, after: ModelProviderId | None = None, limit: int
) -> list[Provider]:
    """Providers with their models, oldest first."""
    _ensure_reads(actor)
    return await store.list_providers(engine.database, actor.organization_id, after=after, limit=limit)


async def named(engine: Engine, actor: Actor, provider: str, model: str) -> tuple[Provider, Model]:
    """A provider and the model of a name. Raises ModelNotFound."""
    _ensure_reads(actor)
    found = await store.named(engine.database, actor.organization_id, provider)
    for each in found.models if found else ():
        if each.definition.name == model and found is not None:
            return found, each
    raise ModelNotFound


async def get(engine: Engine, actor: Actor, model: ModelConnectionId) -> tuple[Provider, Model]:
    """A model and its provider. Raises ModelNotFound."""
    _ensure_reads(actor)
    return await _found(engine, actor, model)


async def edit(engine: Engine, actor: Actor, model: ModelConnectionId, definition: ModelDefinition) -> Provider:
    """Have a model asked as is said here. Raises ModelNotFound, ModelExists, ConnectionInvalid."""
    ensure_in_organization(actor, Permission.WRITE_MODELS)
    checked_model(definition)
    async with scoped(engine.database, actor.organization_id) as tx:
        provider = await store.of_model(tx, actor.organization_id, model)
        if provider is None:
            raise ModelNotFound
        await store.change_model(tx, provider, model, definition)
        name = definition.name
        await record(engine, tx, actor, actor.organization_id, "model_connection.updated", model, name=name)
        after = await store.of_model(tx, actor.organization_id, model)
    assert after is not None  # noqa: S101  # written in the same transaction
    return after


async def edit_provider(
    engine: Engine, actor: Actor, provider: ModelProviderId, *, name: str, description: str, auth: Auth
) -> None:
    """Call a provider so, and show who asks it so, for all of its models; its key stays.

    Raises ModelNotFound, ProviderExists, ConnectionInvalid.
    """
    ensure_in_organization(actor, Permission.WRITE_MODELS)
    checked_provider(name, description, auth)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await store.change_provider(tx, actor.organization_id, provider, name, description, auth):
            raise ModelNotFound
        await record(engine, tx, actor, actor.organization_id, "model_provider.updated", provider, name=name)


async def set_key(engine: Engine, actor: Actor, provider: ModelProviderId, key: AttributeId | None) -> None:
    """Say what is shown to a provider: the value of an attribute that the actor may use, or nothing.

    Raises ModelNotFound, AttributeNotFound.
    """
    ensure_in_organization(actor, Permission.WRITE_MODELS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await _ensure_usable(tx, actor, key)
        if not await store.set_key(tx, actor.organization_id, provider, key):
            raise ModelNotFound
        await record(engine, tx, actor, actor.organization_id, "model_provider.key_set", provider)


async def delete(engine: Engine, actor: Actor, model: ModelConnectionId) -> None:
    """Delete a connection, and its provider with the last one. Raises ModelNotFound."""
    ensure_in_organization(actor, Permission.WRITE_MODELS)
    async with scoped(engine.database, actor.organization_id) as tx:
        name = await store.delete_model(tx, actor.organization_id, model)
        if name is None:
            raise ModelNotFound
        await record(engine, tx, actor, actor.organization_id, "model_connection.deleted", model, name=name)


async def prepare(
    engine: Engine, actor: Actor, model: ModelConnectionId, prompt: str, given: Mapping[str, str]
) -> tuple[Call, Model]:
    """What is to be sent so that a model answers a prompt, with its key. Audited, as the use of the secret is.

    Raises ModelNotFound, PromptInvalid, KeyMissing where the provider wants a key and the actor may use none.
    """
    _ensure_reads(actor)
    asker = asker_of(actor)
    provider, found = await _found(engine, actor, model)
    async with scoped(engine.database, asker.organization) as tx:
        key = None
        if wants_key(provider.auth):
            usable = None if provider.key_id is None else await values.usable(tx, asker, provider.key_id)
            if usable is None:
                raise KeyMissing
            key = values.opened(engine.keys, usable)
            await record(
                engine, tx, actor, asker.organization, "shared_secret.used", usable.secret_id, name=usable.secret_name
            )
        call = call_of(provider, found.definition, prompt, given, key)
        name = found.definition.name
        await record(engine, tx, actor, asker.organization, "model_connection.prompted", model, name=name)
    return call, found


async def _found(engine: Engine, actor: Actor, model: ModelConnectionId) -> tuple[Provider, Model]:
    provider = await store.of_model(engine.database, actor.organization_id, model)
    if provider is None:
        raise ModelNotFound
    return provider, next(each for each in provider.models if each.id == model)


async def _ensure_usable(tx: ScopedTx, actor: Actor, key: AttributeId | None) -> None:
    if key is not None and await values.usable(tx, asker_of(actor), key) is None:
        raise AttributeNotFound


def _ensure_reads(actor: Actor) -> None:
    if not any(actor.uses(each, None) for each in (Permission.READ_MODELS, Permission.WRITE_MODELS)):
        raise NotOfOrganization(Permission.READ_MODELS.value)

"""Statements on model connections."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.model_connections.errors import ModelExists, ModelNotFound, ProviderExists
from controlroom.engine.model_connections.model import Auth, ModelDefinition, Provider, ProviderDefinition
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.ids import AttributeId, ModelConnectionId, ModelProviderId, OrganizationId, UserId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

PROVIDER: Final = Noun[ModelProviderId](
    "model provider",
    lambda _: ModelNotFound(),
    "model_provider",
    InOrganization("model_provider.organization_id"),
    name="model_provider.name",
)
MODEL: Final = Noun[ModelConnectionId](
    "model connection",
    lambda _: ModelNotFound(),
    "model_connection",
    InOrganization("model_provider.organization_id"),
    joined="join model_provider on model_provider.id = model_connection.provider_id",
    name="model_connection.name",
)

_PROVIDER: Final = """
    select model_provider.id, model_provider.number, model_provider.name, model_provider.description,
           model_provider.auth, model_provider.key_id, model_provider.created_by, model_provider.created_at,
           (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', model_connection.id, 'number', model_connection.number,
                       'definition', model_connection.definition, 'revision', model_connection.revision,
                       'created_at', model_connection.created_at, 'updated_at', model_connection.updated_at)
                   order by model_connection.id), '[]')
              from model_connection where model_connection.provider_id = model_provider.id) as models
      from model_provider
"""


async def list_providers(
    tx: Statements, organization: OrganizationId, *, after: ModelProviderId | None = None, limit: int
) -> list[Provider]:
    """Providers with their models, oldest first."""
    return await tx.all(
        Provider,
        f"{_PROVIDER} where model_provider.organization_id = %(organization)s {oldest_first('model_provider.id')}",
        organization=organization,
        after=after,
        limit=limit,
    )


async def named(tx: Statements, organization: OrganizationId, name: str) -> Provider | None:
    """The provider of a name, with its models."""
    return await tx.one_or_none(
        Provider,
        f"{_PROVIDER} where model_provider.organization_id = %(organization)s and model_provider.name = %(name)s",
        organization=organization,
        name=name,
    )


async def of_model(tx: Statements, organization: OrganizationId, model: ModelConnectionId) -> Provider | None:
    """The provider of a model, with all its models."""
    return await tx.one_or_none(
        Provider,
        f"""
        {_PROVIDER}
         where model_provider.organization_id = %(organization)s
           and model_provider.id = (select provider_id from model_connection where id = %(model)s)
        """,
        organization=organization,
        model=model,
    )


async def put_provider(
    tx: ScopedTx,
    organization: OrganizationId,
    definition: ProviderDefinition,
    *,
    key: AttributeId | None,
    author: UserId | None,
) -> ModelProviderId:
    """Write a provider, locked then; of one that is there, what it is told now, and its key unless another is named."""
    provider: ModelProviderId = await tx.value(
        """
        insert into model_provider (id, organization_id, name, description, auth, key_id, created_by)
        values (%(id)s, %(organization)s, %(name)s, %(description)s, %(auth)s, %(key)s, %(author)s)
        on conflict (organization_id, name) do update
           set description = excluded.description, auth = excluded.auth,
               key_id = coalesce(excluded.key_id, model_provider.key_id)
        returning id
        """,
        id=uuid7(),
        organization=organization,
        name=definition.name,
        description=definition.description,
        auth=definition.auth,
        key=key,
        author=author,
    )
    return provider


async def add_models(
    tx: ScopedTx, provider: ModelProviderId, name: str, models: Sequence[ModelDefinition]
) -> list[ModelConnectionId]:
    """Write new models of a locked provider. Raises ModelExists, upon which the transaction is lost."""
    written: list[ModelConnectionId] = []
    for model in models:
        made = ModelConnectionId(uuid7())
        try:
            await tx.execute(
                """
                insert into model_connection (id, provider_id, name, definition)
                values (%(id)s, %(provider)s, %(name)s, %(definition)s)
                """,
                id=made,
                provider=provider,
                name=model.name,
                definition=model,
            )
        except UniqueViolation as taken:
            raise ModelExists(name, model.name) from taken
        written.append(made)
    return written


async def change_model(tx: ScopedTx, provider: Provider, model: ModelConnectionId, definition: ModelDefinition) -> None:
    """Write how a model of a provider is asked. Raises ModelExists, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            update model_connection
               set name = %(name)s, definition = %(definition)s, revision = revision + 1, updated_at = clock_now()
             where id = %(model)s and provider_id = %(provider)s
            """,
            name=definition.name,
            definition=definition,
            model=model,
            provider=provider.id,
        )
    except UniqueViolation as taken:
        raise ModelExists(provider.name, definition.name) from taken


async def change_provider(
    tx: ScopedTx, organization: OrganizationId, provider: ModelProviderId, name: str, description: str, auth: Auth
) -> bool:
    """Write a provider that is there; False if it is not. Raises ProviderExists, upon which the transaction is lost."""
    try:
        return bool(
            await tx.execute(
                """
                update model_provider set name = %(name)s, description = %(description)s, auth = %(auth)s
                 where id = %(provider)s and organization_id = %(organization)s
                """,
                name=name,
                description=description,
                auth=auth,
                provider=provider,
                organization=organization,
            )
        )
    except UniqueViolation as taken:
        raise ProviderExists(name) from taken


async def set_key(
    tx: ScopedTx, organization: OrganizationId, provider: ModelProviderId, key: AttributeId | None
) -> bool:
    """Name the attribute whose value is a provider's key; whether there is such a provider."""
    return (
        await tx.execute(
            "update model_provider set key_id = %(key)s where id = %(provider)s and organization_id = %(organization)s",
            key=key,
            provider=provider,
            organization=organization,
        )
        > 0
    )


async def delete_model(tx: ScopedTx, organization: OrganizationId, model: ModelConnectionId) -> str | None:
    """Remove a model, and its provider with the last one; the model's name."""
    provider = await tx.value(
        """
        select model_provider.id from model_provider join model_connection on provider_id = model_provider.id
         where model_connection.id = %(model)s and organization_id = %(organization)s
           for update of model_provider
        """,
        model=model,
        organization=organization,
    )
    name: str | None = await tx.value(
        "delete from model_connection where id = %(model)s and provider_id = %(provider)s returning name",
        model=model,
        provider=provider,
    )
    await tx.execute(
        """
        delete from model_provider
         where id = %(provider)s and not exists (select from model_connection where provider_id = %(provider)s)
        """,
        provider=provider,
    )
    return name

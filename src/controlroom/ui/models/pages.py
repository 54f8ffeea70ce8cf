"""Connections to models that answer prompts: providers, where their key is, and whether they answer."""

from typing import Final

from msgspec.structs import replace

from controlroom.border import model_prompts
from controlroom.engine.access import history
from controlroom.engine.access.scope import throughout
from controlroom.engine.model_connections import actions
from controlroom.engine.model_connections.listings import MODELS, ListedModel
from controlroom.engine.model_connections.model import (
    Auth,
    AuthKind,
    KeyPlace,
    Model,
    ModelDefinition,
    Provider,
    ProviderDefinition,
)
from controlroom.engine.model_connections.store import MODEL
from controlroom.engine.references import resolve
from controlroom.errors import ControlRoomError, Invalid
from controlroom.ids import AttributeId, as_uuid
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import SECRET_KEYS
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="models",
    name="Models",
    path="/models",
    icon="models",
    needs=Permission.READ_SECRETS,
    throughout=Permission.READ_MODELS,
)
_READS: Final = Permission.READ_SECRETS
"""In the workspace; what is the organization's asks its verbs for more."""
_WRITE: Final = in_organization(Permission.WRITE_MODELS)
_LIST: Final = ListPage(
    listing=MODELS,
    row=ListedModel,
    path="/models",
    noun="models",
    noun_of_one="model",
    topics="model_connection model_provider",
    columns=(
        Col("name", "Model", sort="name", always=True),
        Col("provider_name", "Provider", sort="provider_name"),
        Col("uri", "Asked at"),
        Col("has_key", "Key"),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name", "provider_name", "uri"),
    searched_words="Name, provider, address, number or id",
    sort="provider_name",
)


@page("/models", needs=_READS)
async def list_models(request: Asking) -> Shown:
    """The models that may be asked, of all providers."""
    return await request.show(
        "models/list.html",
        title="Models",
        at="models",
        found=await _LIST.read(request, seen=throughout(request.actor, Permission.READ_MODELS)),
        may_change=_may_change(request),
    )


@page("/models/new", needs=_READS)
async def ask_for_model(request: Asking) -> Shown:
    """Where it is asked, and where its key is."""
    return await _form(request, Fields([("key_header", "Authorization"), ("key_prefix", "Bearer ")]))


@verb("/models/new", may=_WRITE)
async def create_model(request: Asking) -> Shown:
    """Make the connection; of a provider that is there it is one more."""
    fields = await request.fields()
    header = fields.text("key_header")
    definition = ProviderDefinition(
        name=fields.text("provider"),
        description=fields.text("description"),
        auth=Auth(
            kind=AuthKind.API_KEY, keys=[KeyPlace(name=header, prefix=fields.raw("key_prefix"))] if header else []
        ),
        models=[
            ModelDefinition(
                name=fields.text("name"), uri=fields.text("uri"), display_name=fields.text("display_name") or None
            )
        ],
    )
    try:
        key = await _key(request, fields)
    except Invalid as wrong:
        return await _form(request, fields, refused=said(wrong))
    made, refused = await tried(actions.create(*request.governing, definition, key=key))
    if made is None:
        return await _form(request, fields, refused=refused)
    model = next(each for each in made.models if each.definition.name == fields.text("name"))
    return request.done(f"{request.base}/models/{model.number}", f"The connection to {fields.text('name')} is made.")


@page("/models/{number:str}", needs=_READS)
async def show_model(request: Asking, number: Path[str]) -> Shown:
    """How it is asked; and a prompt to try it."""
    provider, model = await _model(request, number)
    ensure_number(request, number, model.number)
    return await _show(request, provider, model)


@verb("/models/{number:str}/prompt", may=in_organization(Permission.READ_MODELS))
async def prompt_model(request: Asking, number: Path[str]) -> Shown:
    """Ask it something, and show what it answers."""
    fields = await request.fields()
    provider, model = await _model(request, number)
    outgoing = request.around.outgoing
    given = {name.removeprefix("given:"): fields.raw(name) for name in fields.names() if name.startswith("given:")}
    if outgoing is None:
        return await _show(request, provider, model, fields=fields, refused="This room asks nobody outside of it")
    try:
        told = await model_prompts.ask(*request.governing, model.id, fields.raw("prompt"), given, outgoing=outgoing)
    except ControlRoomError as failed:
        return await _show(request, provider, model, fields=fields, refused=said(failed))
    return await _show(request, provider, model, fields=fields, answer=told.text or "(an empty answer)")


@verb("/models/{number:str}/key", may=_WRITE)
async def set_key(request: Asking, number: Path[str]) -> Shown:
    """Say where the key of its provider is: for all of the provider's models."""
    fields = await request.fields()
    provider, model = await _model(request, number)
    try:
        key = await _key(request, fields)
    except Invalid as wrong:
        return await _show(request, provider, model, refused=said(wrong))
    _, refused = await tried(actions.set_key(*request.governing, provider.id, key))
    if refused:
        return await _show(request, provider, model, refused=refused)
    return request.done(f"{request.base}/models/{model.number}", f"The key of {provider.name} is another.")


@page("/models/{number:str}/edit", needs=_READS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """How it is asked, and what it is called."""
    provider, model = await _model(request, number)
    return await _edit_form(request, provider, model, Fields([*_model_said(model).items()]))


@verb("/models/{number:str}/edit", may=_WRITE)
async def edit_model(request: Asking, number: Path[str]) -> Shown:
    """Ask it so from now on; what a request and an answer are made of, as programs have said it, stays."""
    fields = await request.fields()
    provider, model = await _model(request, number)
    definition = replace(
        model.definition,
        name=fields.text("name"),
        uri=fields.text("uri"),
        display_name=fields.text("display_name") or None,
        description=fields.text("description") or None,
    )
    _, refused = await tried(actions.edit(*request.governing, model.id, definition))
    if refused:
        return await _edit_form(request, provider, model, fields, refused=refused)
    here = f"{request.base}/models/{model.number}"
    return request.done(here, "It is asked so from now on.", undo=f"{here}/edit", undo_with=_model_said(model))


@page("/models/{number:str}/provider", needs=_READS)
async def ask_to_edit_provider(request: Asking, number: Path[str]) -> Shown:
    """What its provider is called, and how that is shown who asks."""
    provider, model = await _model(request, number)
    return await _provider_form(request, provider, model, Fields([*_provider_said(provider).items()]))


@verb("/models/{number:str}/provider", may=_WRITE)
async def edit_provider(request: Asking, number: Path[str]) -> Shown:
    """Change the provider: for all of its models. Its key stays where it is."""
    fields = await request.fields()
    provider, model = await _model(request, number)
    header, auth = fields.text("key_header"), provider.auth
    auth = auth.shown_by(header, fields.raw("key_prefix")) if header else replace(auth, keys=auth.keys[1:])
    _, refused = await tried(
        actions.edit_provider(
            *request.governing,
            provider.id,
            name=fields.text("provider"),
            description=fields.text("description"),
            auth=auth,
        )
    )
    if refused:
        return await _provider_form(request, provider, model, fields, refused=refused)
    here = f"{request.base}/models/{model.number}"
    was = _provider_said(provider)
    return request.done(here, "The provider is changed.", undo=f"{here}/provider", undo_with=was)


@page("/models/{number:str}/delete", needs=_READS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    provider, model = await _model(request, number)
    return await request.show(
        "models/delete.html",
        title=f"Delete {model.definition.name}",
        at="models",
        crumbs=_way(request, model, "Delete"),
        provider=provider,
        model=model,
    )


@verb("/models/{number:str}/delete", may=_WRITE)
async def delete_model(request: Asking, number: Path[str]) -> Shown:
    """Delete the connection, and its provider with the last one."""
    _, model = await _model(request, number)
    await actions.delete(*request.governing, model.id)
    return request.done(f"{request.base}/models", f"The connection to {model.definition.name} is deleted.")


async def _model(request: Asking, named: str) -> tuple[Provider, Model]:
    found = await resolve(request.db, request.scope_for(_READS), MODEL, named)
    return await actions.get(*request.governing, found)


def _model_said(model: Model) -> dict[str, str]:
    """A model as its form says it."""
    of = model.definition
    return {
        "name": of.name,
        "uri": of.uri,
        "display_name": of.display_name or "",
        "description": of.description or "",
    }


def _provider_said(provider: Provider) -> dict[str, str]:
    """A provider likewise."""
    key = provider.auth.keys[0] if provider.auth.keys else None
    return {
        "provider": provider.name,
        "description": provider.description,
        "key_header": key.name if key else "",
        "key_prefix": key.prefix if key else "",
    }


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_MODELS, None)


async def _key(request: Asking, fields: Fields) -> AttributeId | None:
    """The attribute of a secret that a form names. Raises PickRefused."""
    named = as_uuid(await SECRET_KEYS.chosen(request, fields.text("key")))
    return None if named is None else AttributeId(named)


async def _show(
    request: Asking,
    provider: Provider,
    model: Model,
    *,
    fields: Fields | None = None,
    answer: str = "",
    refused: str = "",
) -> Shown:
    return await request.show(
        "models/model.html",
        title=model.definition.display_name or model.definition.name,
        at="models",
        crumbs=request.way(("Models", "/models"), model.definition.name),
        status=REFUSED if refused else 200,
        provider=provider,
        model=model,
        here=f"{request.base}/models/{model.number}",
        asked=[each for each in _values_of(model) if each],
        fields=fields or Fields([]),
        answer=answer,
        key=await SECRET_KEYS.offered(request, str(provider.key_id or "")) if _may_change(request) else None,
        key_name=(await SECRET_KEYS.named(request, provider.key_id) or "in the vault") if provider.key_id else "",
        changes=await history.changes_of(request.db, request.scope_for(_READS), model.id),
        may_change=_may_change(request),
        refused=refused,
    )


def _values_of(model: Model) -> list[str]:
    """The names of values that a prompt may bring along."""
    of = model.definition
    names = [each.name for parameters in of.params for each in parameters.attribute]
    raw = of.request.raw if of.request else None
    names += [each.attribute.name for each in (raw.variables if raw else [])]
    return list(dict.fromkeys(names))


def _way(request: Asking, model: Model, last: str) -> list[Crumb]:
    return request.way(("Models", "/models"), (model.definition.name, f"/models/{model.number}"), last)


async def _edit_form(request: Asking, provider: Provider, model: Model, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "models/edit.html",
        title=f"Edit {model.definition.name}",
        at="models",
        crumbs=_way(request, model, "Edit"),
        status=REFUSED if refused else 200,
        provider=provider,
        here=f"{request.base}/models/{model.number}",
        fields=fields,
        refused=refused,
    )


async def _provider_form(
    request: Asking, provider: Provider, model: Model, fields: Fields, *, refused: str = ""
) -> Shown:
    return await request.show(
        "models/provider.html",
        title=f"Edit {provider.name}",
        at="models",
        crumbs=_way(request, model, "Provider"),
        status=REFUSED if refused else 200,
        provider=provider,
        here=f"{request.base}/models/{model.number}",
        fields=fields,
        refused=refused,
    )


async def _form(request: Asking, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "models/form.html",
        title="New connection to a model",
        at="models",
        crumbs=request.way(("Models", "/models"), "New connection"),
        status=REFUSED if refused else 200,
        fields=fields,
        key=await SECRET_KEYS.offered(request, fields.text("key")),
        refused=refused,
    )

"""AI Agent Studio API v1 (§2.8): connections to models. Keys are told in snake_case, and taken in camelCase, too.

A vendor is a provider, each of its actions a connection to a model. What is shown to the vendor is named by our own
management API: an attribute of a shared secret. No key comes in by this API, and none goes out.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from controlroom.border.asking import Path
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.routing import Pair, delete, get, post
from controlroom.engine.model_connections import actions
from controlroom.engine.model_connections.model import (
    AnswerRule,
    Auth,
    AuthKind,
    KeyPlace,
    Model,
    ModelDefinition,
    Parameters,
    Provider,
    ProviderDefinition,
    RequestRule,
)
from controlroom.errors import Invalid

_MODELS: Final = "/gai/prompttools/v1/custommodel"
_ONE: Final = f"{_MODELS}/vendors/{{vendor:str}}/models/{{model:str}}"
_PAIR: Final = Pair("aimodelconnection", "manage")
_MOST: Final = 1_000
"""Vendors of a list."""
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Key(Struct, frozen=True, kw_only=True):
    """Where a key stands in a request."""

    location: str = "header"
    key_name: str = msgspec.field(default="Authorization", name="keyName")
    prefix: str = ""


class CustomKeys(Struct, frozen=True):
    """Several keys."""

    keys: list[Key] = []


class Keys(Struct, frozen=True, kw_only=True):
    """Where the keys stand, by the kind of authentication."""

    api_auth: Key | None = None
    o_auth: Key | None = None
    custom_keys: CustomKeys | None = None


class AuthAction(Struct, frozen=True, kw_only=True):
    """How the vendor is shown who asks."""

    auth_type: str
    auth: Keys = Keys()


class Action(Struct, frozen=True, kw_only=True):
    """A model: how it is asked, and what it answers."""

    name: str
    display_name: str | None = None
    description: str | None = None
    method: str = "POST"
    uri: str = ""
    params: list[Parameters] = []
    request: RequestRule | None = None
    response: AnswerRule | None = None


class Connector(Struct, frozen=True, kw_only=True):
    """A vendor with its models."""

    name: str
    description: str = ""
    version: str = "1"
    auth_action: AuthAction
    api_type: str = "REST"
    actions: list[Action]


class Connectors(Struct, frozen=True):
    """All vendors."""

    connectors: list[Connector]


_KINDS: Final = {"API_KEY": AuthKind.API_KEY, "OAUTH2": AuthKind.OAUTH2, "CUSTOM_KEYS": AuthKind.CUSTOM_KEYS}
_CLOSED: Final = {
    "value type": frozenset({"TEXT", "TEXTAREA", "DECIMAL", "INTEGER", "JSON"}),
    "type of parameters": frozenset({"HEADERS", "PATH_PARAM", "QUERY_PARAM"}),
    "annotation": frozenset({"REQUEST_PARAMETER", "MODEL_PARAMETER", "RESPONSE_PARAMETER", "PROMPT_QUERY"}),
    "type of request": frozenset({"RAW"}),
}
"""Words that clients hold closed."""


@post(_MODELS, pair=_PAIR)
async def create_custom_model(request: Asking, data: Body[Raw]) -> Connector:
    """Define connections to models of a vendor."""
    made = await actions.create(*request.governing, _definition(_read(data)))
    return _show(made, made.models)


@post(f"{_MODELS}/list", pair=_PAIR)
async def list_custom_models(request: Asking) -> Connectors:
    """List the vendors with their models."""
    found = await actions.list_providers(*request.governing, limit=_MOST)
    return Connectors([_show(each, each.models) for each in found])


@get(_ONE, pair=_PAIR)
async def get_custom_model(request: Asking, vendor: Path[str], model: Path[str]) -> Connector:
    """Get one model of a vendor."""
    provider, found = await actions.named(*request.governing, vendor, model)
    return _show(provider, [found])


@delete(_ONE, pair=_PAIR)
async def delete_custom_model(request: Asking, vendor: Path[str], model: Path[str]) -> None:
    """Delete the connection to a model."""
    _, found = await actions.named(*request.governing, vendor, model)
    await actions.delete(*request.governing, found.id)


def _read(body: Raw) -> Connector:
    try:
        return msgspec.convert(_snake(msgspec.json.decode(body)), Connector, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Invalid(f"The body is not as expected: {wrong}.", code="INVALID_BODY") from wrong


def _snake(found: Any) -> Any:
    """JSON with the names of its keys as they are told; what is null is left out."""
    match found:
        case dict():
            return {_key(name): _snake(value) for name, value in found.items() if value is not None}
        case list():
            return [_snake(each) for each in found]
        case _:
            return found


def _key(name: str) -> str:
    plain = _HUMP.sub("_", name).lower()
    return "keyName" if plain == "key_name" else plain


def _definition(connector: Connector) -> ProviderDefinition:
    kind = _KINDS.get(connector.auth_action.auth_type.upper())
    if kind is None:
        raise Invalid(f"An auth_type is one of {', '.join(_KINDS)}.", code="INVALID_BODY")
    keys = connector.auth_action.auth
    match kind:
        case AuthKind.API_KEY:
            chosen = [keys.api_auth]
        case AuthKind.OAUTH2:
            chosen = [keys.o_auth]
        case AuthKind.CUSTOM_KEYS:
            chosen = [*keys.custom_keys.keys] if keys.custom_keys else []
    return ProviderDefinition(
        name=connector.name,
        description=connector.description,
        auth=Auth(
            kind=kind,
            keys=[
                KeyPlace(location=key.location.lower(), name=key.key_name, prefix=key.prefix)
                for key in chosen
                if key is not None
            ],
        ),
        models=[_model(action) for action in connector.actions],
    )


def _model(action: Action) -> ModelDefinition:
    raw = action.request.raw if action.request else None
    variables = [*(raw.variables if raw else ()), *(action.response.variables if action.response else ())]
    attributes = [
        *(attribute for parameters in action.params for attribute in parameters.attribute),
        *(variable.attribute for variable in variables),
    ]
    for attribute in attributes:
        if attribute.value is not None:
            _ensure("value type", attribute.value.type)
        for annotation in attribute.annotations:
            _ensure("annotation", annotation)
    for parameters in action.params:
        _ensure("type of parameters", parameters.type)
    if action.request is not None:
        _ensure("type of request", action.request.type)
    return ModelDefinition(
        name=action.name,
        uri=action.uri,
        display_name=action.display_name,
        description=action.description,
        method=action.method.upper(),
        params=action.params,
        request=action.request,
        response=action.response,
    )


def _ensure(what: str, word: str) -> None:
    if word not in _CLOSED[what]:
        raise Invalid(f"There is no {what} {word[:100]}: {', '.join(sorted(_CLOSED[what]))}.", code="INVALID_BODY")


def _show(provider: Provider, models: list[Model]) -> Connector:
    shown = [Key(location=key.location, key_name=key.name, prefix=key.prefix) for key in provider.auth.keys]
    first = shown[0] if shown else None
    match provider.auth.kind:
        case AuthKind.API_KEY:
            keys = Keys(api_auth=first)
        case AuthKind.OAUTH2:
            keys = Keys(o_auth=first)
        case AuthKind.CUSTOM_KEYS:
            keys = Keys(custom_keys=CustomKeys(shown))
    return Connector(
        name=provider.name,
        description=provider.description,
        auth_action=AuthAction(auth_type=provider.auth.kind.value.upper(), auth=keys),
        actions=[
            Action(
                name=model.definition.name,
                display_name=model.definition.display_name,
                description=model.definition.description,
                method=model.definition.method,
                uri=model.definition.uri,
                params=model.definition.params,
                request=model.definition.request,
                response=model.definition.response,
            )
            for model in models
        ],
    )

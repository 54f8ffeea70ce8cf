"""What a connection may be, what is sent by it, and what its answer says. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from controlroom.engine.access.names import checked_description, checked_name, checked_text
from controlroom.engine.model_connections.errors import ConnectionInvalid, PromptInvalid
from controlroom.engine.model_connections.model import (
    Attribute,
    Auth,
    Call,
    ModelDefinition,
    Provider,
    ProviderDefinition,
    Told,
)
from controlroom.engine.model_connections.paths import found_at, parsed, put_at
from controlroom.json_limits import check_nesting

MOST_MODELS: Final = 100
LONGEST_BODY: Final = 100_000
"""Characters of a template."""
LONGEST_PROMPT: Final = 100_000
_PROMPT: Final = "PROMPT_QUERY"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]{1,100})\}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_METHODS: Final = frozenset({"POST", "GET", "PUT", "PATCH"})
_TEXT: Final = "choices[0].value"
_DEFAULT_TEXT: Final = ("choices", 0, "message", "content")
_json = msgspec.json.Decoder().decode


def checked(definition: ProviderDefinition) -> ProviderDefinition:
    """The definition, if models can be asked by it. Raises ConnectionInvalid, Invalid."""
    checked_provider(definition.name, definition.description, definition.auth)
    if not definition.models or len(definition.models) > MOST_MODELS:
        raise ConnectionInvalid(f"is to 1 to {MOST_MODELS} models")
    if len({model.name for model in definition.models}) < len(definition.models):
        raise ConnectionInvalid("is to models of different names")
    for model in definition.models:
        checked_model(model)
    return definition


def checked_provider(name: str, description: str, auth: Auth) -> None:
    """Raise ConnectionInvalid or Invalid for a provider that is called so, or shown so who asks."""
    checked_name(name, what="provider's name")
    checked_description(description)
    for key in auth.keys:
        if key.location not in {"header", "query"} or not _HEADER.fullmatch(key.name):
            raise ConnectionInvalid("has a key in a header or in the query, by a name that can stand there")
        _ensure_line(key.prefix, "prefix")


def call_of(provider: Provider, model: ModelDefinition, prompt: str, given: Mapping[str, str], key: str | None) -> Call:
    """What is sent so that the model answers a prompt; `given` are values by the names of their attributes.

    Raises PromptInvalid.
    """
    if len(prompt) > LONGEST_PROMPT:
        raise PromptInvalid(f"a prompt has at most {LONGEST_PROMPT:,} characters")
    values = {attribute.name: _value(attribute, prompt, given) for attribute in _sent(model)}
    url = _PLACEHOLDER.sub(lambda named: quote(_filled(named[1], model, values, given), safe=""), model.uri)
    headers, query = {"Content-Type": "application/json"}, []
    for parameters in model.params:
        for attribute in parameters.attribute:
            value = values.get(attribute.name)
            if value is None:
                continue
            text = f"{attribute.prefix or ''}{_written(value)}"
            if parameters.type == "HEADERS":
                _ensure_line(text, attribute.name)
                headers[attribute.name] = text
            elif parameters.type == "QUERY_PARAM":
                query.append((attribute.name, text))
    for place in provider.auth.keys if key is not None else ():
        _ensure_line(key or "", "key")
        if place.location == "header":
            headers[place.name] = f"{place.prefix}{key}"
        else:
            query.append((place.name, f"{place.prefix}{key}"))
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    return Call(method=model.method, url=url, headers=headers, body=_body(model, prompt, values))


def told_by(model: ModelDefinition, body: bytes) -> Told:
    """What an answer says. Raises PromptInvalid for what is no JSON."""
    try:
        check_nesting(body)
        answer = _json(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise PromptInvalid("the model's answer is no JSON") from broken
    values: dict[str, str] = {}
    for variable in model.response.variables if model.response else ():
        found = found_at(answer, parsed(variable.path))
        if found is not None:
            values[variable.attribute.canonical_name or variable.attribute.name] = _written(found)
    text = values.get(_TEXT)
    if text is None:
        found = found_at(answer, _DEFAULT_TEXT)
        text = "" if found is None else _written(found)
    return Told(text=text, values=values)


def wants_key(auth: Auth) -> bool:
    """Whether the provider is shown a key."""
    return bool(auth.keys)


def checked_model(model: ModelDefinition) -> None:
    """Raise ConnectionInvalid or Invalid for a model that cannot be asked so."""
    checked_name(model.name, what="model's name")
    checked_text(model.display_name or "", what="display name")
    checked_description(model.description or "")
    address = urlsplit(_PLACEHOLDER.sub("x", model.uri))
    if address.scheme not in {"http", "https"} or not address.netloc or len(model.uri) > LONGEST_BODY:
        raise ConnectionInvalid(f"asks at an http or https address, not {model.uri[:100]!r}")
    if "{" in urlsplit(model.uri).netloc:
        raise ConnectionInvalid("asks at a host that is written out")
    if model.method not in _METHODS:
        raise ConnectionInvalid(f"asks by one of {', '.join(sorted(_METHODS))}")
    _check_values(model)


def _check_values(model: ModelDefinition) -> None:
    raw = model.request.raw if model.request else None
    if raw is not None:
        if len(raw.body) > LONGEST_BODY:
            raise ConnectionInvalid(f"has a body of at most {LONGEST_BODY:,} characters")
        _template(raw.body)
    for parameters in model.params:
        if parameters.type == "HEADERS" and not all(_HEADER.fullmatch(each.name) for each in parameters.attribute):
            raise ConnectionInvalid("has headers whose names can stand in one")
    variables = [*(raw.variables if raw else ()), *(model.response.variables if model.response else ())]
    for variable in variables:
        parsed(variable.path)
    for attribute in _sent(model):
        if attribute.secure and attribute.value and attribute.value.string:
            raise ConnectionInvalid(f"has no secret in it: {attribute.name} belongs into the vault")


def _template(text: str) -> Any:
    """The body in which values are put. Raises ConnectionInvalid for what is no JSON."""
    if not text.strip():
        return {}
    try:
        check_nesting(text.encode())
        return _json(text)
    except (msgspec.DecodeError, RecursionError) as broken:
        raise ConnectionInvalid(f"has a body that is JSON: {broken}") from broken


def _sent(model: ModelDefinition) -> Iterator[Attribute]:
    for parameters in model.params:
        yield from parameters.attribute
    if model.request and model.request.raw:
        yield from (variable.attribute for variable in model.request.raw.variables)


def _value(attribute: Attribute, prompt: str, given: Mapping[str, str]) -> Any:
    """The value of an attribute: the prompt, what is given, or what the connection has; None is none."""
    if _PROMPT in attribute.annotations:
        return prompt
    rule = attribute.value
    text = given.get(attribute.name)
    if text is None and rule is not None:
        text = next((each for each in (rule.string, rule.number, rule.boolean) if each not in {None, ""}), None)
    if text is None:
        if attribute.required_input:
            raise PromptInvalid(f"the model wants a value for {attribute.name}")
        return None
    return _typed(attribute, text)


def _typed(attribute: Attribute, text: str) -> Any:
    kind = attribute.value.type if attribute.value else "TEXT"
    try:
        match kind:
            case "INTEGER":
                return msgspec.convert(text, int, strict=False)
            case "DECIMAL":
                return msgspec.convert(text, float, strict=False)
            case "JSON":
                return _json(text)
            case _:
                return text
    except (msgspec.DecodeError, ValueError) as wrong:
        raise PromptInvalid(f"{attribute.name} is no {kind}") from wrong


def _filled(name: str, model: ModelDefinition, values: Mapping[str, Any], given: Mapping[str, str]) -> str:
    value = values.get(name, given.get(name))
    if value is None and name.casefold() in {"model", "modelname", "model_name"}:
        value = model.name
    if value is None:
        raise PromptInvalid(f"the model's address wants a value for {name}")
    return _written(value)


def _body(model: ModelDefinition, prompt: str, values: Mapping[str, Any]) -> bytes:
    if model.method == "GET":
        return b""
    raw = model.request.raw if model.request else None
    if raw is None:
        return msgspec.json.encode({"model": model.name, "messages": [{"role": "user", "content": prompt}]})
    body = _template(raw.body)
    for variable in raw.variables:
        value = values.get(variable.attribute.name)
        if value is not None:
            body = put_at(body, parsed(variable.path), value)
    return msgspec.json.encode(body)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _ensure_line(text: str, what: str) -> None:
    if not (text.isprintable() and text.isascii()):
        raise ConnectionInvalid(f"has a {what} that can stand in a header")

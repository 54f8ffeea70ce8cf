"""Connections to models that answer prompts: a provider, how it is shown who asks, and its models with their requests.

A request is a template: the address with `{placeholders}`, headers, and a JSON text in which values are put by paths
(`$.messages[0].content`). An answer is read by paths, too. Without a template an endpoint is asked as OpenAI's is.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from controlroom.ids import AttributeId, ModelConnectionId, ModelProviderId, UserId


class AuthKind(StrEnum):
    """How a provider is shown who asks."""

    API_KEY = "api_key"
    OAUTH2 = "oauth2"
    CUSTOM_KEYS = "custom_keys"


class KeyPlace(Struct, frozen=True, kw_only=True):
    """Where a key stands in a request."""

    location: str = "header"
    """`header` or `query`."""
    name: str = "Authorization"
    prefix: str = ""
    """What stands before it: `Bearer `."""


class Auth(Struct, frozen=True, kw_only=True):
    """How a provider is shown who asks; the key itself is in the vault."""

    kind: AuthKind
    keys: list[KeyPlace]

    def shown_by(self, name: str | None = None, prefix: str | None = None) -> "Auth":
        """The same with this header, or prefix, at the first place of a key; what is not said stays."""
        if name is None and prefix is None:
            return self
        first, *others = self.keys or [KeyPlace()]
        said = replace(
            first, name=first.name if name is None else name, prefix=first.prefix if prefix is None else prefix
        )
        return replace(self, keys=[said, *others])


class ValueRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a value is, and what it is where nothing is said. All is text."""

    type: str = "TEXT"
    string: str | None = None
    number: str | None = None
    boolean: str | None = None
    min: str | None = None
    max: str | None = None


class Attribute(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value of a request or of an answer, by name."""

    name: str
    label: str | None = None
    description: str | None = None
    required_input: bool | None = None
    optional: bool | None = None
    value: ValueRule | None = None
    location: str | None = None
    prefix: str | None = None
    secure: bool | None = None
    annotations: list[str] = []
    canonical_name: str | None = None
    """Of an answer's value: what every model's is called, `choices[0].value`."""


class Parameters(Struct, frozen=True, kw_only=True):
    """Values outside of the body: in headers, in the path, in the query."""

    type: str
    attribute: list[Attribute] = []


class Variable(Struct, frozen=True, kw_only=True):
    """Where in a body a value stands."""

    path: str
    attribute: Attribute


class RawBody(Struct, frozen=True, kw_only=True):
    """A JSON text, and the values that are put into it."""

    body: str = ""
    variables: list[Variable] = []


class RequestRule(Struct, frozen=True, kw_only=True):
    """What is sent."""

    type: str = "RAW"
    raw: RawBody | None = None


class AnswerRule(Struct, frozen=True, kw_only=True):
    """What comes back, and which values are read of it."""

    body: str = ""
    variables: list[Variable] = []


class ModelDefinition(Struct, frozen=True, kw_only=True):
    """How one model is asked."""

    name: str
    uri: str
    display_name: str | None = None
    description: str | None = None
    method: str = "POST"
    params: list[Parameters] = []
    request: RequestRule | None = None
    response: AnswerRule | None = None


class ProviderDefinition(Struct, frozen=True, kw_only=True):
    """A provider, with models of it."""

    name: str
    description: str = ""
    auth: Auth
    models: list[ModelDefinition]


class Model(Struct, frozen=True, kw_only=True):
    """A connection to a model."""

    id: ModelConnectionId
    number: int
    definition: ModelDefinition
    revision: int
    created_at: datetime
    updated_at: datetime


class Provider(Struct, frozen=True, kw_only=True):
    """A provider with its models; its key is in the vault, and never shown."""

    id: ModelProviderId
    number: int
    name: str
    description: str
    auth: Auth
    key_id: AttributeId | None
    """The attribute of a shared secret whose value is the key."""
    created_by: UserId | None
    created_at: datetime
    models: list[Model]


class Call(Struct, frozen=True, kw_only=True):
    """What is sent to a model's endpoint. Prints without what may be a key."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Call({self.method} {self.url.partition('?')[0]})"


class Told(Struct, frozen=True, kw_only=True):
    """What a model answered."""

    text: str
    values: dict[str, str]
    """All that the connection reads of an answer, by canonical names."""

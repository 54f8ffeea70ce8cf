"""What can go wrong with model connections. A docstring is the message."""

from controlroom.errors import Conflict, Invalid, NotFound, Unavailable


class ModelNotFound(NotFound):
    """There is no connection to such a model."""

    def __init__(self) -> None:
        super().__init__("there is no connection to such a model", code="MODEL_NOT_FOUND")


class ModelExists(Conflict):
    """The provider has a connection to a model of this name."""

    def __init__(self, provider: str, name: str) -> None:
        super().__init__(f"there is a connection to {provider} {name} already", code="MODEL_EXISTS", name=name)


class ProviderExists(Conflict):
    """There is a provider of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a provider {name} already", code="MODEL_PROVIDER_EXISTS", name=name)


class ConnectionInvalid(Invalid):
    """Nothing could be asked by such a connection."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a model connection {why}", code="MODEL_CONNECTION_INVALID")


class PromptInvalid(Invalid):
    """The connection cannot take what it is asked."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="PROMPT_INVALID")


class KeyMissing(Conflict):
    """The provider wants a key, and none is named that the asker may use."""

    def __init__(self) -> None:
        super().__init__(
            "the provider wants a key: name an attribute with a value, of a shared secret that you own or consume",
            code="MODEL_KEY_MISSING",
        )


class ModelRefused(Unavailable):
    """The model's endpoint answered, and not with a success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the model's endpoint answered {status}", code="MODEL_REFUSED", status=status)

"""What can go wrong with secrets. A docstring is the message."""

from controlroom.errors import Invalid, NotFound


class SecretNotFound(NotFound):
    """There is no secret of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no secret {name}", code="SECRET_NOT_FOUND", name=name)


class SecretNameInvalid(Invalid):
    """A name that no vault client could ask for."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the name of a secret {why}", code="SECRET_NAME_INVALID")


class SecretTooLarge(Invalid):
    """The values, as JSON text, are larger than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a secret has at most {limit} bytes as JSON", code="SECRET_TOO_LARGE", limit=limit)

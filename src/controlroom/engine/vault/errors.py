"""What can go wrong with secrets. A docstring is the message."""

from controlroom.errors import Conflict, Forbidden, Invalid, NotFound


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


class LockerNotFound(NotFound):
    """There is no such locker, or the asker has nothing to do with it."""

    def __init__(self) -> None:
        super().__init__("there is no such locker", code="LOCKER_NOT_FOUND")


class SharedSecretNotFound(NotFound):
    """There is no such secret of the organization, or the asker has nothing to do with it."""

    def __init__(self) -> None:
        super().__init__("the organization has no such secret", code="SHARED_SECRET_NOT_FOUND")


class AttributeNotFound(NotFound):
    """The secret has no such attribute."""

    def __init__(self) -> None:
        super().__init__("the secret has no such attribute", code="SECRET_ATTRIBUTE_NOT_FOUND")


class ValueNotFound(NotFound):
    """The secret has no such value."""

    def __init__(self) -> None:
        super().__init__("the secret has no such value", code="SECRET_VALUE_NOT_FOUND")


class LockerRightMissing(Forbidden):
    """A member of the locker with another right may, or who governs all lockers."""

    def __init__(self, right: str) -> None:
        super().__init__(f"this needs the right to {right} the locker", code="LOCKER_RIGHT_MISSING", right=right)


class NotOwner(Forbidden):
    """The owner of the secret may, or who governs all lockers."""

    def __init__(self) -> None:
        super().__init__("only the owner of the secret may do this", code="SECRET_NOT_OWNED")


class LastLockerOwner(Conflict):
    """A locker without an owner could be looked after by nobody in it."""

    def __init__(self) -> None:
        super().__init__("the locker would be left without an owner", code="LAST_LOCKER_OWNER")


class ConsumerExists(Conflict):
    """The role uses the locker already."""

    def __init__(self) -> None:
        super().__init__("the role is a consumer of the locker already", code="LOCKER_CONSUMER_EXISTS")


class RevisionStale(Conflict):
    """Somebody has changed it since the caller has seen it."""

    def __init__(self, what: str, revision: int) -> None:
        super().__init__(
            f"the {what} was changed meanwhile: its revision is {revision}", code="REVISION_STALE", revision=revision
        )


class ValueExists(Conflict):
    """The attribute has its value already: it can be changed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the attribute {name} has a value already", code="SECRET_VALUE_EXISTS", name=name)


class OwnerMissing(Invalid):
    """Whose shall it be? A credential that is nobody's must say so."""

    def __init__(self) -> None:
        super().__init__("a key is no user and owns nothing: say which user shall own it", code="OWNER_MISSING")


class AttributesInvalid(Invalid):
    """A secret has no such attributes."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a secret {why}", code="SECRET_ATTRIBUTES_INVALID")

"""What can go wrong with variables. A docstring is the message."""

from controlroom.errors import Conflict, Invalid, NotFound


class VariableNotFound(NotFound):
    """There is no such variable in the workspace."""

    def __init__(self) -> None:
        super().__init__("there is no such variable", code="VARIABLE_NOT_FOUND")


class VariableNameInvalid(Invalid):
    """A variable cannot be called so."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"a variable {name[:100]!r} {why}",
            code="VARIABLE_NAME_INVALID",
            field="name",
            name=name[:255],
            reason=why,
        )


class VariableInvalid(Invalid):
    """No variable can be so."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the {field} of a variable {why}", code="VARIABLE_INVALID", field=field, reason=why)


class VariableExists(Conflict):
    """The scope has a variable of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a variable {name} already in this scope", code="NAME_TAKEN", name=name)

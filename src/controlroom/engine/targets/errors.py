"""What can go wrong with targets. A docstring is the message."""

from controlroom.errors import Conflict, Invalid, NotFound


class TargetNotFound(NotFound):
    """There is no such target in the workspace."""

    def __init__(self) -> None:
        super().__init__("there is no such target", code="TARGET_NOT_FOUND")


class TargetNameTaken(Conflict):
    """Another target of the workspace has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a target {name!r} already", code="NAME_TAKEN", name=name)


class TargetInvalid(Invalid):
    """Nothing could be worked on so."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"the {field} of a target {why}", code="TARGET_INVALID", field=field, reason=why)

"""What can go wrong with provisioners. A docstring is the message."""

from collections.abc import Sequence
from uuid import UUID

from controlroom.errors import Conflict, Invalid, NotFound


class ProvisionerNotFound(NotFound):
    """There is no such provisioner."""

    def __init__(self, provisioner: UUID | str) -> None:
        super().__init__(
            f"there is no provisioner {provisioner}", code="PROVISIONER_NOT_FOUND", provisioner=str(provisioner)
        )


class ProvisionerInvalid(Invalid):
    """A provisioner that could not be asked."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="PROVISIONER_INVALID")


class ProvisionerNameTaken(Conflict):
    """Another provisioner of the workspace has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a provisioner {name} already", code="PROVISIONER_NAME_TAKEN", name=name)


class ProvisionerInUse(Conflict):
    """Steps are placed on it."""

    def __init__(self, provisioner: UUID, processes: Sequence[str]) -> None:
        super().__init__(
            f"steps of {', '.join(processes)} are placed on the provisioner",
            code="PROVISIONER_IN_USE",
            provisioner=str(provisioner),
            processes=list(processes),
        )

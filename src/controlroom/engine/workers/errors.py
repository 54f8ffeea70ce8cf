"""What can go wrong with workers, their groups and the tokens that link them."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class WorkerNotFound(NotFound):
    """There is no such worker."""

    code: ClassVar[str] = "WORKER_NOT_FOUND"

    def __init__(self, worker: UUID | str) -> None:
        super().__init__(f"there is no worker {worker}", worker=str(worker))


class WorkerGroupNotFound(NotFound):
    """There is no such worker group."""

    code: ClassVar[str] = "WORKER_GROUP_NOT_FOUND"

    def __init__(self, group: UUID | str) -> None:
        super().__init__(f"there is no worker group {group}", worker_group=str(group))


class LinkTokenNotFound(NotFound):
    """There is no such link token."""

    code: ClassVar[str] = "LINK_TOKEN_NOT_FOUND"

    def __init__(self, token: UUID | str) -> None:
        super().__init__(f"there is no link token {token}", link_token_id=str(token))


class WorkerGroupNameTaken(Conflict):
    """Another group of the workspace has this name."""

    code: ClassVar[str] = "WORKER_GROUP_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a worker group {name!r} already", name=name)


class WorkerGroupInUse(Conflict):
    """A step, or what works on a queue, is placed on the group, and would wait for ever."""

    code: ClassVar[str] = "WORKER_GROUP_IN_USE"

    def __init__(self, group: UUID, processes: Iterable[str], queues: Iterable[str]) -> None:
        steps, items = list(processes), list(queues)
        placed = [f"steps of {', '.join(steps)}"] * bool(steps) + [f"items of {', '.join(items)}"] * bool(items)
        super().__init__(
            f"{' and '.join(placed)} are placed on the worker group",
            worker_group_id=str(group),
            processes=steps,
            queues=items,
        )


class WorkerGroupIdle(Conflict):
    """No worker of the group is there: what is to run on it would wait for nobody."""

    code: ClassVar[str] = "WORKER_GROUP_IDLE"

    def __init__(self, group: UUID) -> None:
        super().__init__(f"no worker of the worker group {group} is connected", worker_group_id=str(group))


class WorkerGroupClosed(Forbidden):
    """The group is for others: its owners, and those who hold one of its roles."""

    code: ClassVar[str] = "WORKER_GROUP_CLOSED"

    def __init__(self, group: UUID) -> None:
        super().__init__(f"the worker group {group} is not open to you", worker_group_id=str(group))


class WorkerInOtherGroup(Conflict):
    """A group that has its workers for itself cannot have one of another group."""

    code: ClassVar[str] = "WORKER_IN_OTHER_GROUP"

    def __init__(self, worker: str, group: str) -> None:
        super().__init__(f"the worker {worker} is in the worker group {group}")


class LinkTokenInvalid(Unauthenticated):
    """Unknown, used, or over. Which of them is nobody's business who cannot see the token's row."""

    code: ClassVar[str] = "LINK_TOKEN_INVALID"

    def __init__(self) -> None:
        super().__init__("the link token is not valid, or not any more: ask for a new one")


class LinkTokenForAnother(Conflict):
    """The token was made for a worker with another id."""

    code: ClassVar[str] = "LINK_TOKEN_FOR_ANOTHER"

    def __init__(self) -> None:
        super().__init__("the link token was not made for the worker id that was given with it")


class ServesOthers(Forbidden):
    """It serves workspaces in which the actor may not change workers."""

    code: ClassVar[str] = "SERVES_OTHERS"

    def __init__(self) -> None:
        super().__init__("it serves other workspaces, too: this needs the permission workers.write in all of them")


class ServesNothing(Invalid):
    """Something would serve no workspace."""

    code: ClassVar[str] = "SERVES_NOTHING"

    def __init__(self) -> None:
        super().__init__("it has to serve a workspace: name one, or delete it")


class SandboxMissing(Conflict):
    """A worker without a sandbox would serve several workspaces."""

    code: ClassVar[str] = "SANDBOX_MISSING"

    def __init__(self) -> None:
        super().__init__(
            "a worker without a sandbox serves one workspace, because robots of one could read what those of another "
            "leave: let it serve one (controlroom workers serve), give its machine bubblewrap, or start it with "
            "CONTROLROOM_WORKER_MIX_WORKSPACES=1 if all workspaces may know what is in the others"
        )

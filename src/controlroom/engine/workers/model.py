"""Workers, the groups they are in, and the tokens by which they come."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import LinkTokenId, OrganizationId, WorkerGroupId, WorkerId, WorkspaceId

WORKER_TOKEN_PREFIX = "crw_"  # noqa: S105 - a prefix, not a token
LINK_TOKEN_PREFIX = "crl_"  # noqa: S105 - likewise


class AllWorkspaces(Struct, frozen=True):
    """All workspaces of the organization, those that are made later, too."""


class TheseWorkspaces(Struct, frozen=True):
    """Some workspaces, at least one."""

    workspaces: tuple[WorkspaceId, ...]


Serves = AllWorkspaces | TheseWorkspaces
"""What workers, their groups, link tokens and provisioners serve."""


class WorkerState(StrEnum):
    """What a worker is doing, as far as the server has heard."""

    OFFLINE = "offline"
    """It has said good-bye, or nothing for longer than its lease."""
    IDLE = "idle"
    BUSY = "busy"
    """It holds at least one step run."""
    RESTING = "resting"
    """It takes nothing: it can't work, why is in its `trouble`, or somebody has told it to rest."""


class Worker(Struct, frozen=True, kw_only=True):
    """A machine, or a part of one, that runs robots: `slots` of them at once."""

    id: WorkerId
    number: int
    organization_id: OrganizationId
    serves_all: bool
    name: str
    state: WorkerState
    slots: int
    version: str
    platform: str
    sandbox: str
    """`bwrap`, `off`, `unavailable`; empty before its first session."""
    sandbox_note: str
    trouble: str
    """Why it takes no work; empty if it does."""
    seen_at: datetime | None
    created_at: datetime
    rests_since: datetime | None = None
    """Since when somebody has told it to take nothing more; None: it takes what it can."""


class WorkerGroup(Struct, frozen=True, kw_only=True):
    """Workers that stand for each other."""

    id: WorkerGroupId
    number: int
    organization_id: OrganizationId
    serves_all: bool
    name: str
    created_at: datetime


class LinkToken(Struct, frozen=True, kw_only=True):
    """A token as lists show it. One-time, or reusable by any number of new workers of a group."""

    id: LinkTokenId
    number: int
    organization_id: OrganizationId
    serves_all: bool
    worker_group_id: WorkerGroupId | None
    """New workers are put into this group."""
    worker_id: WorkerId | None
    """The id that the worker shall have, if it was promised to a provisioner."""
    name: str
    is_reusable: bool
    expires_at: datetime | None
    used_at: datetime | None
    created_at: datetime


class NewLinkToken(Struct, frozen=True):
    """A token that was just made, with its value: it is shown now, and later only by `reveal_link_token`."""

    token: LinkToken
    value: str


class SealedLinkToken(Struct, frozen=True):
    """A token with its value as stored."""

    token: LinkTokenId
    sealed: bytes


class UsableLinkToken(Struct, frozen=True, kw_only=True):
    """A token that links a worker now, locked so that nobody else uses it meanwhile."""

    id: LinkTokenId | None
    """None: the one that the room's own worker brings."""
    organization_id: OrganizationId
    serves_all: bool
    workspaces: list[WorkspaceId]
    """The living ones that it serves, at least one."""
    worker_group_id: WorkerGroupId | None
    worker_id: WorkerId | None

    @property
    def serves(self) -> Serves:
        """What the worker that comes with it will serve."""
        return AllWorkspaces() if self.serves_all else TheseWorkspaces(tuple(self.workspaces))

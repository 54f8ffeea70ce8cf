"""Who acts, and what they may do.

A credential resolves to an *actor* with a scope. Verbs ask `actor.require(permission, workspace)`: an outsider is told
"not found", a member without the right is told which right is missing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from controlroom.errors import Forbidden, NotFound
from controlroom.ids import (
    ApiKeyId,
    OrganizationId,
    ProcessId,
    RunId,
    StepId,
    StepRunId,
    UserId,
    WorkerId,
    WorkspaceId,
)


class Permission(StrEnum):
    """What an API key or a role may do in a workspace. Dialects map their own names to these."""

    READ_ASSETS = "assets.read"
    WRITE_ASSETS = "assets.write"
    READ_ASSISTANTS = "assistants.read"
    WRITE_ASSISTANTS = "assistants.write"
    READ_PROCESSES = "processes.read"
    WRITE_PROCESSES = "processes.write"
    START_RUNS = "runs.start"
    START_AS = "runs.start_as"
    """Say that robots run as another user."""
    RUNTIME = "runs.runtime"
    """Be a user as whom robots run."""
    READ_RUNS = "runs.read"
    DELETE_RUNS = "runs.delete"
    """Part of what an API key may do that may read runs (`of_api_key`); no viewer has it."""
    READ_RUN_OUTPUTS = "run_outputs.read"
    READ_WORK_ITEMS = "work_items.read"
    WRITE_WORK_ITEMS = "work_items.write"
    GOVERN_QUEUES = "queues.govern"
    """Make models of items and queues, and do with every queue what its owners may. Part of writing processes."""
    READ_PACKAGES = "packages.read"
    WRITE_PACKAGES = "packages.write"
    READ_WEBHOOKS = "webhooks.read"
    WRITE_WEBHOOKS = "webhooks.write"
    READ_WORKERS = "workers.read"
    WRITE_WORKERS = "workers.write"
    READ_SCHEDULES = "schedules.read"
    WRITE_SCHEDULES = "schedules.write"
    READ_SECRETS = "secrets.read"
    """See names and keys of secrets, never values."""
    WRITE_SECRETS = "secrets.write"
    USE_SECRETS = "secrets.use"
    """Get the values of secrets, as robots do. Audited."""
    READ_API_KEYS = "api_keys.read"
    WRITE_API_KEYS = "api_keys.write"
    REVEAL = "reveal"
    """See again what is stored encrypted: API keys, webhook secrets. Audited."""
    READ_TARGETS = "targets.read"
    """See what commands work on: targets, log-ins without their passwords, the connections that they use."""
    WRITE_TARGETS = "targets.write"
    READ_VARIABLES = "variables.read"
    WRITE_VARIABLES = "variables.write"
    READ_MEMBERS = "members.read"
    WRITE_MEMBERS = "members.write"
    READ_AUDIT = "audit.read"
    WRITE_WORKSPACE = "workspace.write"
    WRITE_WORKSPACES = "workspaces.write"
    """Make workspaces: of the organization, as all below."""
    WRITE_ROLES = "roles.write"
    """Make, edit and delete roles."""
    OWN_SECRETS = "secrets.own"
    """Keep secrets and lockers of the organization, and share them."""
    GOVERN_LOCKERS = "lockers.govern"
    """See and change all lockers and secrets of the organization, whoever owns them: not their values."""
    READ_MODELS = "models.read"
    """See connections to models, and ask these something."""
    WRITE_MODELS = "models.write"
    """Make connections to models."""
    READ_CONNECTIONS = "connections.read"
    """See all connections to databases."""
    WRITE_CONNECTIONS = "connections.write"
    """Make and change connections to databases."""


OF_ORGANIZATION = frozenset(
    {
        Permission.WRITE_WORKSPACES,
        Permission.WRITE_ROLES,
        Permission.OWN_SECRETS,
        Permission.GOVERN_LOCKERS,
        Permission.READ_MODELS,
        Permission.WRITE_MODELS,
        Permission.READ_CONNECTIONS,
        Permission.WRITE_CONNECTIONS,
    }
)
"""What means nothing in a single workspace."""

EVERYTHING = frozenset(Permission) - OF_ORGANIZATION
"""What can be done in a workspace."""


def of_api_key(permissions: Iterable[Permission]) -> frozenset[Permission]:
    """What a key with these permissions may do.

    On keys the right to read runs is the right to delete them, too: the grammar that keys were made for has no other
    name for it.
    """
    named = frozenset(permissions) - {Permission.DELETE_RUNS}
    return named | {Permission.DELETE_RUNS} if Permission.READ_RUNS in named else named


class Role(StrEnum):
    """The roles of a workspace's members: those of the system's that everybody knows. Others are rows (`roles/`)."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


_READING = frozenset(p for p in EVERYTHING if p.value.endswith(".read"))

# What their rows say, too, where authentication reads them: a role of the system is edited by a migration, with this.
PERMISSIONS_OF_ROLE: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: EVERYTHING,
    Role.OPERATOR: _READING - {Permission.READ_API_KEYS, Permission.READ_AUDIT}
    | {
        Permission.START_RUNS,
        Permission.DELETE_RUNS,
        Permission.WRITE_WORK_ITEMS,
        Permission.WRITE_ASSETS,
        Permission.WRITE_PACKAGES,
        Permission.WRITE_PROCESSES,
        Permission.WRITE_SCHEDULES,
        Permission.WRITE_TARGETS,
        Permission.WRITE_VARIABLES,
    },
    Role.VIEWER: _READING - {Permission.READ_API_KEYS, Permission.READ_AUDIT, Permission.READ_SECRETS},
}


ALL_OF_A_WORKSPACE = "*"
"""In the row of a role: `EVERYTHING`, whatever a release knows of."""


class Granted(Struct, frozen=True, array_like=True):
    """What one grant gives: the permissions of its role, as the role's row has them, in its scope."""

    workspace: WorkspaceId | None
    """None: in the organization."""
    permissions: list[str]


class Held(Struct, frozen=True):
    """What somebody may do, where: all their grants together."""

    workspaces: dict[WorkspaceId, frozenset[Permission]] = {}
    throughout: frozenset[Permission] = frozenset()
    words: frozenset[str] = frozenset()
    """Permissions of grammars' own (`grammar:name`) in any of the roles: they allow nothing here."""


class ActorKind(StrEnum):
    """What kind of credential speaks."""

    USER = "user"
    API_KEY = "api_key"
    SERVICE_TOKEN = "service_token"  # noqa: S105 - a kind, not a token
    STEP_RUN = "step_run"
    WORKER = "worker"
    TRIGGER = "trigger"
    """Something outside that starts one process: its secret, its mail address."""
    SYSTEM = "system"


class Noting(Protocol):
    """Somebody who notes for what a credential is used."""

    def asked(self, actor: "Actor", permission: Permission, workspace: WorkspaceId | None) -> None:
        """The actor has used the permission: in a workspace, or in all in which they have it."""


class Actor(Struct, frozen=True, kw_only=True):
    """Somebody who acts, with the permissions in each workspace they may see."""

    kind: ActorKind
    id: UUID | None
    name: str
    organization_id: OrganizationId
    grants: dict[WorkspaceId, frozenset[Permission]] = {}
    """By workspace; what holds throughout the organization is in each of its workspaces, too."""
    throughout: frozenset[Permission] = frozenset()
    """What the actor may do in the organization as a whole, and so in each of its workspaces, those to come as well."""
    words: frozenset[str] = frozenset()
    """Permissions of grammars' own (`grammar:name`) in the actor's roles, for the grammar to show."""
    has_temporary_password: bool = False
    """A user who has logged in by a password that somebody else has chosen, and must choose another."""
    noting: Noting | None = None
    """Who is told which permissions are used; None: nobody counts them."""

    @property
    def is_admin(self) -> bool:
        """Whether there is nothing in the organization that the actor may not do."""
        return self.throughout >= EVERYTHING | OF_ORGANIZATION

    def permissions_in(self, workspace: WorkspaceId | None) -> frozenset[Permission]:
        """What the actor may do there (None: in the organization); empty for an outsider.

        The room itself may do everything.
        """
        if workspace is None:
            return self.throughout
        return EVERYTHING if self.kind is ActorKind.SYSTEM else self.grants.get(workspace, frozenset())

    def is_inside(self, workspace: WorkspaceId) -> bool:
        """Whether the actor has a place in the workspace, so that they may know that it exists."""
        return self.kind is ActorKind.SYSTEM or workspace in self.grants

    def may(self, permission: Permission, workspace: WorkspaceId | None) -> bool:
        """Whether the actor has the permission in the workspace (None: in the organization)."""
        return permission in self.permissions_in(workspace)

    def uses(self, permission: Permission, workspace: WorkspaceId | None) -> bool:
        """Whether the actor has the permission there, for what is done by it: that is noted."""
        if not self.may(permission, workspace):
            return False
        if self.noting is not None:
            self.noting.asked(self, permission, workspace)
        return True

    def require(self, permission: Permission, workspace: WorkspaceId) -> None:
        """Raise NotFound for an outsider, Forbidden (with the `permission`) for a member who lacks the right."""
        if not self.is_inside(workspace):
            raise NotFound("there is no such workspace", code="WORKSPACE_NOT_FOUND")
        granted = self.permissions_in(workspace)
        if permission not in granted:
            raise Forbidden(
                f"this needs the permission {permission.value}", code="PERMISSION_MISSING", permission=permission
            )
        if self.noting is not None:
            self.noting.asked(self, permission, workspace)


class StepRunActor(Struct, frozen=True, array_like=True):
    """A robot process: one attempt of one step run. Its token is this, signed; statements check that it lives."""

    step_run_id: StepRunId
    attempt: int
    run_id: RunId
    step_id: StepId
    process_id: ProcessId
    workspace_id: WorkspaceId
    organization_id: OrganizationId


class WorkerActor(Struct, frozen=True, kw_only=True):
    """A worker, by its lasting token."""

    worker_id: WorkerId
    organization_id: OrganizationId
    workspaces: tuple[WorkspaceId, ...]
    """Those that it serves, in the order of their making: at least one."""
    serves_all: bool
    """Whether those that are made later are served, too."""
    name: str


class User(Struct, frozen=True, kw_only=True):
    """A person who may log in."""

    id: UserId
    number: int
    organization_id: OrganizationId
    username: str
    first_name: str
    last_name: str
    email: str
    is_admin: bool
    created_at: datetime
    disabled_at: datetime | None


class ApiKey(Struct, frozen=True, kw_only=True):
    """A workspace's API key as lists show it; its value only by `reveal`."""

    id: ApiKeyId
    number: int
    workspace_id: WorkspaceId
    name: str
    permissions: list[Permission]
    created_by: UserId | None
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None


SYSTEM_NAME = "controlroom"


def system(organization: OrganizationId) -> Actor:
    """The room itself, for what its loops do."""
    everything = EVERYTHING | OF_ORGANIZATION
    return Actor(kind=ActorKind.SYSTEM, id=None, name=SYSTEM_NAME, organization_id=organization, throughout=everything)

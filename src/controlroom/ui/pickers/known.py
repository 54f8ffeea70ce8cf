"""Of what one is chosen in forms, and what filters of lists are set to: each as the engine lists it."""

from collections.abc import Callable
from typing import Final

from controlroom.engine.access.groups.listings import USER_GROUPS
from controlroom.engine.access.key_uses import API_KEYS
from controlroom.engine.access.roles.holders import EVERY_ROLE
from controlroom.engine.access.scope import Scope, scope_of, within
from controlroom.engine.access.users.people import PEOPLE
from controlroom.engine.analyses.listings import CODE_POLICIES
from controlroom.engine.connections.listings import CONNECTIONS as LISTED_CONNECTIONS
from controlroom.engine.connections.listings import EXTENDED_ATTRIBUTES, seen_by
from controlroom.engine.connections.listings import LOGINS as LISTED_LOGINS
from controlroom.engine.connections.listings import PROFILES as LISTED_PROFILES
from controlroom.engine.item_models.store import ITEM_MODELS as LISTED_MODELS
from controlroom.engine.job_definitions.listings import JOBS as LISTED_JOBS
from controlroom.engine.lists.model import EVERYTHING, Listing, Within, equal
from controlroom.engine.packages.listings import PACKAGES as LISTED_PACKAGES
from controlroom.engine.packages.listings import TASKS as LISTED_TASKS
from controlroom.engine.processes.listings import PROCESSES as LISTED_PROCESSES
from controlroom.engine.provisioners.listings import PROVISIONERS
from controlroom.engine.queues.listings import QUEUES as LISTED_QUEUES
from controlroom.engine.targets.listings import TARGETS as LISTED_TARGETS
from controlroom.engine.vault.lockers.listings import LOCKERS as LISTED_LOCKERS
from controlroom.engine.vault.lockers.listings import seen_by as lockers_seen_by
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared.listings import SECRET_ATTRIBUTES
from controlroom.engine.vault.shared.listings import seen_by as secrets_seen_by
from controlroom.engine.workers.listings import WORKER_GROUPS, in_service
from controlroom.engine.workers.listings import WORKERS as LISTED_WORKERS
from controlroom.ui.asking import Asking, Permission
from controlroom.ui.pickers.picker import Picker, Source

Seen = Callable[[Asking], Within | None]
_THERE: Final = equal(is_there=True)


# ----------------------------------------------------------------------------------------------- who may know of them
def _held(request: Asking, permissions: tuple[Permission, ...]) -> Permission | None:
    """The first of some permissions that the actor has in the workspace of the page."""
    if not request.base:
        return None
    return next((each for each in permissions if request.actor.may(each, request.workspace)), None)


def _of_workspace(*permissions: Permission) -> Seen:
    """What lies in the workspace of the page, for who has one of these there."""

    def seen(request: Asking) -> Within | None:
        held = _held(request, permissions)
        return None if held is None else within(request.scope_for(held))

    return seen


def _in_service(*permissions: Permission) -> Seen:
    """What serves the workspace of the page, for who has one of these there."""

    def seen(request: Asking) -> Within | None:
        held = _held(request, permissions)
        return None if held is None else in_service(scope_of(request.actor, held, request.workspace))

    return seen


def machines_anywhere(request: Asking) -> Scope | None:
    """All that runs robots in a workspace where the actor may see it; None where they may nowhere."""
    permission, actor = Permission.READ_WORKERS, request.actor
    held = any(actor.may(permission, each) for each in (None, *actor.grants))
    return scope_of(actor, permission) if held else None


def _machines(request: Asking) -> Within | None:
    seen = machines_anywhere(request)
    return None if seen is None else in_service(seen)


def _whole(request: Asking) -> Within:
    return Within.one("%(organization)s", organization=request.actor.organization_id)


def _knows_people(request: Asking) -> bool:
    return any(request.actor.may(Permission.READ_MEMBERS, each) for each in (None, *request.actor.grants))


def _people(request: Asking) -> Within | None:
    return _whole(request) if _knows_people(request) else None


def _connections(request: Asking) -> Within | None:
    return seen_by(request.actor)


def _by_standing(of: Callable[..., Within]) -> Seen:
    """What the vault says that somebody may know of."""
    return lambda request: of(asker_of(request.actor))


def _picker(
    key: str,
    word: str,
    listing: Listing,
    seen: Seen,
    *,
    field: str = "name",
    is_unique: bool = True,
    has_gone: bool = False,
) -> Picker:
    source = Source(listing=listing, seen=seen, field=field, always=_THERE if has_gone else EVERYTHING)
    return Picker(key=key, word=word, sources=(source,), is_unique=is_unique)


# -------------------------------------------------------------------------------------------------- a workspace's own
_MAKES: Final = (
    Permission.WRITE_PROCESSES,
    Permission.WRITE_ASSISTANTS,
    Permission.GOVERN_QUEUES,
    Permission.WRITE_WORKSPACE,
    Permission.WRITE_SCHEDULES,
)
_TARGETS: Final = _of_workspace(Permission.READ_TARGETS)

PROCESSES: Final = _picker(
    "processes",
    "process",
    LISTED_PROCESSES,
    _of_workspace(
        Permission.READ_PROCESSES,
        Permission.READ_RUNS,
        Permission.WRITE_PROCESSES,
        Permission.WRITE_SCHEDULES,
        Permission.WRITE_WEBHOOKS,
        Permission.READ_WORK_ITEMS,
    ),
)
ASKING: Final = Picker(
    key="asking",
    word="process that asks people",
    sources=(
        Source(
            listing=LISTED_PROCESSES,
            seen=_of_workspace(Permission.READ_PROCESSES),
            always=equal(asks_people=True),
        ),
    ),
)
TASKS: Final = _picker(
    "tasks",
    "task",
    LISTED_TASKS,
    _of_workspace(Permission.READ_PACKAGES, *_MAKES),
    field="title",
    is_unique=False,
    has_gone=True,
)
PACKAGES: Final = _picker("packages", "package", LISTED_PACKAGES, _of_workspace(Permission.READ_PACKAGES))
QUEUES: Final = _picker("queues", "queue", LISTED_QUEUES, _of_workspace(Permission.READ_WORK_ITEMS))
TARGETS: Final = _picker("targets", "environment", LISTED_TARGETS, _TARGETS, has_gone=True)
JOBS: Final = _picker("jobs", "job", LISTED_JOBS, _of_workspace(Permission.READ_PROCESSES), has_gone=True)
LOGINS: Final = _picker("logins", "log-in", LISTED_LOGINS, _TARGETS, field="title", is_unique=False, has_gone=True)
PROFILES: Final = _picker("profiles", "profile", LISTED_PROFILES, _TARGETS, field="key", has_gone=True)
OVERLAYS: Final = _picker(
    "attributes", "overlay", EXTENDED_ATTRIBUTES, _TARGETS, field="title", is_unique=False, has_gone=True
)

# ------------------------------------------------------------------------------------------------- the organization's
CONNECTIONS: Final = _picker("connections", "connection", LISTED_CONNECTIONS, _connections, has_gone=True)
POLICIES: Final = _picker("code-policies", "code policy", CODE_POLICIES, _whole)
ITEM_MODELS: Final = _picker("item-models", "model of items", LISTED_MODELS, _whole)
LOCKERS: Final = _picker("lockers", "locker", LISTED_LOCKERS, _by_standing(lockers_seen_by))
SECRET_KEYS: Final = _picker(
    "secret-attributes",
    "attribute of a secret",
    SECRET_ATTRIBUTES,
    _by_standing(secrets_seen_by),
    field="title",
    is_unique=False,
)

# ----------------------------------------------------------------------------------------------- where something runs
_SERVING: Final = _in_service(Permission.READ_WORKERS, Permission.WRITE_PROCESSES, Permission.GOVERN_QUEUES)
_ON_MACHINES: Final = _in_service(Permission.READ_WORKERS)
GROUPS: Final = _picker("groups", "group", WORKER_GROUPS, _SERVING)
WORKERS: Final = _picker("workers", "worker", LISTED_WORKERS, _SERVING)
ALL_WORKERS: Final = _picker("all-workers", "worker", LISTED_WORKERS, _machines)
RUN_ON: Final = Picker(
    key="places",
    word="place",
    sources=(
        Source(listing=WORKER_GROUPS, seen=_SERVING, kind="group", said="group "),
        Source(listing=LISTED_WORKERS, seen=_SERVING, kind="worker"),
        Source(listing=PROVISIONERS, seen=_SERVING, kind="provisioner", said="on demand: "),
    ),
    is_unique=False,
)
MACHINES: Final = Picker(
    key="machines",
    word="group or worker",
    sources=(
        Source(listing=WORKER_GROUPS, seen=_ON_MACHINES, kind="group", said="group "),
        Source(listing=LISTED_WORKERS, seen=_ON_MACHINES, kind="worker", said="worker "),
    ),
    is_unique=False,
)

# ------------------------------------------------------------------------------------------------ people and programs
_KEYS: Final = _of_workspace(Permission.READ_API_KEYS)
ROLES: Final = _picker("roles", "role", EVERY_ROLE, _people)
USERS: Final = _picker("users", "user", PEOPLE, _people, field="username")
ACTORS: Final = Picker(
    key="actors",
    word="user or key",
    sources=(
        Source(listing=PEOPLE, seen=_people, field="username"),
        Source(listing=API_KEYS, seen=_KEYS, said="key "),
    ),
)
PRINCIPALS: Final = Picker(
    key="principals",
    word="user, group, key or role",
    sources=(
        Source(listing=PEOPLE, seen=_people, field="username", kind="user"),
        Source(listing=USER_GROUPS, seen=_people, kind="group", said="group "),
        Source(listing=API_KEYS, seen=_KEYS, kind="credential", said="key "),
        Source(listing=EVERY_ROLE, seen=_people, kind="role", said="all who hold "),
    ),
    is_unique=False,
)

ALL: Final[tuple[Picker, ...]] = tuple(each for each in vars().values() if isinstance(each, Picker))
BY_KEY: Final = {each.key: each for each in ALL}

"""The vendor's names of permissions (§1.2), and ours behind them.

Our management API guards more than the vendor's did; those permissions have names of the same form.
"""

from collections.abc import Iterable

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.errors import Invalid

NAMES: dict[Permission, str] = {
    Permission.READ_ASSETS: "Assets.read_asset_storage_assets",
    Permission.WRITE_ASSETS: "Assets.write_asset_storage_assets",
    Permission.READ_ASSISTANTS: "Assistants.read_assistants",
    Permission.WRITE_ASSISTANTS: "Assistants.write_assistants",
    Permission.READ_PROCESSES: "Processes.read_processes",
    Permission.WRITE_PROCESSES: "Processes.write_processes",
    Permission.START_RUNS: "Processes.trigger_processes",
    Permission.START_AS: "Processes.run_as_others",
    Permission.RUNTIME: "Processes.be_run_as",
    Permission.READ_RUNS: "Processes.read_runs",
    Permission.DELETE_RUNS: "Processes.read_runs",  # of keys, by which it is named; roles have it by themselves
    Permission.READ_RUN_OUTPUTS: "Processes.read_run_outputs",
    Permission.READ_WORK_ITEMS: "Processes.read_work_items",
    Permission.WRITE_WORK_ITEMS: "Processes.write_work_items",
    Permission.GOVERN_QUEUES: "Processes.govern_queues",
    Permission.READ_PACKAGES: "Tasks.read_task_packages",
    Permission.WRITE_PACKAGES: "Tasks.write_task_packages",
    Permission.READ_WEBHOOKS: "Webhooks.read_webhooks",
    Permission.WRITE_WEBHOOKS: "Webhooks.write_webhooks",
    Permission.READ_WORKERS: "Workers.read_workers",
    Permission.WRITE_WORKERS: "Workers.write_workers",
    Permission.READ_SCHEDULES: "Schedules.read_schedules",
    Permission.WRITE_SCHEDULES: "Schedules.write_schedules",
    Permission.READ_SECRETS: "Vault.read_secrets",
    Permission.WRITE_SECRETS: "Vault.write_secrets",
    Permission.USE_SECRETS: "Vault.use_secrets",
    Permission.READ_API_KEYS: "ApiKeys.read_api_keys",
    Permission.WRITE_API_KEYS: "ApiKeys.write_api_keys",
    Permission.REVEAL: "ApiKeys.reveal",
    Permission.READ_TARGETS: "Targets.read_targets",
    Permission.WRITE_TARGETS: "Targets.write_targets",
    Permission.READ_VARIABLES: "Variables.read_variables",
    Permission.WRITE_VARIABLES: "Variables.write_variables",
    Permission.READ_MEMBERS: "Members.read_members",
    Permission.WRITE_MEMBERS: "Members.write_members",
    Permission.READ_AUDIT: "Audit.read_audit_log",
    Permission.WRITE_WORKSPACE: "Workspace.write_workspace",
}

_OURS: dict[str, Permission] = {permission.value: permission for permission in Permission}
_OLD_NAMES = {"read_robots": Permission.READ_PACKAGES, "write_robots": Permission.WRITE_PACKAGES}

_NAMED: dict[Permission, str] = {
    permission: name for permission, name in NAMES.items() if permission is not Permission.DELETE_RUNS
}
_BY_NAME: dict[str, Permission] = (
    {name: permission for permission, name in _NAMED.items()}
    | {name.partition(".")[2]: permission for permission, name in _NAMED.items() if permission is not Permission.REVEAL}
    | {permission.value: permission for permission in _NAMED}
    | {f"{group}{name}": permission for name, permission in _OLD_NAMES.items() for group in ("", "Robots.")}
)


def names_of(permissions: Iterable[Permission]) -> list[str]:
    """The names of permissions as this dialect writes them, sorted."""
    return sorted(_NAMED[permission] for permission in permissions if permission in _NAMED)


def name_for(permission: Permission, caller: object) -> str:
    """What a caller who lacks a permission is told that it is called: on keys it may be part of another one."""
    if isinstance(caller, Actor) and caller.kind is not ActorKind.API_KEY:
        return _NAMED.get(permission, permission.value)
    return NAMES.get(permission, permission.value)


def in_role(name: str) -> str:
    """What a permission of a role is called here: in this dialect's words, else as the role has it."""
    permission = _OURS.get(name)
    return name if permission is None else _NAMED.get(permission, name)


def of_role(name: str) -> str:
    """The permission that a role shall have, as roles have it: whatever is no name of this dialect's stays as given."""
    permission = _BY_NAME.get(name)
    return name if permission is None else permission.value


def permission_named(name: str) -> Permission:
    """The permission of a name: the full one, the part after the dot, ours, or the older one of a robot.

    Raises Invalid `UNKNOWN_PERMISSION`.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise Invalid(f"there is no permission {name!r}", code="UNKNOWN_PERMISSION", name=name) from None

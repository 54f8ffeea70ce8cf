"""The environment variables of a robot (`protocols` §6)."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from controlroom.protocol import Assignment
from controlroom.robots.definition import RobotDefinition
from controlroom.trust import VARIABLES
from controlroom.worker.environments.environment import ADAPTER_MODULE, Environment, EnvironmentKind
from controlroom.worker.places import Place

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs of the machine are searched: not the worker's own PATH, which may name folders no robot can see."""

_INHERITED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ")
_ADAPTERS = ("RC_WORKITEM_ADAPTER", "RPA_WORKITEMS_ADAPTER")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class RobotFolders(Struct, frozen=True):
    """Where a robot sees its own folders, once it was copied to its place."""

    root: Path
    """The folder of robot.yaml: the working folder."""
    artifacts: Path
    names: str = ""
    """The folder that gives its user a name (see `Place.names`)."""

    @classmethod
    def of(cls, place: Place, root: str, definition: RobotDefinition) -> "RobotFolders":
        """The folders of a robot whose robot.yaml is in `root`, relative to its package."""
        robot = place.inside(place.robot)
        folder = robot if root == "." else robot / root
        return cls(folder, folder / definition.artifacts_dir, str(place.names or ""))


def of_machine(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What robots get of the worker's own variables: language, time zone, proxies and trusted authorities.

    Nothing else, since a worker's variables hold its secrets.
    """
    variables = {name: own[name] for name in _INHERITED if name in own}
    for proxy in _PROXIES:
        variables |= {name: own[name] for name in (proxy, proxy.lower()) if name in own}
    variables.setdefault("LANG", "C.UTF-8")
    return variables | {name: own[name] for name in VARIABLES if name in own}  # the worker's own bundle: see `setup`


def of_place(place: Place, environment: Environment, machine: Mapping[str, str]) -> dict[str, str]:
    """What any Python in this place and environment gets before it is known which step run it will serve.

    A spare is started with these.
    """
    temporary = str(place.inside(place.temporary))
    base = {
        **machine,
        "PATH": SYSTEM_PATH,
        "HOME": str(place.inside(place.home)),
        "TMPDIR": temporary,
        "TEMP": temporary,
        "TMP": temporary,
        "USER": "robot",
        "LOGNAME": "robot",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ROBOT_ROOT": str(place.inside(place.robot)),
        "ROBOCORP_HOME": str(place.inside(place.home / ".robocorp")),
    }
    if environment.kind is not EnvironmentKind.MACHINE:
        base["RCC_HOLOTREE_SPACE_ROOT"] = str(place.inside(place.space))
        base["RCC_ENVIRONMENT_HASH"] = environment.fingerprint[:16]
    activated = environment.activate(base)
    if place.names is not None:
        activated["PYTHONPATH"] = _joined(str(place.names), activated.get("PYTHONPATH", ""))
    return activated


def of_step_run(
    base: Mapping[str, str],
    assignment: Assignment,
    *,
    url: str,
    folders: RobotFolders,
    definition: RobotDefinition,
    fast_adapter: bool,
) -> dict[str, str]:
    """All variables of a robot: the step's own win over the environment's, the platform's over the step's.

    PATH and PYTHONPATH are put together: the robot's folders, then the step's, then the environment's.

    With `fast_adapter`, the library for work items is told of the room's own adapter, if nobody has named one.
    """
    step = assignment.variables
    variables = {**base, **step, **_ids(assignment), **_borders(assignment, url)}
    if fast_adapter and assignment.has_robot_api and not any(variables.get(name) for name in _ADAPTERS):
        variables[_ADAPTERS[0]] = f"{ADAPTER_MODULE}.Adapter"
    variables["PWD"] = str(folders.root)
    variables["ROBOT_ROOT"] = str(folders.root)
    variables["ROBOT_ARTIFACTS"] = str(folders.artifacts)
    variables["PATH"] = _joined(*_below(folders.root, definition.path), step.get("PATH", ""), base["PATH"])
    python_path = _joined(*_below(folders.root, definition.pythonpath), step.get("PYTHONPATH", ""))
    if python_path:
        variables["PYTHONPATH"] = _joined(folders.names, python_path)
    return variables


def _ids(assignment: Assignment) -> dict[str, str]:
    step_run = str(assignment.step_run_id)
    return {
        "RC_WORKSPACE_ID": str(assignment.workspace_id),
        "RC_ORGANIZATION_ID": str(assignment.organization_id),
        "RC_PROCESS_ID": str(assignment.process_id),
        "RC_PROCESS_NAME": assignment.process_name,
        "RC_PROCESS_RUN_ID": str(assignment.run_id),
        "RC_ACTIVITY_ID": str(assignment.step_id),
        "RC_ACTIVITY_NAME": assignment.step_name,
        "RC_ACTIVITY_RUN_ID": step_run,
        "RC_ROBOT_RUN_ID": step_run,
        "RC_WORKITEM_ID": str(assignment.work_item_id) if assignment.work_item_id else "",
    }


def _borders(assignment: Assignment, url: str) -> dict[str, str]:
    """The server's addresses, as the worker reached it, and the one token for all of them."""
    return {
        "RC_API_WORKITEM_HOST": url,
        "RC_API_WORKITEM_TOKEN": assignment.token,
        "RC_API_PROCESS_HOST": url,
        "RC_API_PROCESS_TOKEN": assignment.token,
        "RC_API_SECRET_HOST": url,
        "RC_API_SECRET_TOKEN": assignment.token,
        "RC_API_URL_V1": url + "/api/v1",
        "RC_API_TOKEN_V1": assignment.token,
    }


def _below(root: Path, folders: tuple[str, ...]) -> list[str]:
    return [str(root / folder) if folder != "." else str(root) for folder in folders]


def _joined(*parts: str) -> str:
    return ":".join(part for part in parts if part)

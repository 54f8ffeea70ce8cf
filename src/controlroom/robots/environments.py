"""The environment that a robot asks for, found among its files."""

from controlroom.errors import Invalid
from controlroom.robots.definition import RobotDefinition, Source, fitting_environment, machine_name
from controlroom.robots.environment_spec import EnvironmentSpec, parse_environment
from controlroom.robots.yaml_text import invalid

_MACHINES = ("amd64", "arm64")


def read_environment(robot: RobotDefinition, source: Source, *, machine: str | None = None) -> EnvironmentSpec | None:
    """What to install for a robot on a machine (this one by default); None if it has no environment file.

    Raises Invalid (PACKAGE_INVALID).
    """
    name = fitting_environment(robot, source, machine=machine_name(machine))
    text = source(name) if name is not None else None
    return parse_environment(name, text) if name is not None and text is not None else None


def check_environment(robot: RobotDefinition, source: Source) -> None:
    """Refuse a robot whose environment no worker could build, on whichever machine: what a server does at upload.

    Files for other systems only are no fault here: such a robot is for those who run it elsewhere. Raises Invalid.
    """
    named = robot.named_environments
    if named and all(source(name) is None for name in named):
        raise invalid(f"The environment file is not in the package: {', '.join(named)}")
    for machine in _MACHINES:
        try:
            name = fitting_environment(robot, source, machine=machine)
        except Invalid:
            continue
        if name is not None and (text := source(name)) is not None:
            parse_environment(name, text)

"""What jobs may be. Pure."""

from datetime import timedelta
from typing import Final

from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.job_definitions.model import JobDefinition
from controlroom.engine.jobs import timetables
from controlroom.engine.jobs.errors import JobInvalid
from controlroom.engine.jobs.model import JobKind
from controlroom.engine.processes.model import PackageCommands, StepDefinition
from controlroom.engine.processes.rules import LONGEST_COMMAND_NAME, MOST_COMMANDS
from controlroom.ids import PackageId
from controlroom.protocol import Command
from controlroom.robots import dbt_commands, dbt_versions

STEP: Final = "commands"
"""What the only step of a job is called, for those who see it as a process."""

_MOST_THREADS: Final = 1000
_LONGEST_TIMEOUT: Final = timedelta(days=30)


def checked(definition: JobDefinition) -> tuple[Command, ...]:
    """The commands of a job that can be. Raises JobInvalid, CommandRefused, Invalid for a name or a description."""
    checked_name(definition.name, what="job's name")
    checked_description(definition.description)
    settings = definition.settings
    if not 1 <= settings.threads <= _MOST_THREADS:
        raise JobInvalid("threads", f"from 1 to {_MOST_THREADS:,}")
    if definition.timeout is not None and not timedelta(0) < definition.timeout <= _LONGEST_TIMEOUT:
        raise JobInvalid("timeout", f"more than 0 seconds, and at most {_LONGEST_TIMEOUT.days} days")
    if definition.follows is not None and not definition.follows.ends:
        raise JobInvalid("follows", "it names the ends that start it")
    if settings.tool_version is not None and (fault := dbt_versions.fault_of(settings.tool_version)):
        raise JobInvalid("tool_version", fault)
    timetables.check(settings.timetable)
    return commands_of(definition.commands)


def commands_of(lines: tuple[str, ...]) -> tuple[Command, ...]:
    """The commands of these lines, each called by its line as it was typed. Raises JobInvalid, CommandRefused."""
    if len(lines) > MOST_COMMANDS:
        raise JobInvalid("commands", f"at most {MOST_COMMANDS}")
    if any(len(line) > LONGEST_COMMAND_NAME for line in lines):
        raise JobInvalid("commands", f"each has at most {LONGEST_COMMAND_NAME:,} characters")
    return tuple(Command(name=_name_of(line), words=dbt_commands.read(line).words) for line in lines)


def _name_of(line: str) -> str:
    return line if line.isprintable() else " ".join(line.split())


def kind_of(definition: JobDefinition) -> JobKind:
    """What a job is for: as its author says, else by what starts it."""
    settings = definition.settings
    if definition.kind is not None:
        return definition.kind
    if settings.on_pull_request or settings.on_push:
        return JobKind.CI
    if settings.on_merge:
        return JobKind.MERGE
    return JobKind.SCHEDULED if settings.is_scheduled else JobKind.OTHER


def step_of(definition: JobDefinition, commands: tuple[Command, ...], package: PackageId | None) -> StepDefinition:
    """The only step of a job; it runs nothing while its project has no files."""
    work = None if package is None else PackageCommands(package, commands, are_all=False)
    return StepDefinition(name=STEP, work=work, timeout=definition.timeout)

"""What steps may be, and which of the old steps the new ones are. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from controlroom.engine.processes.errors import StepInvalid
from controlroom.engine.processes.forms import Form
from controlroom.engine.processes.model import OnDemand, PackageCommands, Placement, StepDefinition, Workers
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import ConnectionId, StepId
from controlroom.protocol import Command

MOST_STEPS = 100
MOST_PARALLEL = 10_000
LONGEST_TIMEOUT = timedelta(days=30)
MOST_ATTEMPTS = 1000
MOST_PLACES = 100
LONGEST_RETRY_DELAY = timedelta(days=30).total_seconds()
MOST_BACKOFF = 100.0
MOST_VARIABLES = 1000
MOST_COMMANDS = 100
MOST_COMMAND_BYTES = 256 * 1024
LONGEST_COMMAND_NAME = 4000
MOST_VARIABLE_BYTES = 128 * 1024  # Why: Linux takes no longer single string in an environment (MAX_ARG_STRLEN)


class KnownStep(Struct, frozen=True):
    """A step that a process has."""

    id: StepId
    name: str


class StepPlan(Struct, frozen=True):
    """What becomes of the steps: for each wanted one the id it keeps (None: it is new), and which ones go."""

    kept: tuple[StepId | None, ...]
    removed: tuple[StepId, ...]

    def loses_or_moves(self, existing: Sequence[KnownStep]) -> bool:
        """Whether items of a run under way could lose their step, or their next one."""
        return tuple(step.id for step in existing) != self.kept[: len(existing)]


def match_steps(existing: Sequence[KnownStep], wanted: Sequence[str]) -> StepPlan:
    """Which old step each wanted name is: the one of that name wherever it stood, else what stood at its place.

    So a step that is moved keeps its id by its name, and one that is renamed keeps it by its place.
    """
    by_name = {step.name: step.id for step in existing}
    kept = [by_name.get(name) for name in wanted]
    taken = set(kept)
    for place, step in enumerate(existing[: len(wanted)]):
        if kept[place] is None and step.id not in taken:
            kept[place] = step.id
            taken.add(step.id)
    return StepPlan(tuple(kept), tuple(step.id for step in existing if step.id not in taken))


def check_steps(steps: Sequence[StepDefinition]) -> None:
    """Raise StepInvalid for the first step that cannot be, whatever tasks and workers there are."""
    if len(steps) > MOST_STEPS:
        raise StepInvalid(steps[MOST_STEPS].name, f"a process has at most {MOST_STEPS} steps")
    names: set[str] = set()
    databases: set[ConnectionId | str] = set()
    for step in steps:
        reason = _fault(step) or retry_fault(step.retry) or environment_fault(step.environment)
        if isinstance(step.work, PackageCommands):
            reason = reason or _commands_fault(step.work)
        if step.database is not None:
            reason = reason or _database_fault(step)
            if step.database in databases:
                reason = "another step works on this database: one at a time does"
            databases.add(step.database)
        if step.name in names:
            reason = "another step has this name"
        if reason:
            raise StepInvalid(step.name, reason)
        names.add(step.name)


def _fault(step: StepDefinition) -> str:
    if not 1 <= step.max_parallel <= MOST_PARALLEL:
        return f"max_parallel is 1 to {MOST_PARALLEL:,}"
    if step.timeout is not None and not timedelta(0) < step.timeout <= LONGEST_TIMEOUT:
        return f"the timeout is more than 0 seconds and at most {LONGEST_TIMEOUT.days} days"
    return placement_fault(step.placement)


def _database_fault(step: StepDefinition) -> str:
    """Why a step cannot work on a database, of which one step run at a time brings the next version."""
    if step.max_parallel != 1 or step.one_item_per_step_run:
        return "a step that works on a database has one step run at a time (max_parallel 1, not one for each item)"
    if step.work is None or isinstance(step.work, Form):
        return "nothing runs in it that could work on a database"
    return ""


def placement_fault(placement: Placement) -> str:
    """What is wrong with a placement, whatever workers there are; empty if nothing is."""
    if len(placement.places) > MOST_PLACES:
        return f"a placement has at most {MOST_PLACES} places"
    if Workers(()) in placement.places:
        return "a place names no worker"
    if any(isinstance(place, OnDemand) for place in placement.places[:-1]):
        return "a worker on demand is the last place: it can always be had, so nothing comes after it"
    return ""


def retry_fault(retry: RetryPolicy) -> str:
    """Why a retry policy cannot be; empty if it can."""
    if not 1 <= retry.max_attempts <= MOST_ATTEMPTS:
        return f"retry: max_attempts is 1 to {MOST_ATTEMPTS:,}"
    if not (0 <= retry.delay_seconds <= LONGEST_RETRY_DELAY and 0 <= retry.max_delay_seconds <= LONGEST_RETRY_DELAY):
        return "retry: a delay is 0 seconds to 30 days"
    if not 1 <= retry.backoff <= MOST_BACKOFF:
        return f"retry: backoff is 1 to {MOST_BACKOFF:g}"
    if not 0 <= retry.jitter <= 1:
        return "retry: jitter is 0 to 1"
    return ""


def _commands_fault(work: PackageCommands) -> str:
    commands, fewest = work.commands, int(work.are_all)
    if not fewest <= len(commands) <= MOST_COMMANDS:
        return f"a list has {fewest} to {MOST_COMMANDS} commands"
    if sum(len(word.encode()) for command in commands for word in command.words) > MOST_COMMAND_BYTES:
        return f"the words of its commands have more than {MOST_COMMAND_BYTES:,} bytes together"
    return next((fault for fault in map(_command_fault, commands) if fault), "")


def _command_fault(command: Command) -> str:
    if not command.name.strip() or len(command.name) > LONGEST_COMMAND_NAME or not command.name.isprintable():
        return f"the name of a command is printable, not blank, and at most {LONGEST_COMMAND_NAME} characters long"
    if not command.words or not command.words[0].strip():
        return f"the command {command.name!r} names no program"
    if any("\0" in word or len(word.encode()) >= MOST_VARIABLE_BYTES for word in command.words):
        return f"a word of the command {command.name!r} has {MOST_VARIABLE_BYTES:,} bytes or more, or a NUL in it"
    fault = environment_fault(command.variables)
    return f"the command {command.name!r}: {fault}" if fault else ""


def environment_fault(environment: Mapping[str, str]) -> str:
    """What is wrong with variables for robots; empty if nothing is."""
    if len(environment) > MOST_VARIABLES:
        return f"at most {MOST_VARIABLES} environment variables"
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            return f"{name!r} is no name of an environment variable"
        if "\0" in value or len(name.encode()) + len(value.encode()) + 2 > MOST_VARIABLE_BYTES:
            return f"the environment variable {name} is longer than {MOST_VARIABLE_BYTES:,} bytes, or has a NUL in it"
    return ""

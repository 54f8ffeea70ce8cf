"""The form of a process: what is shown in it, and what was typed, read into what the engine is asked for. Pure."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from controlroom.engine.processes.changes import definition_of
from controlroom.engine.processes.model import (
    ANYWHERE,
    Group,
    OnDemand,
    Placement,
    Process,
    ProcessChange,
    ProcessDefinition,
    Step,
    StepDefinition,
    StepTask,
    Workers,
)
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import ProvisionerId, TaskId, WorkerGroupId, WorkerId, as_uuid
from controlroom.ui import durations
from controlroom.ui.asking import Fields

MOST_STEPS: Final = 100
KEEP: Final = "keep"
ANY: Final = "any"


class StepForm(Struct, frozen=True, kw_only=True):
    """A step as it stands in the form: texts, as they were typed."""

    key: str = ""
    """The number of the step that it is; empty for a new one."""
    name: str = ""
    work: str = ""
    """The id of a task, `keep` for what is no task, or nothing."""
    where: str = ANY
    """`any`, `group:{id}`, `worker:{id}`, `provisioner:{id}`, or `keep` for what is more than that."""
    max_parallel: str = "1"
    timeout: str = ""
    attempts: str = "1"
    delay: str = ""
    backoff: str = "2"
    environment: str = ""
    after_previous: bool = False
    one_item: bool = False


class ProcessForm(Struct, frozen=True, kw_only=True):
    """All of it."""

    name: str = ""
    is_enabled: bool = True
    has_default: bool = False
    default_item: str = ""
    steps: tuple[StepForm, ...] = (StepForm(name="Step 1"),)


_TEXTS: Final = ("key", "name", "work", "where", "max_parallel", "timeout", "attempts", "delay", "backoff")


# ---------------------------------------------------------------------------------------------------- shown
def form_of(process: Process, steps: Sequence[Step]) -> ProcessForm:
    """A process as its form shows it."""
    return ProcessForm(
        name=process.name,
        is_enabled=process.is_enabled,
        has_default=process.default_item is not None,
        default_item="" if process.default_item is None else pretty(process.default_item),
        steps=tuple(map(_step, steps)),
    )


def pretty(payload: Raw) -> str:
    """JSON as people read it."""
    return msgspec.json.format(bytes(payload), indent=2).decode()


def _step(step: Step) -> StepForm:
    return StepForm(
        key=str(step.number),
        name=step.name,
        work="" if step.work is None else str(step.work.id) if isinstance(step.work, StepTask) else KEEP,
        where=_where(step.placement),
        max_parallel=str(step.max_parallel),
        timeout=durations.written(step.timeout),
        attempts=str(step.retry.max_attempts),
        delay=durations.written(_seconds(step.retry.delay_seconds)),
        backoff=f"{step.retry.backoff:g}",
        environment="\n".join(f"{name}={value}" for name, value in step.environment.items()),
        after_previous=step.starts_after_previous,
        one_item=step.one_item_per_step_run,
    )


def _seconds(number: float) -> Any:
    return durations.read(f"{number:.6f}") if number else None


def _where(placement: Placement) -> str:
    match placement.places:
        case ():
            return ANY
        case (Group(group),):
            return f"group:{group}"
        case (Workers((worker,)),):
            return f"worker:{worker}"
        case (OnDemand(provisioner),):
            return f"provisioner:{provisioner}"
        case _:
            return KEEP


# ---------------------------------------------------------------------------------------------------- as it was sent
def sent(fields: Fields) -> ProcessForm:
    """What was typed, whether it can be or not."""
    return ProcessForm(
        name=fields.text("name"),
        is_enabled=fields.has("is_enabled"),
        has_default=fields.has("has_default"),
        default_item=fields.text("default_item"),
        steps=tuple(
            StepForm(
                **{name: fields.text(f"step-{n}-{name}") for name in _TEXTS},
                environment=fields.raw(f"step-{n}-environment").replace("\r\n", "\n"),
                after_previous=fields.has(f"step-{n}-after_previous"),
                one_item=fields.has(f"step-{n}-one_item"),
            )
            for n in range(MOST_STEPS)
            if fields.has(f"step-{n}-name")
        ),
    )


def rearranged(form: ProcessForm, do: str) -> ProcessForm:
    """The form after a button that changes its steps: `add`, `remove:2`, `up:2`, `down:2`; counted from 0."""
    verb, _, place = do.partition(":")
    steps = list(form.steps)
    if verb == "add" and len(steps) < MOST_STEPS:
        steps.append(StepForm(name=_free_name([step.name for step in steps])))
    elif place.isdecimal() and place.isascii() and len(place) < 4 and int(place) < len(steps):  # noqa: PLR2004 - 100
        at = int(place)
        if verb == "remove":
            del steps[at]
        elif verb in {"up", "down"}:
            to = max(0, min(len(steps) - 1, at + (1 if verb == "down" else -1)))
            steps.insert(to, steps.pop(at))
    return replace(form, steps=tuple(steps))


def _free_name(taken: Sequence[str]) -> str:
    return next(name for n in range(len(taken) + 1, 1000) if (name := f"Step {n}") not in taken)


# ---------------------------------------------------------------------------------------------------- understood
class Understood(Struct, frozen=True):
    """What a form asks for; or what is wrong with it, by field."""

    name: str
    is_enabled: bool
    default_item: Raw | None
    steps: tuple[StepDefinition, ...]
    wrong: dict[str, str]

    def to_definition(self) -> ProcessDefinition:
        """A new process."""
        return ProcessDefinition(
            name=self.name, is_enabled=self.is_enabled, default_item=self.default_item, steps=self.steps
        )

    def to_change(self, *, with_steps: bool) -> ProcessChange:
        """A process that is there."""
        return ProcessChange(
            name=self.name,
            is_enabled=self.is_enabled,
            default_item=self.default_item,
            steps=self.steps if with_steps else UNSET,
        )


def understood(form: ProcessForm, before: Sequence[Step] = ()) -> Understood:
    """Read it: what the form does not show of a step stays as it was."""
    wrong: dict[str, str] = {}
    known = {str(step.number): step for step in before}
    if not form.name:
        wrong["name"] = "It needs a name."
    default = None
    if form.has_default:
        default = payload_of(form.default_item or "null")
        if default is None:
            wrong["default_item"] = "This is no JSON."
    steps = tuple(_understood(n, step, known.get(step.key), wrong) for n, step in enumerate(form.steps))
    return Understood(form.name, form.is_enabled, default, steps, wrong)


def payload_of(text: str) -> Raw | None:
    """JSON as it was typed; None for what is none."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Raw(text.encode())


def _understood(n: int, form: StepForm, before: Step | None, wrong: dict[str, str]) -> StepDefinition:
    def at(field: str) -> str:
        return f"step-{n}-{field}"

    base = StepDefinition(name="") if before is None else definition_of(before)
    work = base.work
    if form.work != KEEP:
        found = as_uuid(form.work)
        work = None if found is None else TaskId(found)
        if form.work and found is None:
            wrong[at("work")] = "There is no such choice."
    if not form.name:
        wrong[at("name")] = "A step needs a name."
    try:
        environment = variables_of(form.environment)
    except ValueError as no:
        environment, wrong[at("environment")] = {}, str(no)
    return replace(
        base,
        name=form.name,
        work=work,
        max_parallel=_number(form.max_parallel, at("max_parallel"), wrong, least=1),
        timeout=_duration(form.timeout, at("timeout"), wrong),
        starts_after_previous=form.after_previous,
        one_item_per_step_run=form.one_item,
        environment=environment,
        retry=_retry(base.retry, form, at, wrong),
        placement=_placement(base.placement, form.where, at("where"), wrong),
    )


def _retry(before: RetryPolicy, form: StepForm, at: Any, wrong: dict[str, str]) -> RetryPolicy:
    delay = _duration(form.delay, at("delay"), wrong)
    seconds = 0.0 if delay is None else delay.total_seconds()
    try:
        backoff = float(form.backoff or "1")
    except ValueError:
        backoff, wrong[at("backoff")] = 1.0, "This is no number."
    return replace(
        before,
        max_attempts=_number(form.attempts, at("attempts"), wrong, least=1),
        delay_seconds=seconds,
        backoff=backoff,
        max_delay_seconds=max(before.max_delay_seconds, seconds),
    )


def _placement(before: Placement, where: str, field: str, wrong: dict[str, str]) -> Placement:
    kind, _, named = where.partition(":")
    found = as_uuid(named)
    match (kind, found):
        case ("keep", _):
            return before
        case ("any" | "", _):
            return replace(before, places=()) if before.run_as else ANYWHERE
        case ("group", UUID()):
            return replace(before, places=(Group(WorkerGroupId(found)),))
        case ("worker", UUID()):
            return replace(before, places=(Workers((WorkerId(found),)),))
        case ("provisioner", UUID()):
            return replace(before, places=(OnDemand(ProvisionerId(found)),))
        case _:
            wrong[field] = "There is no such place."
            return before


def _number(text: str, field: str, wrong: dict[str, str], *, least: int) -> int:
    if text.isdecimal() and text.isascii() and len(text) <= 9 and int(text) >= least:  # noqa: PLR2004 - any sensible one
        return int(text)
    wrong[field] = f"This is a whole number from {least} on."
    return least


def _duration(text: str, field: str, wrong: dict[str, str]) -> Any:
    try:
        return durations.read(text)
    except ValueError as no:
        wrong[field] = f"{str(no)[0].upper()}{str(no)[1:]}."
        return None


def variables_of(text: str) -> dict[str, str]:
    """Variables, one a line: `NAME=value`. Raises ValueError."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip():
            name, is_set, value = line.partition("=")
            if not is_set or not name.strip():
                raise ValueError(f"A line is NAME=value; {line.strip()[:40]!r} is none.")
            found[name.strip()] = value
    return found

"""What a change of a process has changed, as a difference, and the verb that takes it back."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.processes import actions, versions
from controlroom.engine.processes.model import (
    Group,
    OnDemand,
    PackageCommands,
    Placement,
    Process,
    ProcessChange,
    Step,
    StepCommands,
    StepDefinition,
    StepPerson,
    StepTask,
    Workers,
)
from controlroom.engine.processes.versions import Kept
from controlroom.ids import ProcessId, WorkspaceId

_NOT_SAID = frozenset({"id", "number", "workspace_id", "process_id", "position", "queue_id", "has_schema", "name"})


class Difference(Struct, frozen=True, kw_only=True):
    """Something that a change has changed."""

    step: str
    """The name of the step, as it is after the change; empty: of the process as a whole."""
    what: str
    """Which setting: `max_parallel`, `environment.LEVEL`, `step` for a step that came or went."""
    was: str | None
    """As text; None where it was not there."""
    now: str | None


def differences(before: Kept | None, after: Kept) -> list[Difference]:
    """What is other in `after`, step by step, which are known by their ids. Of the first version: nothing. Pure."""
    if before is None:
        return []
    found = [
        Difference(step="", what=what, was=was, now=now)
        for what, was, now in _other(_of_process(before), _of_process(after))
    ]
    old, new = {step.id: step for step in before.steps}, {step.id: step for step in after.steps}
    for step in after.steps:
        if step.id not in old:
            found.append(Difference(step=step.name, what="step", was=None, now=work_said(step)))
            continue
        told = _other(_of_step(old[step.id]), _of_step(step))
        found += [Difference(step=step.name, what=what, was=was, now=now) for what, was, now in told]
    gone = [step for step in before.steps if step.id not in new]
    found += [Difference(step=step.name, what="step", was=work_said(step), now=None) for step in gone]
    kept_before = [step.id for step in before.steps if step.id in new]
    kept_after = [step.id for step in after.steps if step.id in old]
    if kept_before != kept_after:
        names = [
            ", ".join(each[step].name for step in order) for each, order in ((old, kept_before), (new, kept_after))
        ]
        found.append(Difference(step="", what="order", was=names[0], now=names[1]))
    return found


def work_said(step: Step) -> str:
    """What a step runs, in one line."""
    match step.work:
        case StepTask(name=name, package_name=package):
            return f"{name} of {package}"
        case StepCommands(package_name=package, commands=commands):
            return f"{', '.join(command.name for command in commands)} in {package}"
        case StepPerson(form=form):
            return f"asks a person: {form.title or 'a form'}"
        case None:
            return "nothing yet"
        case _:
            assert_never(step.work)


def places_said(placement: Placement) -> str:
    """On whom a step runs, in one line; who is meant stands there by id, for whoever knows the names."""
    told = []
    for place in placement.places:
        match place:
            case Workers(workers):
                told.append(" or ".join(f"worker {worker}" for worker in workers))
            case Group(group):
                told.append(f"group {group}")
            case OnDemand(provisioner):
                told.append(f"on demand by {provisioner}")
            case _:
                assert_never(place)
    return ", else ".join(told) or "any worker"


async def take_back(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, version: int) -> Process:
    """Make a process what it was before a version; whatever came after that is taken back with it.

    It is a change as any other, and can be taken back itself. Raises VersionNotFound, also for the first one, before
    which there was nothing; and what `update` raises, where a task, a place or a file of then is not there any more.
    """
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    await versions.get(engine.database, scope, process, version)
    before = await versions.get(engine.database, scope, process, version - 1)
    return await actions.update(engine, actor, workspace, process, change_to(before.definition))


def change_to(kept: Kept) -> ProcessChange:
    """The change that makes a process what it was. Pure."""
    return ProcessChange(
        name=kept.name,
        is_enabled=kept.is_enabled,
        default_item=None if kept.default_item is None else kept.default_item.payload,
        form=kept.form,
        locks=tuple(kept.locks),
        steps=tuple(map(definition_of, kept.steps)),
    )


def definition_of(step: Step) -> StepDefinition:
    """The step as its author would say it. Pure."""
    match step.work:
        case StepTask():
            work: Any = step.work.id
        case StepCommands(package_id=package, commands=commands):
            work = PackageCommands(package, commands, are_all=bool(commands))
        case StepPerson(form=form):
            work = form
        case None:
            work = None
        case _:
            assert_never(step.work)
    return StepDefinition(
        name=step.name,
        work=work,
        max_parallel=step.max_parallel,
        timeout=step.timeout,
        starts_after_previous=step.starts_after_previous,
        one_item_per_step_run=step.one_item_per_step_run,
        environment=step.environment,
        retry=step.retry,
        placement=step.placement,
        database=step.database_id,
    )


# ---------------------------------------------------------------------------------------------------- as texts
def _of_process(kept: Kept) -> dict[str, str]:
    told = {name: value for name, value in msgspec.structs.asdict(kept).items() if name != "steps"}
    if kept.default_item is not None:
        told["default_item"] = kept.default_item.payload
    return _texts(told)


def _of_step(step: Step) -> dict[str, str]:
    told = {name: value for name, value in msgspec.structs.asdict(step).items() if name not in _NOT_SAID}
    told["work"] = work_said(step)
    told["retry"] = msgspec.structs.asdict(step.retry)  # also what is as usual, so that a change says from what
    told["where"] = places_said(step.placement)
    told["placement"] = replace(step.placement, places=())
    if isinstance(step.work, StepCommands | StepPerson):  # the line does not say all of it
        told["work in full"] = step.work
    if step.database is not None:
        told["database"] = step.database.name
    return {"name": step.name, **_texts(told)}


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as texts, those within others by their paths; without what is not set."""
    return dict(_paths("", settings))


def _paths(place: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case timedelta():
            yield place, f"{value.total_seconds():g} s"
        case msgspec.Raw():
            yield from _paths(place, msgspec.json.decode(value))
        case Struct():
            yield from _paths(place, msgspec.to_builtins(value))
        case Mapping() if value:
            for name, each in value.items():
                yield from _paths(f"{place}.{name}" if place else str(name), each)
        case list() | tuple() | Mapping():
            yield from _listed(place, value)
        case str():
            yield place, value
        case float():
            yield place, f"{value:g}"
        case _:
            yield place, msgspec.json.encode(value).decode()


def _listed(place: str, values: Any) -> Iterator[tuple[str, str]]:
    """A list as a whole; but things that have a name each, as the fields of a form and commands, by their names."""
    names = [each["name"] for each in values if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
    if names and len(set(names)) == len(values):
        yield f"{place}, in order", ", ".join(names)
        for name, each in zip(names, values, strict=True):
            yield from _paths(f"{place}.{name}", {key: of for key, of in each.items() if key != "name"})
    elif values or place == "default_item":  # an empty payload is one
        yield place, msgspec.json.encode(values).decode()


def _other(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)

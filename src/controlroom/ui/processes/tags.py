"""The settings of a step as tags: pure, what is plain is not said."""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from msgspec import Struct

from controlroom.engine.processes.model import Group, OnDemand, Placement, Step, StepCommands, StepPerson, Workers
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ui import words


class Tag(Struct, frozen=True):
    """A setting, in a few words."""

    icon: str
    said: str


def tags_of(step: Step, places: Mapping[UUID, str]) -> list[Tag]:
    """What a step is told to do; `places` are names of workers, groups and provisioners, by id."""
    found = [Tag("groups", said) for said in placement_said(step.placement, places)]
    if not isinstance(step.work, StepPerson):
        at_a_time = "one robot an item" if step.one_item_per_step_run else f"{words.count(step.max_parallel)} at a time"
        found.append(Tag("", at_a_time))
    if step.timeout is not None:
        found.append(Tag("clock", f"{words.duration(step.timeout)} at most"))
    if isinstance(step.work, StepCommands):
        count = len(step.work.commands)
        found.append(Tag("terminal", f"{count} command{'' if count == 1 else 's'}"))
    found.append(Tag("", retry_said(step.retry)))
    if step.starts_after_previous:
        found.append(Tag("flow", "begins after the step before"))
    if step.environment:
        count = len(step.environment)
        found.append(Tag("variable", f"{count} variable{'' if count == 1 else 's'}"))
    if step.has_schema:
        found.append(Tag("code", "items by a schema"))
    if step.database is not None:
        found.append(Tag("database", step.database.name))
    return found


def ids_of(placement: Placement) -> list[UUID]:
    """The workers, groups and provisioners that a placement names."""
    found: list[UUID] = []
    for place in placement.places:
        match place:
            case Workers(workers):
                found += workers
            case Group(named) | OnDemand(named):
                found.append(named)
            case _:
                assert_never(place)
    return found


def placement_said(placement: Placement, places: Mapping[UUID, str]) -> list[str]:
    """On whom it runs, place by place."""
    found = []
    for place in placement.places:
        match place:
            case Workers(workers):
                found.append(" or ".join(places.get(worker, "a worker that is gone") for worker in workers))
            case Group(group):
                found.append(places.get(group, "a group that is gone"))
            case OnDemand(provisioner):
                found.append(f"on demand by {places.get(provisioner, 'a provisioner that is gone')}")
            case _:
                assert_never(place)
    return found


def retry_said(retry: RetryPolicy) -> str:
    """When it tries again: `3 attempts, 1 → 8 min apart`."""
    if retry.max_attempts == 1:
        return "no retries"
    said = f"{retry.max_attempts} attempts"
    if not retry.delay_seconds:
        return said
    first = timedelta(seconds=retry.delay_seconds)
    last = min(retry.max_delay_seconds, retry.delay_seconds * retry.backoff ** max(0, min(retry.max_attempts - 2, 60)))
    if last <= retry.delay_seconds:
        return f"{said}, {words.duration(first)} apart"
    return f"{said}, {words.duration(first)} → {words.duration(timedelta(seconds=last))} apart"

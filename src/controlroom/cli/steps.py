"""The steps of a process as the command line writes them: `STEP=…` options, sorted out by step."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cyclopts import Group, Parameter

from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.lookup import find_id
from controlroom.cli.options import Many
from controlroom.cli.places import FORM, placement_of, user_id
from controlroom.cli.values import number, pair, payload


@Parameter(name="*", group=Group("Steps"))
@dataclass(frozen=True, kw_only=True, slots=True)
class StepOptions:
    """What was said about steps, as it was said: options name the step first."""

    max_parallel: Many = ()
    """STEP=N: how many robots may work on the step at once [1]."""
    timeout: Many = ()
    """STEP=SECONDS: when a robot of the step is ended."""
    workers: Many = ()
    """STEP=WORKER,…: only on these workers, by id or name."""
    groups: Many = ()
    """STEP=GROUP,…: only on workers of these groups; a later group helps while nobody of an earlier is idle."""
    provisioner: Many = ()
    """STEP=PROVISIONER: on workers that a provisioner starts on demand, one for each robot."""
    place: Many = ()
    """STEP=PLACE: worker:NAME, group:NAME or on-demand:PROVISIONER; several of a step in their order."""
    run_as: Many = ()
    """STEP=USER: as whom its robots run."""
    retries: Many = ()
    """STEP=N: how often a failed work item is tried again (never after a business exception)."""
    env: Many = ()
    """STEP:KEY=VALUE: a variable of the step's robots."""
    after_previous: Many = ()
    """STEP: begins only when the steps before have ended."""
    one_item: Many = ()
    """STEP: every work item gets a robot of its own."""
    database: Many = ()
    """STEP=CONNECTION: the DuckDB file that its robots work on, one run at a time, by id or name."""
    ask: Many = ()
    """STEP=FORM: the step asks a person, by a form as JSON or @file; behind the steps that run something."""


AS_USUAL = StepOptions()
"""Nothing was said."""


class _Steps:
    """Steps in the making, by name."""

    def __init__(self, before: Sequence[dict[str, Any]]) -> None:
        self.made: dict[str, dict[str, Any]] = {step["name"]: asked(step) for step in before}
        if len(self.made) < len(before):
            raise CommandFailed("two steps have the same name, and cannot be told apart", hint="Give --steps @FILE.")
        self._said: set[str] = set()

    def add(self, name: str, task: dict[str, Any]) -> None:
        """One more step, or another task for one that is there."""
        if name in self._said:
            raise Misused(f"two steps are called {name!r}: they could not be told apart")
        self._said.add(name)
        step = self.made.setdefault(name, {"name": name})
        step.pop("commands", None)
        step.pop("form", None)
        step["task"] = task

    def add_command(self, name: str, package: str, command: dict[str, Any]) -> None:
        """One more command of a step, in place of the task or the commands that it had before."""
        step = self.made.setdefault(name, {"name": name})
        if name not in self._said:
            self._said.add(name)
            step.pop("form", None)
            step |= {"task": None, "commands": {"package_id": package, "list": []}}
        if not step.get("commands"):
            raise Misused(f"step {name!r} has a task: it cannot have commands, too")
        if step["commands"]["package_id"] != package:
            raise Misused(f"step {name!r}: its commands are those of one package")
        step["commands"]["list"].append(command)

    def add_form(self, name: str, form: Any) -> None:
        """A step that asks a person, in place of what it was before."""
        if name in self._said:
            raise Misused(f"two steps are called {name!r}: they could not be told apart")
        self._said.add(name)
        step = self.made.setdefault(name, {"name": name})
        step.pop("commands", None)
        step |= {"task": None, "form": form}

    def of(self, name: str, option: str) -> dict[str, Any]:
        """The step that an option is about."""
        if name not in self.made:
            raise Misused(f"{option}: there is no step {name!r}", hint=f"Steps: {', '.join(self.made)}")
        return self.made[name]


def asked(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step that the API has told, as the API takes it."""
    told = {name: value for name, value in step.items() if name not in {"id", "queue"}}
    task = told.get("task")
    if task:
        told["task"] = {name: task[name] for name in ("name", "package_id") if name in task}
    commands = told.get("commands")
    if commands:
        told["commands"] = {name: commands[name] for name in ("list", "package_id") if name in commands}
    if told.get("database"):
        told["database"] = {"connection_id": told["database"]["connection_id"]}
    return told


def definitions(
    client: Client,
    steps: Iterable[str],
    options: StepOptions,
    *,
    commands: Iterable[str] = (),
    before: Sequence[dict[str, Any]] = (),
    remove: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """The steps as the API takes them: those before, without the removed ones, changed and added to as was said.

    Raises Misused for an option about a step that is not there.
    """
    known = _Steps(before)
    for name in remove:
        known.of(name, "--remove")
        del known.made[name]
    _add(client, known, steps, commands)
    for name, form in _pairs(options.ask):
        known.add_form(name, payload(form))
    for option, field, least, texts in (
        ("--max-parallel", "max_parallel", 1, options.max_parallel),
        ("--timeout", "timeout_seconds", 1, options.timeout),
    ):
        for name, value in _pairs(texts):
            known.of(name, option)[field] = number(value, option=option, least=least)
    for name, value in _pairs(options.retries):
        attempts = number(value, option="--retries", least=0) + 1
        known.of(name, "--retries").setdefault("retry", {})["max_attempts"] = attempts
    given = set()
    for each in options.env:
        name, _, variable = each.partition(":")
        key, value = pair(variable, form="STEP:KEY=VALUE")
        if (name, key) in given:
            raise Misused(f"--env: {name}:{key} is given twice")
        given.add((name, key))
        known.of(name, "--env").setdefault("environment", {})[key] = value
    for name in options.after_previous:
        known.of(name, "--after-previous")["starts_after_previous"] = True
    for name in options.one_item:
        known.of(name, "--one-item")["one_item_per_step_run"] = True
    _connect(client, known, options)
    _place(client, known, options)
    return list(known.made.values())


def _add(client: Client, known: _Steps, steps: Iterable[str], commands: Iterable[str]) -> None:
    for each in steps:
        known.add(*_step(client, each))
    for each in commands:
        known.add_command(*_command(client, each))


def _connect(client: Client, known: _Steps, options: StepOptions) -> None:
    for name, value in _pairs(options.database):
        known.of(name, "--database")["database"] = {"connection_id": find_id(client, "connections", value)}


def _place(client: Client, known: _Steps, options: StepOptions) -> None:
    placed = set()

    def place(name: str, option: str, placement: Mapping[str, Any]) -> None:
        step = known.of(name, option)
        if name in placed:
            raise Misused(f"step {name!r}: one of --place, --workers, --groups and --provisioner, once")
        placed.add(name)
        user = step.get("placement", {}).get("run_as")
        step["placement"] = placement if user is None else {**placement, "run_as": user}

    for name, value in _pairs(options.workers):
        place(name, "--workers", {"workers": _ids(client, "workers", value)})
    for name, value in _pairs(options.groups):
        place(name, "--groups", {"groups": _ids(client, "worker-groups", value)})
    for name, value in _pairs(options.provisioner):
        place(name, "--provisioner", {"provisioner": find_id(client, "provisioners", value)})
    places: dict[str, list[str]] = {}
    for text in options.place:
        name, value = pair(text, form=f"STEP=PLACE, with PLACE as {FORM}")
        places.setdefault(name, []).append(value)
    for name, listed in places.items():
        place(name, "--place", placement_of(client, listed, None))
    for name, value in _pairs(options.run_as):
        step = known.of(name, "--run-as")
        step["placement"] = {**step.get("placement", {}), "run_as": user_id(client, value)}


def _step(client: Client, text: str) -> tuple[str, dict[str, Any]]:
    name, what = pair(text, form="STEP=PACKAGE:TASK")
    package, colon, task = what.partition(":")
    if not colon or not package or not task:
        raise Misused(f"{text!r} is not of the form STEP=PACKAGE:TASK")
    return name, {"package_id": find_id(client, "task-packages", package), "name": task}


def _command(client: Client, text: str) -> tuple[str, str, dict[str, Any]]:
    name, what = pair(text, form="STEP=PACKAGE:COMMAND")
    package, _, line = what.partition(":")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Misused(f"{line!r} cannot be split into words: {error}") from error
    if not package or not words:
        raise Misused(f"{text!r} is not of the form STEP=PACKAGE:COMMAND")
    return name, find_id(client, "task-packages", package), {"name": line.strip(), "words": words}


def _pairs(texts: Iterable[str]) -> list[tuple[str, str]]:
    pairs = [pair(text, form="STEP=VALUE") for text in texts]
    twice = next((name for name, times in Counter(name for name, _ in pairs).items() if times > 1), None)
    if twice is not None:
        raise Misused(f"{', '.join(texts)}: step {twice!r} is named twice")
    return pairs


def _ids(client: Client, kind: str, names: str) -> list[str]:
    return [find_id(client, kind, name.strip()) for name in names.split(",") if name.strip()]

"""The steps of a process as the command line writes them: `STEP=…` options, sorted out by step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from controlroom.cli.client import Client
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find_id
from controlroom.cli.values import number, pair


@dataclass(frozen=True, kw_only=True, slots=True)
class StepOptions:
    """What was said about steps, as it was said."""

    max_parallel: tuple[str, ...]
    timeout: tuple[str, ...]
    workers: tuple[str, ...]
    groups: tuple[str, ...]
    provisioner: tuple[str, ...]
    retries: tuple[str, ...]
    env: tuple[str, ...]
    after_previous: tuple[str, ...]
    one_item: tuple[str, ...]


class _Steps:
    """Steps in the making, by name."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}

    def add(self, name: str, task: dict[str, Any]) -> None:
        """One more step."""
        if name in self.made:
            raise Misused(f"two steps are called {name!r}: they could not be told apart")
        self.made[name] = {"name": name, "task": task}

    def of(self, name: str, option: str) -> dict[str, Any]:
        """The step that an option is about."""
        if name not in self.made:
            raise Misused(f"{option}: there is no step {name!r}", hint=f"Steps: {', '.join(self.made)}")
        return self.made[name]


def definitions(client: Client, steps: Iterable[str], options: StepOptions) -> list[dict[str, Any]]:
    """The steps as the API takes them. Raises Misused for an option about a step that is not there."""
    known = _Steps()
    for each in steps:
        known.add(*_step(client, each))
    for option, field, least, texts in (
        ("--max-parallel", "max_parallel", 1, options.max_parallel),
        ("--timeout", "timeout_seconds", 1, options.timeout),
    ):
        for name, value in _pairs(texts):
            known.of(name, option)[field] = number(value, option=option, least=least)
    for name, value in _pairs(options.retries):
        attempts = number(value, option="--retries", least=0) + 1
        known.of(name, "--retries")["retry"] = {"max_attempts": attempts}
    for each in options.env:
        name, _, variable = each.partition(":")
        key, value = pair(variable, form="STEP:KEY=VALUE")
        known.of(name, "--env").setdefault("environment", {})[key] = value
    for name in options.after_previous:
        known.of(name, "--after-previous")["starts_after_previous"] = True
    for name in options.one_item:
        known.of(name, "--one-item")["one_item_per_step_run"] = True
    _place(client, known, options)
    return list(known.made.values())


def _place(client: Client, known: _Steps, options: StepOptions) -> None:
    def place(name: str, option: str, placement: Mapping[str, Any]) -> None:
        step = known.of(name, option)
        if "placement" in step:
            raise Misused(f"step {name!r}: one of --workers, --groups and --provisioner, once")
        step["placement"] = placement

    for name, value in _pairs(options.workers):
        place(name, "--workers", {"workers": _ids(client, "workers", value)})
    for name, value in _pairs(options.groups):
        place(name, "--groups", {"groups": _ids(client, "worker-groups", value)})
    for name, value in _pairs(options.provisioner):
        place(name, "--provisioner", {"provisioner": find_id(client, "provisioners", value)})


def _step(client: Client, text: str) -> tuple[str, dict[str, Any]]:
    name, what = pair(text, form="STEP=PACKAGE:TASK")
    package, colon, task = what.partition(":")
    if not colon or not package or not task:
        raise Misused(f"{text!r} is not of the form STEP=PACKAGE:TASK")
    return name, {"package_id": find_id(client, "task-packages", package), "name": task}


def _pairs(texts: Iterable[str]) -> list[tuple[str, str]]:
    return [pair(text, form="STEP=VALUE") for text in texts]


def _ids(client: Client, kind: str, names: str) -> list[str]:
    return [find_id(client, kind, name.strip()) for name in names.split(",") if name.strip()]

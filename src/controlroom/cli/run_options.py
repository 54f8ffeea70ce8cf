"""What a start may ask for beside its input, as the command line writes it."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.locks import named
from controlroom.cli.lookup import find_id, is_id
from controlroom.cli.options import Many
from controlroom.cli.places import placement_of
from controlroom.cli.values import pair


@Parameter(name="*", group=Group("Run"))
@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """What was said about the run."""

    name: str | None = None
    """What this run is called."""
    cause: str | None = None
    """Why it is started, in words."""
    idempotency_key: str | None = None
    """A start with the same key as an earlier one of the process, asking for the same, is answered with its run."""
    priority: int = 0
    """Of its step runs and work items: higher is more urgent."""
    env: Many = ()
    """KEY=VALUE: a variable of the run's robots, over those of the steps. Everybody who sees the run sees it."""
    package_version: Annotated[str | None, Parameter(show_default=False)] = None
    """PACKAGE:N, or an id: the version of that package that steps run, in place of the latest."""
    label: str | None = None
    """Steps run the version that has this label now, in the package of each."""
    timeout: float | None = None
    """Seconds after which each robot of the run is ended, whatever its step says."""
    place: Many = ()
    """Where its robots run: worker:NAME, group:NAME or on-demand:PROVISIONER; several in their order."""
    run_as: str | None = None
    """The user as whom they run, by name or id."""
    lock: Many = ()
    """A lock of the workspace that the run holds until it ends, beside those of its process."""
    organization_lock: Many = ()
    """Likewise, one that the organization has for all its workspaces."""


AS_USUAL = RunOptions()
"""Nothing was said."""


def parameters_of(client: Client, options: RunOptions) -> dict[str, Any]:
    """What the start call says of them: only what was given. Raises Misused, CommandFailed."""
    overrides = {
        "variables": _variables(options.env),
        "package_version_id": options.package_version and _version(client, options.package_version),
        "package_label": options.label,
        "timeout_seconds": options.timeout,
    }
    asked = {
        "name": options.name,
        "cause": options.cause,
        "idempotency_key": options.idempotency_key,
        "priority": options.priority or None,
        "overrides": _given(overrides),
        "placement": placement_of(client, options.place, options.run_as),
        "locks": named(options.lock, options.organization_lock),
    }
    return _given(asked)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, {}, [])}


def _version(client: Client, text: str) -> str:
    """The id of the version that PACKAGE:N names."""
    if is_id(text):
        return text
    package, colon, number = text.rpartition(":")
    if not colon or not number.isdecimal():
        raise Misused(f"--package-version: {text!r} is not of the form PACKAGE:N")
    versions = client.each(f"/task-packages/{find_id(client, 'task-packages', package)}/versions")
    found = next((each["id"] for each in versions if each["version"] == int(number)), None)
    if found is None:
        raise CommandFailed(f"{package!r} has no version {number}", hint="See: controlroom packages versions")
    return str(found)


def _variables(texts: tuple[str, ...]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for each in texts:
        name, value = pair(each, form="KEY=VALUE")
        if name in variables:
            raise Misused(f"--env: {name} is given twice")
        variables[name] = value
    return variables

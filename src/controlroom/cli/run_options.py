"""What a start may ask for beside its input, as the command line writes it."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from controlroom.cli.errors import Misused
from controlroom.cli.locks import named
from controlroom.cli.options import Many
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
    """The version of its package that steps run, by its id, in place of the latest."""
    timeout: float | None = None
    """Seconds after which each robot of the run is ended, whatever its step says."""
    lock: Many = ()
    """A lock of the workspace that the run holds until it ends, beside those of its process."""
    organization_lock: Many = ()
    """Likewise, one that the organization has for all its workspaces."""


AS_USUAL = RunOptions()
"""Nothing was said."""


def parameters_of(options: RunOptions) -> dict[str, Any]:
    """What the start call says of them: only what was given. Raises Misused."""
    overrides = {
        "variables": _variables(options.env),
        "package_version_id": options.package_version,
        "timeout_seconds": options.timeout,
    }
    asked = {
        "name": options.name,
        "cause": options.cause,
        "idempotency_key": options.idempotency_key,
        "priority": options.priority or None,
        "overrides": _given(overrides),
        "locks": named(options.lock, options.organization_lock),
    }
    return _given(asked)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, {}, [])}


def _variables(texts: tuple[str, ...]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for each in texts:
        name, value = pair(each, form="KEY=VALUE")
        if name in variables:
            raise Misused(f"--env: {name} is given twice")
        variables[name] = value
    return variables

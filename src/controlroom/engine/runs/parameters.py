"""What one start asks for beside its input, as it is asked and as the run keeps it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.engine import Engine
from controlroom.engine.locks.model import LockName
from controlroom.engine.processes.model import ANYWHERE, Placement
from controlroom.engine.processes.rules import LONGEST_TIMEOUT, environment_fault, placement_fault
from controlroom.engine.runs import callbacks
from controlroom.engine.runs.callbacks import Callback, StoredCallback
from controlroom.engine.runs.model import AS_THE_STEPS_SAY, Cause, Overrides
from controlroom.engine.runs.projects.rules import fault_of, without_locks_of_projects
from controlroom.errors import Invalid
from controlroom.ids import PackageId, PackageVersionId, RunId

MOST_NAME_LETTERS: Final = 255
MOST_CAUSE_LETTERS: Final = 1000
MOST_KEY_LETTERS: Final = 255
MOST_PRIORITY: Final = 1_000_000

_KEY: Final = re.compile(r"[\x21-\x7e]+")


class RunParameters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one start asks for beside its input, whatever caused it; a usual one asks for nothing.

    Without its defaults, so that a later release tells a repeated start by the same hash (`repeated_starts`).
    """

    name: str = ""
    """What this run is called; the process has a name of its own."""
    cause: str = ""
    """Why it was started, in words."""
    idempotency_key: str | None = None
    """A start that has it again is answered with the run of the first."""
    overrides: Overrides = AS_THE_STEPS_SAY
    placement: Placement = ANYWHERE
    """Where its step runs may run, and as whom: what it names goes before what the steps name."""
    shares: tuple[Placement, ...] = ()
    """One item and one step run for each of these, in place of one placement for all."""
    priority: int = 0
    """Of its items and step runs; higher is more urgent."""
    callback: Callback | None = None
    locks: tuple[LockName, ...] = ()
    """What it shall hold until it ends, beside what its process says."""


AS_USUAL: Final = RunParameters()


class StoredParameters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same as `run.parameters` keeps it, with what was found at the start; claims and the dispatcher read that."""

    name: str = ""
    cause: str = ""
    idempotency_key: str | None = None
    fingerprint: str | None = None
    """Of all that the start with the key asked for."""
    overrides: Overrides = AS_THE_STEPS_SAY
    versions: Mapping[PackageId, PackageVersionId] = {}
    """The versions that the overrides mean, by package; of a package that is not here, the latest at each claim."""
    placement: Placement = ANYWHERE
    shares: tuple[Placement, ...] = ()
    callback: StoredCallback | None = None
    chain_depth: int = 0
    """How many runs stand before it in its chain."""
    locks: tuple[LockName, ...] = ()
    """All that it holds until it ends: what its process said at the start, and the start."""
    rerun_of: RunId | None = None
    """The run that this one repeats."""
    retry_of: RunId | None = None
    """The run that failed, and from where this one goes on."""

    def again(self, *, priority: int) -> RunParameters:
        """What another run asks for that shall be as this one was: without key, cause and callback of this start."""
        return RunParameters(
            name=self.name,
            overrides=self.overrides,
            placement=self.placement,
            shares=self.shares,
            priority=priority,
            locks=without_locks_of_projects(self.locks),
        )


def check(parameters: RunParameters) -> None:
    """Raise Invalid for what no run may ask for, whatever there is."""
    for what, text, most in (
        ("name", parameters.name, MOST_NAME_LETTERS),
        ("cause", parameters.cause, MOST_CAUSE_LETTERS),
    ):
        if len(text) > most or "\0" in text:
            why = f"has at most {most:,} characters, and no NUL"
            raise Invalid(f"the {what} of a run {why}", code="RUN_INVALID", field=what, reason=why)
    if abs(parameters.priority) > MOST_PRIORITY:
        raise Invalid(f"the priority of a run is within {MOST_PRIORITY:,} of 0", code="RUN_INVALID")
    key = parameters.idempotency_key
    if key is not None and not (len(key) <= MOST_KEY_LETTERS and _KEY.fullmatch(key)):
        message = f"an idempotency key is 1 to {MOST_KEY_LETTERS} visible ASCII characters"
        raise Invalid(message, code="IDEMPOTENCY_KEY_INVALID")
    _check_overrides(parameters.overrides)
    for placement in (parameters.placement, *parameters.shares):
        if fault := placement_fault(placement):
            raise Invalid(fault, code="PLACEMENT_INVALID")


def _check_overrides(overrides: Overrides) -> None:
    if overrides.version is not None and overrides.label is not None:
        raise Invalid("a start overrides either the version or the label of a package", code="OVERRIDES_INVALID")
    timeout = overrides.timeout
    if timeout is not None and not timedelta(0) < timeout <= LONGEST_TIMEOUT:
        why = f"is more than 0 seconds and at most {LONGEST_TIMEOUT.days} days"
        raise Invalid(f"the time limit {why}", code="OVERRIDES_INVALID", field="timeout", reason=why)
    if fault := environment_fault(overrides.variables):
        raise Invalid(fault, code="OVERRIDES_INVALID")
    if overrides.project is not None and (refused := fault_of(overrides.project)):
        message = f"{refused.field} {refused.why}"
        raise Invalid(message, code="OVERRIDES_INVALID", field=refused.field, reason=refused.why)


def stored(
    engine: Engine,
    run: RunId,
    parameters: RunParameters,
    cause: Cause,
    *,
    fingerprint: str | None,
    versions: Mapping[PackageId, PackageVersionId],
    locks: tuple[LockName, ...],
) -> StoredParameters:
    """Parameters as a run keeps them, its callback sealed. Raises CallbackInvalid."""
    callback = None if parameters.callback is None else callbacks.stored(engine, run, parameters.callback)
    return StoredParameters(
        name=parameters.name,
        cause=parameters.cause,
        idempotency_key=parameters.idempotency_key,
        fingerprint=fingerprint,
        # a default is left out by identity: equal ones are made the same, so that most runs keep nothing at all
        overrides=AS_THE_STEPS_SAY if parameters.overrides == AS_THE_STEPS_SAY else parameters.overrides,
        versions=versions,
        placement=ANYWHERE if parameters.placement == ANYWHERE else parameters.placement,
        shares=parameters.shares,
        callback=callback,
        chain_depth=cause.chain_depth,
        locks=locks,
        rerun_of=cause.rerun_of,
        retry_of=None if cause.retry is None else cause.retry.point.run,
    )

"""Whether a run can go on where it failed, and with what. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from controlroom.engine.runs.projects.model import Stage
from controlroom.project_plans import Purpose
from controlroom.protocol import PhaseState
from controlroom.robots.dbt_versions import spoken

SUPPORTED: Final = frozenset(
    {
        *("build", "compile", "clone", "docs generate", "seed", "snapshot", "test", "run", "run-operation"),
        "retry",
    }
)
"""Commands that `dbt retry` goes on from; itself, because what it leaves is what it went on with."""

_FIRST_VERSION: Final = (1, 6)


class RetryRefusal(StrEnum):
    """Why a run cannot be retried."""

    NOT_FAILED = "not_failed"
    NOT_LATEST = "not_latest"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNSUPPORTED_COMMAND = "unsupported_command"
    NO_RESULTS = "no_results"


class EndedPhase(Struct, frozen=True, kw_only=True):
    """A phase of a run that has ended."""

    position: int
    state: PhaseState
    line: str
    """What it ran, as it was typed; "" for what is no command."""
    subcommand: str
    """What of the tool that is; "" likewise."""
    purpose: Purpose | None
    has_results: bool
    """Whether it has left both `run_results.json` and `manifest.json`."""


class Retry(Struct, frozen=True):
    """A run can go on: with the phase that failed, then with those that were skipped."""

    failed: EndedPhase
    skipped: tuple[EndedPhase, ...]


def retry_of(
    stage: Stage, *, is_latest: bool, tool_version: str | None, phases: Sequence[EndedPhase]
) -> Retry | RetryRefusal:
    """Whether a run can be retried: the last of its job, if it failed in a command that can go on from its results."""
    if stage is not Stage.FAILED:
        return RetryRefusal.NOT_FAILED
    if not is_latest:
        return RetryRefusal.NOT_LATEST
    if not _is_supported(tool_version):
        return RetryRefusal.UNSUPPORTED_VERSION
    failed = next((each for each in phases if each.state is PhaseState.FAILED and _counts(each)), None)
    if failed is not None and failed.purpose is not None and failed.subcommand not in SUPPORTED:
        return RetryRefusal.UNSUPPORTED_COMMAND
    if failed is None or failed.purpose is None or not failed.has_results:
        return RetryRefusal.NO_RESULTS
    behind = (each for each in phases if each.position > failed.position)
    return Retry(failed, tuple(each for each in behind if each.state is PhaseState.SKIPPED))


def _counts(phase: EndedPhase) -> bool:
    """Whether its failure is the run's: not that of what was asked for beside the commands."""
    return phase.purpose not in {Purpose.FRESHNESS, Purpose.DOCS}


def _is_supported(tool_version: str | None) -> bool:
    major, _, minor = spoken(tool_version).partition(".")
    return (int(major), int(minor)) >= _FIRST_VERSION

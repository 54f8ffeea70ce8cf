"""Which commands of a list run after some have failed, and whether the whole has failed with them. Pure."""

from collections.abc import Sequence

from controlroom.protocol import Command, OnFailure


def is_due(command: Command, failed: Sequence[Command]) -> bool:
    """Whether a command runs, if these failed before it: one that skips the rest leaves only what always runs."""
    return command.always_run or not cause_of_skips(failed)


def cause_of_skips(failed: Sequence[Command]) -> str:
    """The name of the first that failed for which those after it are skipped; empty if there is none."""
    return next((command.name for command in failed if command.on_failure is OnFailure.SKIP), "")


def counts(failed: Command) -> bool:
    """Whether the whole fails with a command that failed."""
    return failed.on_failure is not OnFailure.IGNORE

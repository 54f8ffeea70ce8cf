"""How long things are kept."""

from msgspec import UNSET, Struct, UnsetType

from controlroom.settings import Limits

MOST_DAYS = 36_500


class Retention(Struct, frozen=True, kw_only=True):
    """Days after which things of a workspace are deleted; 0 is never."""

    run_days: int
    """After the end of a run: the run, its items, step runs and all that is left of them. Likewise stray items."""
    assistant_run_days: int
    """After the end of an assistant's run: the run and all that it left."""
    console_days: int
    """After the end of a run: its console. The run stays."""
    artifact_days: int
    """After the end of a run: its artifacts, an assistant's too. The run stays."""
    event_days: int
    """Events: the audit log."""


class Overrides(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a workspace keeps otherwise than the installation; None: as the installation."""

    run_days: int | None = None
    assistant_run_days: int | None = None
    console_days: int | None = None
    artifact_days: int | None = None
    event_days: int | None = None

    def over(self, limits: Limits) -> Retention:
        """What holds for the workspace."""
        return Retention(
            run_days=limits.run_days if self.run_days is None else self.run_days,
            assistant_run_days=(
                limits.assistant_run_days if self.assistant_run_days is None else self.assistant_run_days
            ),
            console_days=limits.console_days if self.console_days is None else self.console_days,
            artifact_days=limits.artifact_days if self.artifact_days is None else self.artifact_days,
            event_days=limits.event_days if self.event_days is None else self.event_days,
        )


class OverridesChange(Struct, frozen=True, kw_only=True):
    """What to change: a number of days, or None for what the installation says."""

    run_days: int | UnsetType | None = UNSET
    assistant_run_days: int | UnsetType | None = UNSET
    console_days: int | UnsetType | None = UNSET
    artifact_days: int | UnsetType | None = UNSET
    event_days: int | UnsetType | None = UNSET

"""How long things are kept (our own management API)."""

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Permission
from controlroom.dialects.robocorp.answers import OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import get, update
from controlroom.engine.retention import actions, model, store


class Days(Shape, frozen=True, kw_only=True):
    """Days that things are kept; 0 is for ever."""

    process_runs: int
    assistant_runs: int
    console: int
    artifacts: int
    events: int


class OwnDays(Shape, frozen=True, kw_only=True):
    """Days that this workspace alone asks for; null: as the installation says."""

    process_runs: int | None
    assistant_runs: int | None
    console: int | None
    artifacts: int | None
    events: int | None


class RetentionAnswer(Shape, frozen=True):
    """What holds for the workspace, and what of it is its own wish."""

    days: Days
    own: OwnDays


class UpdateRetention(OwnBody, frozen=True, kw_only=True):
    """Days to change; null goes back to what the installation says, 0 is for ever."""

    process_runs: int | UnsetType | None = UNSET
    assistant_runs: int | UnsetType | None = UNSET
    console: int | UnsetType | None = UNSET
    artifacts: int | UnsetType | None = UNSET
    events: int | UnsetType | None = UNSET


@get("/retention", needs=Permission.READ_RUNS)
async def get_retention(request: Asking) -> RetentionAnswer:
    """Get how long runs of processes and assistants, console output, artifacts and events are kept."""
    return _show(request, await store.get(*request.reading))


@update("/retention")
async def update_retention(request: Asking, data: Body[UpdateRetention]) -> RetentionAnswer:
    """Change how long things of this workspace are kept."""
    return _show(request, await actions.change(*request.acting, _change_of(data)))


def _show(request: Asking, own: model.Overrides) -> RetentionAnswer:
    return RetentionAnswer(_show_days(own.over(request.engine.limits)), _show_own(own))


_NAMES = {
    "process_runs": "run_days",
    "assistant_runs": "assistant_run_days",
    "console": "console_days",
    "artifacts": "artifact_days",
    "events": "event_days",
}
_show_days = shown_as(Days, model.Retention, **_NAMES)
_show_own = shown_as(OwnDays, model.Overrides, **_NAMES)
_change_of = shown_as(model.OverridesChange, UpdateRetention, **{ours: theirs for theirs, ours in _NAMES.items()})

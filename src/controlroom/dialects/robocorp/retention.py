"""How long things are kept (our own management API)."""

from litestar.params import JSONBody
from msgspec import UNSET, Struct, UnsetType

from controlroom.border.asking import Asking
from controlroom.dialects.robocorp.routing import get, update
from controlroom.engine.access.model import Permission
from controlroom.engine.engine import Engine
from controlroom.engine.retention import actions, store
from controlroom.engine.retention.model import Overrides, OverridesChange


class Days(Struct, frozen=True, kw_only=True):
    """Days that things are kept; 0 is for ever."""

    process_runs: int
    assistant_runs: int
    console: int
    artifacts: int
    events: int


class OwnDays(Struct, frozen=True, kw_only=True):
    """Days that this workspace alone asks for; null: as the installation says."""

    process_runs: int | None
    assistant_runs: int | None
    console: int | None
    artifacts: int | None
    events: int | None


class RetentionAnswer(Struct, frozen=True):
    """What holds for the workspace, and what of it is its own wish."""

    days: Days
    own: OwnDays


class UpdateRetention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days to change; null goes back to what the installation says, 0 is for ever."""

    process_runs: int | UnsetType | None = UNSET
    assistant_runs: int | UnsetType | None = UNSET
    console: int | UnsetType | None = UNSET
    artifacts: int | UnsetType | None = UNSET
    events: int | UnsetType | None = UNSET


@get("/retention", needs=Permission.READ_RUNS)
async def get_retention(request: Asking) -> RetentionAnswer:
    """Get how long runs of processes and assistants, console output, artifacts and events are kept."""
    return _show(request.engine, await store.get(*request.reading))


@update("/retention")
async def update_retention(request: Asking, data: JSONBody[UpdateRetention]) -> RetentionAnswer:
    """Change how long things of this workspace are kept."""
    wanted = OverridesChange(
        run_days=data.process_runs,
        assistant_run_days=data.assistant_runs,
        console_days=data.console,
        artifact_days=data.artifacts,
        event_days=data.events,
    )
    return _show(request.engine, await actions.change(*request.acting, wanted))


def _show(engine: Engine, own: Overrides) -> RetentionAnswer:
    kept = own.over(engine.limits)
    return RetentionAnswer(
        Days(
            process_runs=kept.run_days,
            assistant_runs=kept.assistant_run_days,
            console=kept.console_days,
            artifacts=kept.artifact_days,
            events=kept.event_days,
        ),
        OwnDays(
            process_runs=own.run_days,
            assistant_runs=own.assistant_run_days,
            console=own.console_days,
            artifacts=own.artifact_days,
            events=own.event_days,
        ),
    )

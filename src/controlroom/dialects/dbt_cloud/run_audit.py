"""`audit` of a run (§3.8): who has started it, and who has cancelled it."""

from collections.abc import Sequence

from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.run_shapes import ActorShown
from controlroom.engine.access import audit
from controlroom.engine.access.audit import DescribedEvent
from controlroom.engine.lists.model import AllOf, OneOf
from controlroom.engine.runs.projects.listings import ListedRun
from controlroom.ids import RunId

_STARTED, _STOPPED = "run.started", "run.stop_requested"
_MOST_EVENTS = 10_000


class DoneBy(Shape, frozen=True, kw_only=True):
    """Who did something."""

    actor: ActorShown


class AuditShown(Shape, frozen=True, kw_only=True):
    """Who started a run, and who cancelled it, if somebody did."""

    trigger: DoneBy | None
    cancellation: DoneBy | None


async def audits_of(request: Asking, runs: Sequence[ListedRun]) -> dict[RunId, AuditShown]:
    """Of some runs."""
    which = AllOf((OneOf("run_id", tuple(run.run_id for run in runs)), OneOf("kind", (_STARTED, _STOPPED))))
    events, _ = await audit.told(request.db, request.actor, request.seen, which, offset=0, length=_MOST_EVENTS)
    found: dict[RunId, dict[str, DescribedEvent]] = {run.run_id: {} for run in runs}
    for event in events:  # the newest first: the first one of each kind stays in the end
        if event.run_id in found:
            found[event.run_id][event.kind] = event
    return {
        run: AuditShown(trigger=_by(kinds.get(_STARTED)), cancellation=_by(kinds.get(_STOPPED)))
        for run, kinds in found.items()
    }


def _by(event: DescribedEvent | None) -> DoneBy | None:
    if event is None:
        return None
    return DoneBy(actor=ActorShown(id=event.actor_number, type=event.actor_kind, name=event.actor_name))

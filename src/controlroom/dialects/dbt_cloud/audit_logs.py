"""The audit log (§3.9): the one record of events, of all projects and of what happened outside of them."""

from typing import Any, Final

from controlroom.dialects.dbt_cloud.answers import Listed, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Permission
from controlroom.dialects.dbt_cloud.lists import Columns, instant, listed
from controlroom.dialects.dbt_cloud.routing import V3, get
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.audit import DESCRIBED, DescribedEvent
from controlroom.engine.access.model import ActorKind
from controlroom.engine.access.scope import throughout
from controlroom.engine.lists.model import EVERYTHING, AllOf, Compare, Filter, Operator

_COLUMNS: Final = Columns(
    DESCRIBED,
    {"id": "id", "logged_at": "at", "created_at": "at", "routing_key": "kind", "actor_name": "actor_name"},
    ordered="-logged_at",
)
_BOUNDS: Final = {"logged_at_start": Operator.GE, "logged_at_end": Operator.LE}
_TYPES: Final = {ActorKind.USER.value: 1, ActorKind.SERVICE_TOKEN.value: 2, ActorKind.API_KEY.value: 2}
_OTHER: Final = 3
"""The type of an actor that is neither a person nor a key: the room itself, a robot, a worker."""


class LogShown(Shape, frozen=True, kw_only=True):
    """Something that happened, and who did it."""

    id: str
    uuid: str
    account_id: int
    service: str
    source: str = "SYSTEM"
    routing_key: str
    actor_type: int
    actor_id: int | None
    actor_name: str
    actor_ip: str | None = None
    logged_at: str
    created_at: str
    internal: bool = False
    event_context: str
    event_type: str
    metadata: dict[str, Any]


@get("/accounts/{account}/audit-logs", versions=V3, rows=_COLUMNS, asks=Permission.READ_AUDIT)
async def list_audit_logs(request: Asking) -> Listed[LogShown]:
    """What happened in the account, newest first, for who may read it of all of the account."""
    seen = throughout(request.actor, Permission.READ_AUDIT)
    bounds: tuple[Filter, ...] = tuple(
        Compare("at", operator, instant(name, value))
        for name, operator in _BOUNDS.items()
        if (value := request.query_params.get(name))
    )
    only = AllOf(bounds) if bounds else EVERYTHING
    return await listed(request, DescribedEvent, lambda event: _show(request, event), within=seen, only=only)


def _show(request: Asking, event: DescribedEvent) -> LogShown:
    noun, _, verb = event.kind.partition(".")
    at = with_t(event.at)
    return LogShown(
        id=str(event.id),
        uuid=str(event.id),
        account_id=request.account,
        service=noun,
        routing_key=f"v1.events.{event.kind}",
        actor_type=_TYPES.get(event.actor_kind, _OTHER),
        actor_id=event.actor_number,
        actor_name=event.actor_name or event.actor_kind,
        logged_at=at,
        created_at=at,
        event_context=noun,
        event_type=verb,
        metadata={"subject": event.subject_name, **event.data},
    )

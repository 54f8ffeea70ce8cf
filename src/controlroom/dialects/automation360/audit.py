"""Audit API v1 (§2.2): the record of events, for who answers for the organization. The example of a noun here."""

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Permission
from controlroom.dialects.automation360.audit_words import ACTIVITY_TYPES, STATUSES, activity_type, status
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, post
from controlroom.engine.access import audit
from controlroom.engine.access.audit import DescribedEvent
from controlroom.engine.access.scope import throughout
from controlroom.engine.lists.model import EVERYTHING, Direction, Sort

_MOST = 400
"""Rows of an answer, whatever is asked for (§2.2)."""


class AuditMessage(Shape, frozen=True, kw_only=True):
    """Something that happened, in this grammar's words; `id` is opaque."""

    id: str
    event_description: str
    activity_type: str
    environment_name: str = ""
    host_name: str
    user_name: str
    status: str
    source: str = "Control Room"
    object_name: str
    created_on: str | None
    request_id: str = ""
    created_by: str


_COLUMNS = Columns(
    audit.DESCRIBED,
    {
        "id": As("id"),
        "createdOn": "at",
        "activityType": Words(ACTIVITY_TYPES, sort="kind"),
        "userName": "actor_name",
        "createdBy": As("actor_number", sort=""),
        "status": Words(STATUSES),
        "hostName": "worker_name",
        "objectName": "subject_name",
        "eventDescription": As("sentence", sort="kind"),
        "source": Words({"Control Room": EVERYTHING}),
        "environmentName": Words({"": EVERYTHING}),
        "requestId": Words({"": EVERYTHING}),
    },
    most=_MOST,
    length=_MOST,
    order=(Sort("at", Direction.DESCENDING), Sort("id", Direction.DESCENDING)),
)


@post(
    "/v1/audit/messages/list",
    pair=Pair("auditlog", "everyoneactions"),
    number_codes=True,
)
async def list_audit_messages(request: Asking, data: Sought = None) -> Listed[AuditMessage]:
    """Search the audit log, newest first; at most 400 messages at once."""
    return await listed(
        request, data, _COLUMNS, DescribedEvent, _show, within=throughout(request.actor, Permission.READ_AUDIT)
    )


def _show(event: DescribedEvent) -> AuditMessage:
    return AuditMessage(
        id=str(event.id),
        event_description=_description(event)[:500],
        activity_type=activity_type(event.kind),
        host_name=(event.worker_name or "")[:100],
        user_name=(event.actor_name or "")[:100],
        status=status(event.kind),
        object_name=(event.subject_name or "")[:256],
        created_on=moment_or_none(event.at),
        created_by="" if event.actor_number is None else str(event.actor_number),
    )


def _description(event: DescribedEvent) -> str:
    noun, _, verb = event.kind.partition(".")
    name = f" {event.subject_name}" if event.subject_name else ""
    return f"{noun.replace('_', ' ')}{name}: {verb.replace('_', ' ')}"

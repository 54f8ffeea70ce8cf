"""The list of the notifications of processes: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.notifications.model import Notification, NotificationKind

_PROCESS: Final = "join process on process.id = notification.process_id"

NOTIFICATIONS: Final = Listing(
    noun="notifications",
    table="notification",
    columns="""notification.id, notification.number, notification.workspace_id, notification.process_id,
           process.number as process_number, process.name as process_name, notification.kind, notification.events,
           notification.recipients, notification.is_enabled, notification.disabled_reason, notification.created_at""",
    joins=_PROCESS,
    tenant="notification.workspace_id",
    always="""notification.process_id is not null and notification.deleted_at is null
         and exists (select from process where process.id = notification.process_id and process.deleted_at is null)""",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="notification_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("process_id", Kind.ID, is_nullable=True, index="notification_of_process"),
        Field("process_name", Kind.TEXT, column="process.name", is_sortable=True, join=_PROCESS),
        Field("kind", Kind.TEXT, choices=among(NotificationKind)),
        Field("recipients", Kind.TEXT, column="array_to_string(notification.recipients, ' ')"),
        Field("is_enabled", Kind.TRUTH),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)


class ListedNotification(Notification, frozen=True, kw_only=True):
    """A notification in a list, with its process."""

    process_number: int
    process_name: str

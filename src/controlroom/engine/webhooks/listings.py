"""The list of webhooks: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing

_PROCESS: Final = "left join process on process.id = webhook.process_id"

WEBHOOKS: Final = Listing(
    noun="webhooks",
    table="webhook",
    columns="""webhook.id, webhook.number, webhook.workspace_id, webhook.process_id, process.name as process_name,
           webhook.name, webhook.grammar, webhook.messages, webhook.endpoint, webhook.events, webhook.is_enabled,
           webhook.disabled_reason, webhook.created_at""",
    joins=_PROCESS,
    tenant="webhook.workspace_id",
    always="webhook.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("process_id", Kind.ID, is_nullable=True),
        Field("process_name", Kind.TEXT, column="process.name", join=_PROCESS, is_nullable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("endpoint", Kind.TEXT, is_sortable=True),
        Field("grammar", Kind.TEXT, is_sortable=True),
        Field("is_enabled", Kind.TRUTH),
        Field("created_at", Kind.INSTANT, is_sortable=True),
    ),
)

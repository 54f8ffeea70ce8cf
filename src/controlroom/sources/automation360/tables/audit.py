"""Who did what."""

from typing import Final

from controlroom.sources.automation360.tables.parts import moment, of, text
from controlroom.sources.columns import Table

AUDIT: Final = Table(
    name="audit",
    description="The audit log.",
    columns=(
        text("id", "Its id, which is no number."),
        text("activity_type", "What happened: RUN_BOT_ENDED, LOGIN, UPDATE_CREDENTIAL and so on."),
        text("event_description", "The same in words."),
        text("status", "Successful, Unsuccessful or Unknown."),
        text("user_name", "Who did it."),
        of("created_by", "Who did it; `users.id`."),
        moment("created_on", "When."),
        text("object_name", "To what."),
        text("host_name", "On which host."),
        text("source", "Where it was done: Control Room, API and so on."),
        text("environment_name", "In which environment."),
        text("request_id", "By which request."),
    ),
    key=("id",),
)

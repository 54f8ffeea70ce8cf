"""What a workspace of the Robocorp grammar holds, as tables."""

from controlroom.sources.columns import NUMBER, TEXT, TIME, Column, Table

PROCESS_RUNS = Table(
    name="process_runs",
    description="One execution of a process.",
    key=("id",),
    columns=(
        Column("id", TEXT, "Its id."),
        Column("state", TEXT, "new, in_progress, stopping, completed or unresolved."),
        Column("created_at", TIME, "When it was asked for."),
        Column("started_at", TIME, "When its first robot began."),
        Column("ended_at", TIME, "When it ended."),
        Column("duration", NUMBER, "Seconds from its start to its end."),
        Column("process_id", TEXT, "Its process.", at="process.id"),
        Column("process_name", TEXT, "The name that its process had when this was loaded.", at="process.name"),
    ),
)

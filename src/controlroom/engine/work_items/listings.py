"""The list of work items: what a row shows, and by which fields items are found and sorted."""

from typing import Final

from msgspec.structs import replace

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.lists.written import Keys, written
from controlroom.engine.work_items.model import ExceptionType, ItemState

ALL_BUT_DATA: Final = """id, number, workspace_id, process_id, queue_id, step_id, run_id, state, state_at, created_at,
           priority, due, deadline, reference, parent_id, attempt, step_run_id,
           exception_type, exception_code, exception_message, fault"""
COLUMNS_WITHOUT_DATA: Final = f"{ALL_BUT_DATA}, null::jsonb as payload"
"""Columns of a list: a page of items must not carry megabytes that nobody looks at."""

_WORKER: Final = "(select step_run.worker_id from step_run where step_run.id = work_item.step_run_id)"
_IS_SHORT: Final = "pg_column_compression(payload) is null and pg_column_size(payload) <= 2000"
"""Of a payload that lies in its row as it is: PostgreSQL tells so without fetching it."""

ITEMS: Final = Listing(
    noun="work items",
    table="work_item",
    columns=COLUMNS_WITHOUT_DATA,
    tenant="work_item.workspace_id",
    always="work_item.state not in ('draft', 'deleted') and work_item.queue_id is not null",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="work_item_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("process_id", Kind.ID, is_nullable=True, index="work_item_of_process"),
        Field("run_id", Kind.ID, is_nullable=True, index="work_item_of_run"),
        Field("step_id", Kind.ID, is_nullable=True),
        Field("queue_id", Kind.ID, index="work_item_in_queue"),
        Field("step_run_id", Kind.ID, is_nullable=True, index="work_item_turn"),
        Field("parent_id", Kind.ID, is_nullable=True),
        Field("state", Kind.TEXT, choices=among(ItemState), is_told=True, index="work_item_by_state"),
        Field("state_at", Kind.INSTANT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("due", Kind.INSTANT, is_sortable=True),
        Field("deadline", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("reference", Kind.TEXT, is_nullable=True, is_sortable=True, index="work_item_reference"),
        Field("attempt", Kind.INTEGER),
        Field("exception_type", Kind.TEXT, is_nullable=True, choices=among(ExceptionType)),
        Field("exception_code", Kind.TEXT),
        Field("exception_message", Kind.TEXT),
        Field("fault", Kind.TEXT, is_nullable=True),
        Field("failure", Kind.TEXT, is_nullable=True, index="work_item_of_failure"),
        Field("worker_id", Kind.ID, column=_WORKER, is_nullable=True),
        Field("payload", Kind.JSON, is_nullable=True),
    ),
)
"""What went through a queue, without payloads; drafts and outputs of runs are no such."""

_HAS_FILES: Final = "exists (select from work_item_file where work_item_file.work_item_id = work_item.id)"
WITH_DATA: Final = f"""{ALL_BUT_DATA}, case when {_IS_SHORT} then payload end as payload,
           payload is not null and not ({_IS_SHORT}) as is_long, {_HAS_FILES} as has_files"""
"""Columns of items with the payloads that are short, and of which of them there is more to fetch."""


def written_items(keys: Keys) -> Listing:
    """The same list, its rows written by the database, but for those of which there is more to tell.

    These have files, a long payload, or failed by what the engine says, not a robot: each grammar has words for that.
    """
    return replace(
        ITEMS,
        columns=f"""id, case when (payload is null or {_IS_SHORT}) and fault is null
                     and exception_type is distinct from 'orchestrator' and not {_HAS_FILES}
                then {written(ITEMS, keys)} end as text""",
    )

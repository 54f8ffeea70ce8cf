"""The lists of standing queues, their items and their consumers, as people look for them who think in numbers."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.queues.model import MOST_SHOWN, ItemStanding, ProcessingUnit, QueueStatus


def _number_of(table: str, column: str) -> str:
    return f"(select {table}.number from {table} where {table}.id = {column})"


def _numbers_of(table: str, column: str) -> str:
    return f"""array(select {table}.number from unnest({column}) with ordinality as named (id, place)
                     join {table} on {table}.id = named.id order by place)"""


# ---------------------------------------------------------------------------------------------------- queues
_IS_CONSUMED: Final = """exists (select from queue_consumer
                                 where queue_consumer.queue_id = queue.id and queue_consumer.deleted_at is null)"""
_STATUS: Final = f"case when {_IS_CONSUMED} then 'in_use' when queue.is_draft then 'draft' else 'not_in_use' end"

_MODEL: Final = _number_of("item_model", "queue.item_model_id")

_RETRIES_OF: Final = "coalesce((queue.retry ->> 'max_attempts')::bigint - 1, 0)"


def _noted(key: str, otherwise: str, kind: str) -> str:
    return f"coalesce((queue.notes ->> '{key}')::{kind}, {otherwise})"


QUEUES: Final = Listing(
    noun="queues",
    table="queue",
    columns=f"""queue.id, queue.number, queue.workspace_id, queue.name, queue.description, queue.item_model_id,
           {_MODEL} as item_model_number, queue.retry,
           queue.refuses_duplicates, queue.notes, queue.revision, queue.created_at, queue.updated_at,
           {_number_of("app_user", "queue.created_by")} as created_by_number,
           {_number_of("app_user", "queue.updated_by")} as updated_by_number, {_STATUS} as status,
           (select organization.number from workspace join organization on organization.id = workspace.organization_id
             where workspace.id = queue.workspace_id) as tenant_number,
           array(select item_attribute.number
                   from unnest(queue.shown) with ordinality as shown (name, place)
                   join item_attribute on item_attribute.item_model_id = queue.item_model_id
                                      and item_attribute.name = shown.name
                  order by place) as shown,
           (select coalesce(jsonb_agg(jsonb_build_object(
                        'number', item_attribute.number, 'id', item_attribute.id, 'name', item_attribute.name,
                        'is_descending', coalesce((each ->> 'is_descending')::boolean, false)) order by place), '[]')
              from jsonb_array_elements(queue.ordering) with ordinality as by (each, place)
              join item_attribute on item_attribute.item_model_id = queue.item_model_id
                                 and item_attribute.name = each ->> 'attribute') as ordering""",
    tenant="queue.workspace_id",
    always="queue.is_standing and queue.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="queue_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("workspace_id", Kind.ID),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("item_model_id", Kind.ID, is_nullable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("status", Kind.TEXT, column=_STATUS, is_sortable=True, choices=among(QueueStatus)),
        Field(
            "item_model_number", Kind.INTEGER, column=_number_of("item_model", "queue.item_model_id"), is_nullable=True
        ),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by", Kind.INTEGER, column=_number_of("app_user", "queue.created_by"), is_nullable=True),
        Field("updated_by", Kind.INTEGER, column=_number_of("app_user", "queue.updated_by"), is_nullable=True),
        Field(
            "tenant_number",
            Kind.INTEGER,
            column="""(select organization.number from workspace as of_tenant
              join organization on organization.id = of_tenant.organization_id
             where of_tenant.id = queue.workspace_id)""",
        ),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field("refuses_duplicates", Kind.TRUTH, is_sortable=True),
        Field("retries", Kind.INTEGER, column=_RETRIES_OF, is_sortable=True),
        Field("reactivation", Kind.INTEGER, column=_noted("reactivation", "0", "bigint"), is_sortable=True),
        Field("by_hand", Kind.INTEGER, column=_noted("by_hand", "0", "bigint"), is_sortable=True),
        Field(
            "unit",
            Kind.TEXT,
            column=_noted("unit", f"'{ProcessingUnit.SECONDS.value}'", "text"),
            is_sortable=True,
            choices=among(ProcessingUnit),
        ),
    ),
)
"""Standing queues of several workspaces, with numbers."""

# ---------------------------------------------------------------------------------------------------- items
_QUEUE: Final = "join queue on queue.id = work_item.queue_id"
STANDING: Final = """case when work_item.state = 'new' and exists (
               select from queue_consumer
                where queue_consumer.queue_id = work_item.queue_id and not queue_consumer.is_paused
                  and queue_consumer.deleted_at is null) then 'ready' else work_item.state end"""
VERSION: Final = "(work_item.revision + 2 * work_item.attempt - (work_item.state = 'in_progress')::int)"
"""Raised by each change that somebody makes, each claim and each release; claims need not write it for that."""
_UPDATED: Final = "greatest(work_item.state_at, work_item.updated_at)"
_RETRIES: Final = "greatest(work_item.attempt - 1, 0)"
_SHOWN: Final = ", ".join(
    f"work_item.payload ->> queue.shown[{column}] as col{column}" for column in range(1, MOST_SHOWN + 1)
)
_BEGUN: Final = "case when work_item.state in ('in_progress', 'done', 'failed') then work_item.reserved_at end"
_ENDED: Final = "case when work_item.state in ('done', 'failed') then work_item.state_at end"

_WORKER: Final = """(select worker.number from step_run join worker on worker.id = step_run.worker_id
                     where step_run.id = work_item.step_run_id)"""
_RUN_AS: Final = """(select app_user.number from step_run join app_user on app_user.id = step_run.run_as
                     where step_run.id = work_item.step_run_id)"""
_CONSUMER: Final = """(select queue_consumer.number
                        from run join queue_consumer on queue_consumer.id = run.started_by_id
                       where run.id = work_item.run_id and run.started_by = 'queue')"""

_DEFERRED: Final = "case when work_item.is_postponed and work_item.due > clock_now() then work_item.due end"
_HASH: Final = "coalesce(jsonb_hash(work_item.payload), 0)"
_PAUSED: Final = """coalesce((select round(extract(epoch from clock_now() - step_run.paused_at))::bigint from step_run
                     where step_run.id = work_item.step_run_id), 0)"""

QUEUE_ITEMS: Final = Listing(
    noun="work items",
    table="work_item",
    columns=f"""work_item.id, work_item.number, work_item.workspace_id, work_item.queue_id,
           queue.number as queue_number, {STANDING} as standing, work_item.created_at, {_UPDATED} as updated_at,
           {_BEGUN} as begun_at, {_ENDED} as ended_at, {_RETRIES} as retries, {VERSION} as version,
           {_DEFERRED} as deferred_until,
           work_item.result, work_item.comment, work_item.exception_message, work_item.fault,
           {_number_of("app_user", "work_item.created_by")} as created_by_number,
           {_number_of("app_user", "work_item.updated_by")} as updated_by_number,
           work_item.step_run_id,
           (select step_run.number from step_run where step_run.id = work_item.step_run_id) as step_run_number,
           {_WORKER} as worker_number, {_RUN_AS} as run_as_number, {_CONSUMER} as consumer_number,
           (select step_run.paused_at from step_run where step_run.id = work_item.step_run_id) as paused_at,
           (select coalesce(extract(epoch from clock_now() - step_run.paused_at), 0)::float8
              from (values (work_item.step_run_id)) as held (id)
              left join step_run on step_run.id = held.id) as paused_seconds,
           {_HASH} as hash, {_SHOWN}, null::jsonb as payload""",
    joins=_QUEUE,
    tenant="work_item.workspace_id",
    always="work_item.process_id is null and work_item.state not in ('draft', 'deleted')",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="work_item_in_queue"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("queue_id", Kind.ID),
        Field("queue_number", Kind.INTEGER, column=_number_of("queue", "work_item.queue_id")),
        Field("standing", Kind.TEXT, column=STANDING, is_sortable=True, choices=among(ItemStanding)),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, column=_UPDATED, is_sortable=True),
        Field("begun_at", Kind.INSTANT, column=_BEGUN, is_nullable=True, is_sortable=True),
        Field("ended_at", Kind.INSTANT, column=_ENDED, is_nullable=True, is_sortable=True),
        Field("due", Kind.INSTANT, is_sortable=True),
        Field("deferred_until", Kind.INSTANT, column=_DEFERRED, is_nullable=True, is_sortable=True),
        Field("hash", Kind.INTEGER, column=_HASH),
        Field("paused_seconds", Kind.INTEGER, column=_PAUSED),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("retries", Kind.INTEGER, column=_RETRIES, is_sortable=True),
        Field("version", Kind.INTEGER, column=VERSION, is_sortable=True),
        Field("result", Kind.TEXT, is_sortable=True),
        Field("comment", Kind.TEXT, is_sortable=True),
        Field("worker_number", Kind.INTEGER, column=_WORKER, is_nullable=True),
        Field("run_as_number", Kind.INTEGER, column=_RUN_AS, is_nullable=True),
        Field("consumer_number", Kind.INTEGER, column=_CONSUMER, is_nullable=True),
        Field("step_run_id", Kind.ID, is_nullable=True),
        Field("error", Kind.TEXT, column="coalesce(work_item.fault, work_item.exception_message)", is_sortable=True),
        Field("created_by", Kind.INTEGER, column=_number_of("app_user", "work_item.created_by"), is_nullable=True),
        Field("updated_by", Kind.INTEGER, column=_number_of("app_user", "work_item.updated_by"), is_nullable=True),
        *(
            Field(
                f"col{column}",
                Kind.TEXT,
                column=f"(work_item.payload ->> queue.shown[{column}])",
                is_nullable=True,
                is_sortable=True,
                join=_QUEUE,
            )
            for column in range(1, MOST_SHOWN + 1)
        ),
    ),
)
"""What is, and was, in standing queues, without payloads but for the attributes that a queue shows."""

# ---------------------------------------------------------------------------------------------------- consumers
_OF_CONSUMER: Final = "join queue on queue.id = queue_consumer.queue_id"

_DONE: Final = """cross join lateral (select count(*) as runs,
                                 coalesce(avg(extract(epoch from run.ended_at - run.started_at)), 0)::float8 as seconds
                            from run
                           where run.started_by_id = queue_consumer.id and run.started_by = 'queue'
                             and run.state in ('completed', 'unresolved')) as done"""
_GROUP: Final = """(select worker_group.number from worker_group
             where worker_group.id::text = queue_consumer.placement -> 'places' -> 0 ->> 'group')"""

CONSUMERS: Final = Listing(
    noun="queue consumers",
    table="queue_consumer",
    columns=f"""queue_consumer.id, queue_consumer.number, queue_consumer.workspace_id, queue_consumer.queue_id,
           queue.number as queue_number, queue.name as queue_name,
           {_number_of("task", "queue_consumer.task_id")} as task_number,
           (select task.name from task where task.id = queue_consumer.task_id) as task_name, queue_consumer.placement,
           {_GROUP} as group_number,
           {_numbers_of("app_user", "queue_consumer.run_as")} as run_as_numbers, queue_consumer.windows,
           queue_consumer.zone, queue_consumer.priority, queue_consumer.is_paused, queue_consumer.name,
           queue_consumer.description, queue_consumer.label,
           queue_consumer.version as version_number, queue_consumer.notes, queue_consumer.revision,
           queue_consumer.created_at, queue_consumer.updated_at, queue_consumer.resumed_at,
           {_number_of("app_user", "queue_consumer.created_by")} as created_by_number,
           {_number_of("app_user", "queue_consumer.updated_by")} as updated_by_number,
           {_number_of("app_user", "queue_consumer.resumed_by")} as resumed_by_number,
           (select organization.number from workspace join organization on organization.id = workspace.organization_id
             where workspace.id = queue_consumer.workspace_id) as tenant_number,
           done.runs as runs_ended, done.seconds as average_seconds""",
    joins=f"""{_OF_CONSUMER}
      {_DONE}""",
    tenant="queue_consumer.workspace_id",
    always="queue_consumer.deleted_at is null",
    asides="queue_consumer.notes",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("workspace_id", Kind.ID),
        Field("queue_id", Kind.ID, index="queue_consumer_of_queue"),
        Field("queue_number", Kind.INTEGER, column="queue.number", join=_OF_CONSUMER),
        Field("queue_name", Kind.TEXT, column="queue.name", is_sortable=True, join=_OF_CONSUMER),
        Field("task_number", Kind.INTEGER, column=_number_of("task", "queue_consumer.task_id")),
        Field("task_name", Kind.TEXT, column="(select task.name from task where task.id = queue_consumer.task_id)"),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("is_paused", Kind.TRUTH, is_sortable=True),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("created_by", Kind.INTEGER, column=_number_of("app_user", "queue_consumer.created_by"), is_nullable=True),
        Field("updated_by", Kind.INTEGER, column=_number_of("app_user", "queue_consumer.updated_by"), is_nullable=True),
        Field("resumed_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("resumed_by", Kind.INTEGER, column=_number_of("app_user", "queue_consumer.resumed_by"), is_nullable=True),
        Field("group_number", Kind.INTEGER, column=_GROUP, is_nullable=True),
        Field("zone", Kind.TEXT, is_sortable=True),
        Field("label", Kind.TEXT, is_nullable=True, is_sortable=True),
        Field("version_number", Kind.INTEGER, column="queue_consumer.version", is_nullable=True, is_sortable=True),
        Field(
            "tenant_number",
            Kind.INTEGER,
            column="""(select organization.number from workspace as of_tenant
              join organization on organization.id = of_tenant.organization_id
             where of_tenant.id = queue_consumer.workspace_id)""",
        ),
        Field("revision", Kind.INTEGER, is_sortable=True),
        Field("runs_ended", Kind.INTEGER, column="done.runs", is_sortable=True, join=_DONE),
        Field("average_seconds", Kind.NUMBER, column="done.seconds", is_sortable=True, join=_DONE),
    ),
)
"""Consumers of queues of several workspaces, with numbers and what they have done."""

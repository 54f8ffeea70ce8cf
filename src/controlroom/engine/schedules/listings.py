"""The list of schedules: what a row shows, and by which fields they are found and sorted."""

from enum import StrEnum
from typing import Final

from controlroom.engine.access.grants.holding import may_in
from controlroom.engine.access.model import Permission
from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.lists.words import Paths, with_path
from controlroom.engine.packages.places import AROUND, FOLDERS, path_in
from controlroom.engine.schedules.definitions import Schedule, Standing

_IS_FAULTY: Final = f"""(
        exists (select from process where process.id = schedule.process_id and not process.is_enabled)
        or schedule.start is not null and (
           exists (select from task join package on package.id = task.package_id
                    where task.id = (schedule.start ->> 'task')::uuid and package.deleted_at is not null)
           or exists (select from jsonb_array_elements_text(schedule.start -> 'users') as named (id)
                       where not exists (select from app_user
                                          where app_user.id = named.id::uuid
                                            and {may_in(Permission.RUNTIME, "schedule.workspace_id")}))
           or coalesce(schedule.start -> 'where' ->> 'type', 'default') = 'default'
              and exists (select from jsonb_array_elements_text(schedule.start -> 'users') as named (id)
                            join app_user on app_user.id = named.id::uuid
                           where not exists (select from worker
                                              where worker.id = app_user.default_worker_id
                                                and worker.deleted_at is null))
           or exists (select from jsonb_array_elements_text(schedule.start -> 'where' -> 'groups') as named (id)
                       where not exists (select from worker_group
                                          where worker_group.id = named.id::uuid
                                            and worker_group.deleted_at is null))))"""
"""Whether something that a schedule names is not there any more, or may not be used."""

STANDING: Final = f"""(case when schedule.is_draft then '{Standing.DRAFT}'
        when not schedule.is_enabled then '{Standing.INACTIVE}'
        when schedule.next_due is null then '{Standing.COMPLETED}'
        when {_IS_FAULTY} then '{Standing.FAULTY}'
        else '{Standing.ACTIVE}' end)"""

COLUMNS: Final = f"""schedule.id, schedule.number, schedule.workspace_id, schedule.process_id,
           process.name as process_name, schedule.name, schedule.description, schedule.owner_id, schedule.start,
           schedule.rule, schedule.zone,
           schedule.starts_at, schedule.ends_at, schedule.is_enabled, schedule.is_draft, {STANDING} as standing,
           schedule.missed, schedule.grace, schedule.overlap, schedule.skip_after, schedule.cancel_after,
           schedule.inputs, schedule.priority, schedule.next_due, schedule.asides, schedule.created_at,
           coalesce(schedule.updated_at, schedule.created_at) as updated_at"""

JOINED: Final = """join process on process.id = schedule.process_id
               and (process.deleted_at is null or schedule.start is not null)"""
"""The process of a schedule that is there. That of a bare task is made anew when it is needed."""

THERE: Final = """schedule.deleted_at is null
         and (schedule.start is not null
              or exists (select from process where process.id = schedule.process_id and process.deleted_at is null))"""
"""Likewise, as a condition. Why the `or` is outside: of an `exists` alone PostgreSQL makes a join, for which it reads
all schedules before it counts the first one, and is longer about planning the list than about reading a page of it."""

_TASK: Final = "left join task on task.id = (schedule.start ->> 'task')::uuid"
_PACKAGE: Final = "left join package on package.id = task.package_id"
_TENANT_NUMBER: Final = """(select organization.number from workspace as of_tenant
              join organization on organization.id = of_tenant.organization_id
             where of_tenant.id = schedule.workspace_id)"""
_WORK: Final = f"{JOINED}\n          {_TASK}"


def _number_of(user: str) -> str:
    """The number of a user. Why no join: of nine PostgreSQL weighs every order, for 40 ms, and reads a page in two."""
    return f"(select app_user.number from app_user where app_user.id = {user})"


_OWNER: Final = _number_of("schedule.owner_id")
_MAKER: Final = _number_of("schedule.created_by")
_EDITOR: Final = _number_of("coalesce(schedule.updated_by, schedule.created_by)")


# A zone that the database does not know tells no day.
_LOCAL: Final = """case when schedule.zone = any(array(select known.name from pg_timezone_names as known))
              then schedule.{} at time zone schedule.zone end"""
_IS_ONCE: Final = "schedule.rule ->> 'type' = 'once'"
_FIRST_DAY: Final = f"""coalesce(case when {_IS_ONCE} then left(schedule.rule ->> 'at', 10) end,
                  to_char({_LOCAL.format("starts_at")}, 'YYYY-MM-DD'), '')"""
_LAST_DAY: Final = f"to_char({_LOCAL.format('ends_at')}, 'YYYY-MM-DD')"
_TIME_OF_DAY: Final = f"""coalesce(case when {_IS_ONCE} then substring(schedule.rule ->> 'at' from 12 for 5) end,
                  (select min(left(each.at, 5)) from jsonb_array_elements_text(schedule.rule -> 'times') as each (at)),
                  to_char({_LOCAL.format("starts_at")}, 'HH24:MI'), '')"""
_IS_REPEATED: Final = """(coalesce(schedule.rule -> 'again', 'null') <> 'null'
              or schedule.rule ->> 'type' = 'interval' and (schedule.rule ->> 'seconds')::bigint < 86400)"""
_IS_ON_GROUPS: Final = "(coalesce(schedule.start -> 'where' ->> 'type', '') = 'groups')"


class StartsWhat(StrEnum):
    """What a schedule starts."""

    PROCESS = "process"
    TASK = "task"
    """On the default workers of its users, or on those of groups."""
    TASK_ANYWHERE = "task_anywhere"
    """On whichever worker is free first."""


_STARTS: Final = f"""(case when schedule.start is null then '{StartsWhat.PROCESS}'
        when schedule.start -> 'where' ->> 'type' = 'anywhere' then '{StartsWhat.TASK_ANYWHERE}'
        else '{StartsWhat.TASK}' end)"""


class ListedSchedule(Schedule, frozen=True, kw_only=True):
    """A schedule in a list, with the numbers and names of what it names."""

    workspace_name: str
    tenant_number: int
    """Of the organization."""
    work: StartsWhat
    work_number: int
    """Of the task that it starts, else of the process."""
    work_name: str
    folders: list[str]
    """In which the package of its task lies, below the workspace; of a deleted one those in which it lay last."""
    package_name: str | None
    """Of the task."""
    owner_number: int | None
    maker_number: int | None
    """Of the user who made it; None if it was no user."""
    editor_number: int | None
    """Of the user who changed it last, likewise."""
    user_numbers: list[int]
    """Of those as whom its task is run."""
    group_numbers: list[int]
    """Of the worker groups where it is run."""


SCHEDULES: Final = Listing(
    noun="schedules",
    table="schedule",
    columns=f"""{COLUMNS},
           (select workspace.name from workspace where workspace.id = schedule.workspace_id) as workspace_name,
           {_TENANT_NUMBER} as tenant_number,
           {_STARTS} as work, coalesce(task.number, process.number) as work_number,
           coalesce(task.name, process.name) as work_name, {FOLDERS} as folders, package.name as package_name,
           {_OWNER} as owner_number, {_MAKER} as maker_number, {_EDITOR} as editor_number,
           array(select app_user.number
                   from jsonb_array_elements_text(schedule.start -> 'users') with ordinality as named (id, place)
                   join app_user on app_user.id = named.id::uuid
                  order by named.place) as user_numbers,
           array(select worker_group.number
                   from jsonb_array_elements_text(schedule.start -> 'where' -> 'groups')
                        with ordinality as named (id, place)
                   join worker_group on worker_group.id = named.id::uuid
                  order by named.place) as group_numbers""",
    joins=f"""{_WORK}
          {_PACKAGE}""",
    tenant="schedule.workspace_id",
    always=THERE,
    asides="schedule.asides",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="schedule_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("process_id", Kind.ID, index="schedule_of_process"),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT, is_sortable=True),
        Field("rule", Kind.TEXT, column="(schedule.rule ->> 'type')", is_sortable=True),
        Field("zone", Kind.TEXT, is_sortable=True),
        Field("standing", Kind.TEXT, column=STANDING, choices=among(Standing), is_sortable=True),
        Field("starts_at", Kind.INSTANT, is_sortable=True),
        Field("ends_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("next_due", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("priority", Kind.INTEGER, is_sortable=True),
        Field("work", Kind.TEXT, column=_STARTS, choices=among(StartsWhat), is_sortable=True),
        Field(
            "work_number", Kind.INTEGER, column="coalesce(task.number, process.number)", is_sortable=True, join=_WORK
        ),
        Field("work_name", Kind.TEXT, column="coalesce(task.name, process.name)", is_sortable=True, join=_WORK),
        Field("owner_number", Kind.INTEGER, column=_OWNER, is_nullable=True, is_sortable=True),
        Field("maker_number", Kind.INTEGER, column=_MAKER, is_nullable=True, is_sortable=True),
        Field("editor_number", Kind.INTEGER, column=_EDITOR, is_nullable=True, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field(
            "tenant_number",
            Kind.INTEGER,
            column=_TENANT_NUMBER,
        ),
        Field("first_day", Kind.TEXT, column=_FIRST_DAY, is_sortable=True),
        Field("last_day", Kind.TEXT, column=_LAST_DAY, is_nullable=True, is_sortable=True),
        Field("time_of_day", Kind.TEXT, column=_TIME_OF_DAY, is_sortable=True),
        Field("is_repeated", Kind.TRUTH, column=_IS_REPEATED, is_sortable=True),
        Field("label", Kind.TEXT, column="(schedule.start ->> 'label')", is_nullable=True),
        Field("most_users", Kind.INTEGER, column="coalesce((schedule.start ->> 'most_users')::bigint, 0)"),
        Field("catches_up", Kind.TRUTH, column="(schedule.missed = 'run_once')"),
        Field("is_on_groups_alone", Kind.TRUTH, column=_IS_ON_GROUPS),
        Field(
            "updated_at",
            Kind.INSTANT,
            column="coalesce(schedule.updated_at, schedule.created_at)",
            is_sortable=True,
        ),
    ),
)


def with_paths(paths: Paths) -> Listing:
    """The list that is filtered by where what is started lies, too."""
    return with_path(
        SCHEDULES,
        f"""(select {path_in(paths, "coalesce(of_task.name, of_process.name)")}
              from workspace as place join process as of_process on of_process.id = schedule.process_id
              left join task as of_task on of_task.id = (schedule.start ->> 'task')::uuid
              {AROUND}
             where place.id = schedule.workspace_id)""",
    )

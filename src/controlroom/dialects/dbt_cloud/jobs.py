"""Jobs (§3.1, §3.7): processes of a project."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET, UnsetType

from controlroom.border.columns import NOTHING, As, Words
from controlroom.dialects.dbt_cloud.answers import DELETED, Listed
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, ensure_stays, find, of_project
from controlroom.dialects.dbt_cloud.job_answers import JobShown, deleted, ends_of, shown
from controlroom.dialects.dbt_cloud.job_bodies import ConditionBody, Found, JobBody, changed, definition_of, statuses_in
from controlroom.dialects.dbt_cloud.job_related import with_related
from controlroom.dialects.dbt_cloud.lists import Columns, page
from controlroom.dialects.dbt_cloud.routing import delete, get, post
from controlroom.engine.access.scope import Scope, scope_of
from controlroom.engine.job_definitions import actions, store
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import Follows, ListedJob
from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.store import JOB
from controlroom.engine.lists.model import EVERYTHING, equal
from controlroom.engine.references import Located
from controlroom.engine.schedules import store as schedules
from controlroom.engine.targets.store import TARGET
from controlroom.errors import NotFound
from controlroom.ids import ProcessId, TargetId

_ALL: Final = "/accounts/{account}/jobs"
_ONE: Final = f"{_ALL}/{{job}}"
_NONE_IS: Final = Words({"false": EVERYTHING, "0": EVERYTHING, "true": NOTHING, "1": NOTHING})
_COLUMNS: Final = Columns(
    JOBS,
    {
        "id": "number",
        "name": "name",
        "dbt_version": "tool_version",
        "environment_id": "target_number",
        "job_type": As("kind", read=str.lower),
        "triggers_schedule": "is_scheduled",
        "is_system": _NONE_IS,
        "is_fusion_ready": _NONE_IS,
        "created_at": "created_at",
        "updated_at": "updated_at",
        "state": Words(
            {
                "1": equal(is_there=True),
                "active": equal(is_there=True),
                "2": equal(is_there=False),
                "deleted": equal(is_there=False),
                "all": EVERYTHING,
            }
        ),
    },
    order={"project_id": "workspace_number"},
)


@get(_ALL, needs=Permission.READ_PROCESSES, rows=_COLUMNS)
async def list_jobs(request: Asking) -> Listed[JobShown]:
    """The jobs that the token sees."""
    found = await page(request, ListedJob)
    return found.shown(await _told(request, found.rows))


@post(_ALL, needs=Permission.WRITE_PROCESSES)
async def create_job(request: Asking, data: Body[JobBody]) -> JobShown:
    """A new job of a project. Four keys are enough: name, project, environment, and what it runs."""
    if not data.project_id:
        raise FieldsWrong({"project_id": "the number of its project"})
    with _fields_named():
        try:
            seen = await of_project(request, data.project_id)
        except NotFound:
            raise FieldsWrong({"project_id": "the number of a project that the token sees"}) from None
        definition = definition_of(data, await _found(request, seen, data))
        made = await actions.create(request.engine, request.actor, seen.workspace, definition)
    return await _one(request, made)


@get(_ONE, needs=Permission.READ_PROCESSES)
async def get_job(request: Asking, job: Id) -> JobShown:
    """A job."""
    located = await find(request, JOB, job)
    return await _one(request, await store.get(request.db, located.scope, located.id))


@post(_ONE, needs=Permission.WRITE_PROCESSES)
async def update_job(request: Asking, job: Id, data: Body[JobBody]) -> JobShown:
    """Change a job: what is left out stays. With `state: 2`, delete it."""
    located = await find(request, JOB, job)
    if data.state == DELETED:
        return await _delete(request, located)
    if data.project_id:
        await ensure_stays(request, located.scope, data.project_id)
    with _fields_named(located.id):
        found = await _found(request, located.scope, data)
        after = await actions.change(
            request.engine,
            request.actor,
            located.scope.workspace,
            located.id,
            lambda before: changed(before, data, found),
        )
    return await _one(request, after)


@delete(_ONE, needs=Permission.WRITE_PROCESSES)
async def delete_job(request: Asking, job: Id) -> JobShown:
    """Delete a job. Its runs that are under way are cancelled; all stay readable."""
    return await _delete(request, await find(request, JOB, job))


async def _delete(request: Asking, located: Located[ProcessId]) -> JobShown:
    gone = await actions.delete(request.engine, request.actor, located.scope.workspace, located.id)
    return deleted(await _one(request, gone))


# ---------------------------------------------------------------------------------------------------- what is named
async def _found(request: Asking, seen: Scope, data: JobBody) -> Found:
    """What the numbers of a body name. Raises FieldsWrong for what the token does not see."""
    readable = scope_of(request.actor, Permission.READ_PROCESSES)
    completion = data.job_completion_trigger_condition
    follows: Follows | UnsetType | None = UNSET
    if completion is not UNSET:
        condition = completion.condition if completion else None
        follows = None if condition is None else await _follows(request, readable, condition)
    return Found(
        target=await _target(request, seen, "environment_id", data.environment_id) or UNSET,
        defer_to_process=await _job(request, readable, data.deferring_job_definition_id),
        defer_to_target=await _target(request, seen, "deferring_environment_id", data.deferring_environment_id),
        follows=follows,
    )


async def _target(
    request: Asking, seen: Scope, field: str, number: int | UnsetType | None
) -> TargetId | UnsetType | None:
    if not number:
        return UNSET if number is UNSET else None
    try:
        return (await find(request, TARGET, number, seen)).id
    except NotFound:
        raise FieldsWrong({field: "the number of an environment of the job's project"}) from None


async def _job(request: Asking, seen: Scope, number: int | UnsetType | None) -> ProcessId | UnsetType | None:
    if not number:
        return UNSET if number is UNSET else None
    try:
        return (await find(request, JOB, number, seen)).id
    except NotFound:
        raise FieldsWrong({"deferring_job_definition_id": "the number of a job that the token sees"}) from None


async def _follows(request: Asking, seen: Scope, condition: ConditionBody) -> Follows:
    ends = ends_of(statuses_in(condition))
    try:
        located = await find(request, JOB, condition.job_id, seen)
    except NotFound:
        field = "job_completion_trigger_condition.condition.job_id"
        raise FieldsWrong({field: "the number of a job that the token sees"}) from None
    return Follows(process=located.id, workspace=located.scope.workspace, ends=ends)


@contextmanager
def _fields_named(job: ProcessId | None = None) -> Iterator[None]:
    """Say of another job that is not there in which field it is named; this one may have gone meanwhile: 404."""
    try:
        yield
    except JobNotFound as gone:
        if gone.fields["job_id"] == str(job):
            raise
        raise FieldsWrong({"job_completion_trigger_condition": gone.message}) from gone


# ---------------------------------------------------------------------------------------------------- telling
async def _one(request: Asking, job: ListedJob) -> JobShown:
    [told] = await _told(request, [job])
    return told


async def _told(request: Asking, jobs: Sequence[ListedJob]) -> list[JobShown]:
    is_due = any(job.next_due is not None for job in jobs)
    now = await schedules.now(request.db) if is_due else datetime.min.replace(tzinfo=UTC)
    return await with_related(request, jobs, [shown(job, account=request.account, now=now) for job in jobs])

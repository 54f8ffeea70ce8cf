"""Who has the triggers of which tasks (our own management API). They are kept and told; nothing fires them."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.triggers import mappings
from controlroom.engine.triggers.mappings import ForRoles, ForUsers, TriggerMapping
from controlroom.errors import Invalid
from controlroom.ids import RoleId, TaskId, TriggerMappingId, UserId


class AttachTriggers(OwnBody, frozen=True, kw_only=True):
    """Whom to give the triggers of a task, of the version that has the label: either users, or holders of roles."""

    task: Reference
    label: str | None = None
    users: tuple[UserId, ...] = ()
    roles: tuple[RoleId, ...] = ()


class TriggerMappingAnswer(Shape, frozen=True, kw_only=True):
    """That a user, or whoever holds a role, has the triggers of a task."""

    id: TriggerMappingId
    task: Named
    package_name: str
    label: str | None
    user: Identified | None
    role: Identified | None
    updated_at: datetime


class TriggerMappingAnswers(Shape, frozen=True):
    """One for each user or role."""

    data: list[TriggerMappingAnswer]


@get("/trigger-mappings", needs=Permission.READ_SCHEDULES)
async def list_trigger_mappings(request: Asking, paging: Pages) -> Page[TriggerMappingAnswer]:
    """List who has the triggers of which tasks, oldest first."""
    return paging.page(await mappings.list_mappings(*request.reading, **paging.after(TriggerMappingId)), _show)


@post("/trigger-mappings")
async def attach_triggers(request: Asking, data: Body[AttachTriggers]) -> TriggerMappingAnswers:
    """Give users, or holders of roles, the triggers of a task."""
    if data.users and data.roles:
        raise Invalid("triggers are given either to users or to roles", code="INVALID_BODY")
    whom = ForRoles(data.roles) if data.roles else ForUsers(data.users)
    made = await mappings.attach(*request.acting, TaskId(data.task.id), whom, label=data.label)
    return TriggerMappingAnswers([_show(one) for one in made])


@delete("/trigger-mappings/{mapping_id:uuid}")
async def detach_triggers(request: Asking, mapping_id: Path[TriggerMappingId]) -> Deleted:
    """Take the triggers of a task from whom one mapping gave them."""
    return await Deleted.after(mapping_id, mappings.detach(*request.acting, mapping_id))


_show = shown_as(
    TriggerMappingAnswer,
    TriggerMapping,
    task=lambda row: Named(row.task_id, row.task_name),
    user=lambda row: None if row.user_id is None else Identified(row.user_id),
    role=lambda row: None if row.role_id is None else Identified(row.role_id),
)

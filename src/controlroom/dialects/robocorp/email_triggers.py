"""E-mail triggers of processes (our management API; §9.3): an address, and what becomes of mail that comes there."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_with
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.triggers import emails, model
from controlroom.ids import ProcessId

_TRIGGER = "/processes/{process_id:uuid}/email-trigger"


class EmailTriggerAnswer(Shape, frozen=True, kw_only=True):
    """The mail address of a process."""

    process_id: ProcessId
    address: str
    enabled: bool
    parse_email: bool
    start_process: bool
    created_at: datetime


class ChangeEmailTrigger(OwnBody, frozen=True, kw_only=True):
    """What to change; whatever is left out stays, or is on for a new address."""

    enabled: bool | UnsetType = UNSET
    parse_email: bool | UnsetType = UNSET
    start_process: bool | UnsetType = UNSET


@get("/email-triggers", needs=Permission.START_RUNS)
async def list_email_triggers(request: Asking, paging: Pages) -> Page[EmailTriggerAnswer]:
    """List the mail addresses of processes, in the order in which the processes were made."""
    rows = await emails.list_triggers(*request.reading, request.actor, **paging.after(ProcessId))
    return paging.page(rows, lambda trigger: _show(request, trigger), lambda trigger: trigger.process_id)


@get(_TRIGGER, needs=Permission.START_RUNS)
async def get_email_trigger(request: Asking, process_id: Path[ProcessId]) -> EmailTriggerAnswer:
    """Get the mail address of a process; 404 while it has none."""
    return _show(request, await emails.get(*request.reading, request.actor, process_id))


@update(_TRIGGER)
async def set_email_trigger(
    request: Asking, process_id: Path[ProcessId], data: Body[ChangeEmailTrigger | None] = None
) -> EmailTriggerAnswer:
    """Give a process a mail address, or change what becomes of its mail."""
    asked = data or ChangeEmailTrigger()
    change = model.EmailChange(is_enabled=asked.enabled, parses=asked.parse_email, starts=asked.start_process)
    return _show(request, await emails.configure(*request.acting, process_id, change))


@post(f"{_TRIGGER}/rotate")
async def rotate_email_trigger(request: Asking, process_id: Path[ProcessId]) -> EmailTriggerAnswer:
    """Give a process another mail address; the old one takes no mail any more."""
    return _show(request, await emails.rotate(*request.acting, process_id))


@delete(_TRIGGER)
async def delete_email_trigger(request: Asking, process_id: Path[ProcessId]) -> Deleted:
    """Take the mail address from a process."""
    return await Deleted.after(process_id, emails.delete(*request.acting, process_id))


def _show(request: Asking, trigger: model.EmailTrigger) -> EmailTriggerAnswer:
    domain: str = request.app.state.mail_domain
    return _shown(trigger, address=f"{trigger.local_part}@{domain}")


_shown = shown_with(("address",), EmailTriggerAnswer, model.EmailTrigger, parse_email="parses", start_process="starts")

"""Notifications (§3.9): a mail to a user, or to an address, about runs of jobs by how they ended.

Chats are told by webhooks: a channel of a connected Slack is not had here.
"""

from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong, NotSupported
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import Columns, Numbered, listed
from controlroom.dialects.dbt_cloud.routing import BOTH, delete, get, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.places import place_of
from controlroom.engine.access.scope import Of
from controlroom.engine.access.users.people import email_of
from controlroom.engine.notifications import notices
from controlroom.engine.notifications.notices import NOTICES, Notice, WantedNotice
from controlroom.engine.nouns import Ways
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import Reference, find_all
from controlroom.ids import ProcessId, UserId

_ALL: Final = "/accounts/{account}/notifications"
_ONE: Final = f"{_ALL}/{{notification}}"
_COLUMNS: Final = Columns(NOTICES, {"id": "number", "user_id": Numbered("user_id", USER), "created_at": "created_at"})
_USER, _EXTERNAL = 1, 4
"""Types: to a user of the account, to any address (§2)."""


class NotificationShown(Shape, frozen=True, kw_only=True):
    """Who is told of which jobs."""

    id: int
    account_id: int
    user_id: int | None
    type: int
    external_email: str | None
    slack_channel_id: str | None = None
    slack_channel_name: str | None = None
    on_cancel: list[int]
    on_failure: list[int]
    on_success: list[int]
    on_warning: list[int]
    state: int = ACTIVE
    created_at: str
    updated_at: str


class NotificationAsked(Shape, frozen=True, kw_only=True):
    """Who shall be told; of an update what is left out stays."""

    type: int | UnsetType | None = UNSET
    user_id: int | UnsetType | None = UNSET
    external_email: Text | UnsetType | None = UNSET
    slack_channel_id: str | UnsetType | None = UNSET
    on_cancel: tuple[int, ...] | UnsetType | None = UNSET
    on_failure: tuple[int, ...] | UnsetType | None = UNSET
    on_success: tuple[int, ...] | UnsetType | None = UNSET
    on_warning: tuple[int, ...] | UnsetType | None = UNSET
    state: int = ACTIVE


@get(_ALL, versions=BOTH, rows=_COLUMNS, needs=Permission.READ_PROCESSES)
async def list_notifications(request: Asking) -> Listed[NotificationShown]:
    """The notifications of the account, or of the projects that the token sees."""
    place = place_of(request.actor, Permission.READ_PROCESSES)
    return await listed(request, Notice, lambda each: _show(request, each), within=place.within, only=place.only)


@post(_ALL, versions=BOTH, asks=(Permission.WRITE_PROCESSES, Permission.WRITE_WEBHOOKS))
async def create_notification(request: Asking, data: Body[NotificationAsked]) -> NotificationShown:
    """Tell somebody of runs that end from now on."""
    notices.writing(request.actor)
    made = await notices.create(request.engine, request.actor, await _wanted(request, data, None))
    return _show(request, made)


@get(_ONE, versions=BOTH, asks=Permission.READ_PROCESSES)
async def get_notification(request: Asking, notification: Id) -> NotificationShown:
    """A notification."""
    return _show(request, await _get(request, notification))


@post(_ONE, versions=BOTH, asks=(Permission.WRITE_PROCESSES, Permission.WRITE_WEBHOOKS))
async def update_notification(request: Asking, notification: Id, data: Body[NotificationAsked]) -> NotificationShown:
    """Change a notification; with `state: 2`, delete it."""
    before = await _writable(request, notification)
    if data.state == DELETED:
        return await _delete(request, before)
    wanted = await _wanted(request, data, before)
    return _show(request, await notices.change(request.engine, request.actor, before.id, wanted))


@delete(_ONE, versions=BOTH, asks=(Permission.WRITE_PROCESSES, Permission.WRITE_WEBHOOKS))
async def delete_notification(request: Asking, notification: Id) -> NotificationShown:
    """Tell no more."""
    return await _delete(request, await _writable(request, notification))


async def _delete(request: Asking, notice: Notice) -> NotificationShown:
    gone = await notices.delete(request.engine, request.actor, notice.id)
    return replace(_show(request, gone), state=DELETED)


async def _get(request: Asking, number: str) -> Notice:
    return await notices.numbered(request.db, place_of(request.actor, Permission.READ_PROCESSES), number)


async def _writable(request: Asking, number: str) -> Notice:
    return await notices.numbered(request.db, notices.writing(request.actor), number)


async def _wanted(request: Asking, data: NotificationAsked, before: Notice | None) -> WantedNotice:
    """As it shall be: what is asked, else as it was. Raises FieldsWrong, NotSupported."""
    user, recipient = await _whom(request, data, before)
    on_success, on_failure, on_stop, on_warning = [
        await _jobs(request, name, asked if isinstance(asked, tuple) else tuple(known))
        for name, asked, known in (
            ("on_success", data.on_success, before.on_success if before else ()),
            ("on_failure", data.on_failure, before.on_failure if before else ()),
            ("on_cancel", data.on_cancel, before.on_stop if before else ()),
            ("on_warning", data.on_warning, before.on_warning if before else ()),
        )
    ]
    return WantedNotice(
        user=user,
        recipient=recipient,
        on_success=on_success,
        on_failure=on_failure,
        on_stop=on_stop,
        on_warning=on_warning,
    )


async def _whom(request: Asking, data: NotificationAsked, before: Notice | None) -> tuple[UserId | None, str]:
    """The user and their address, or an address."""
    kind = data.type if isinstance(data.type, int) else (_type(before) if before else _USER)
    if kind not in {_USER, _EXTERNAL}:
        raise NotSupported("notifications go by mail here, of type 1 or 4: a chat is told by a webhook")
    if kind == _EXTERNAL:
        address = data.external_email if isinstance(data.external_email, str) else (before.recipient if before else "")
        if "@" not in address:
            raise FieldsWrong({"external_email": "an address of mail"})
        return None, address.strip()
    number = data.user_id if isinstance(data.user_id, int) else (before.user_number if before else None)
    if number is None:
        raise FieldsWrong({"user_id": "the user who is to be told"})
    user = (await find(request, USER, number, Of(request.actor.organization_id, ()))).id
    address = await email_of(request.db, Of(request.actor.organization_id, ()), user)
    if not address:
        raise FieldsWrong({"user_id": "a user with an address of mail: this one has none"})
    return user, address


async def _jobs(request: Asking, field: str, numbers: tuple[int, ...]) -> tuple[ProcessId, ...]:
    seen = notices.writing(request.actor).scope
    asked = [Reference(PROCESS, str(each), Ways.NUMBER) for each in dict.fromkeys(numbers)]
    found = await find_all(request.db, seen, asked)
    for each, process in zip(asked, found, strict=True):
        if process is None:
            raise FieldsWrong({field: f"jobs: there is no {each.text}"})
    return tuple(each for each in found if each is not None)


def _type(notice: Notice) -> int:
    return _EXTERNAL if notice.user_number is None else _USER


def _show(request: Asking, notice: Notice) -> NotificationShown:
    at = with_t(notice.created_at)
    return NotificationShown(
        id=notice.number,
        account_id=request.account,
        user_id=notice.user_number,
        type=_type(notice),
        external_email=notice.recipient if notice.user_number is None else None,
        on_cancel=notice.on_stop,
        on_failure=notice.on_failure,
        on_success=notice.on_success,
        on_warning=notice.on_warning,
        created_at=at,
        updated_at=at,
    )

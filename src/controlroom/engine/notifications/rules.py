"""What a notification may be, and what it says. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.deliveries.endpoints import checked_endpoint
from controlroom.engine.notifications.errors import NotificationInvalid
from controlroom.engine.notifications.model import ByChat, ByEmail, NotificationEvent, Way
from controlroom.mail.writing import is_address, one_line

MOST_RECIPIENTS: Final = 50


class End(Struct, frozen=True, kw_only=True):
    """How a run ended, as far as a notification tells."""

    event: NotificationEvent
    process: str
    number: int
    run: str
    duration: timedelta | None
    items: int
    failed: int
    error_code: str | None


def checked_way(way: Way) -> Way:
    """The way, if it leads to somebody; raises NotificationInvalid, EndpointInvalid."""
    match way:
        case ByEmail(recipients):
            if not 1 <= len(recipients) <= MOST_RECIPIENTS:
                raise NotificationInvalid(f"a mail goes to 1 to {MOST_RECIPIENTS} addresses")
            for recipient in recipients:
                if not is_address(recipient):
                    raise NotificationInvalid(f"{recipient!r} is no address of mail")
        case ByChat(endpoint):
            checked_endpoint(endpoint)
    return way


def checked_events(events: Sequence[NotificationEvent]) -> tuple[NotificationEvent, ...]:
    """The events, each once; raises NotificationInvalid if there are none."""
    if not events:
        raise NotificationInvalid("a notification tells of one kind of end at least")
    return tuple(dict.fromkeys(events))


def subject_of(end: End) -> str:
    """What happened, in a line, whatever the process is called."""
    name = one_line(end.process)
    match end.event:
        case NotificationEvent.RUN_COMPLETED:
            return f"{name}: run {end.number} completed"
        case NotificationEvent.RUN_UNRESOLVED:
            return f"{name}: run {end.number} ended unresolved"


def text_of(end: End) -> str:
    """What happened, in a few lines; without anything of the items themselves, which may be confidential."""
    lines = [subject_of(end) + "."]
    if end.failed:
        lines.append(f"{end.failed:,} of {end.items:,} work items failed.")
    else:
        lines.append(f"{end.items:,} work items were done.")
    if end.error_code is not None:
        lines.append(f"The last robot that failed: {end.error_code}.")
    if end.duration is not None:
        lines.append(f"It took {_spelled(end.duration)}.")
    lines.append(f"Process run {end.run}")
    return "\n".join(lines)


def chat_text_of(end: End) -> str:
    """The same for a chat, where a name calls nobody (`<!channel>`) and is no link: Slack's three signs are escaped."""
    return text_of(end).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _spelled(duration: timedelta) -> str:
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

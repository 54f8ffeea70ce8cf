"""Shapes that several nouns share (§1.6); of bodies, too; and what is done alike in all of them.

Times are ISO 8601 in UTC, durations seconds.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final, Literal, Self, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from controlroom.border import answers
from controlroom.border.answers import Habit, Habits, Source
from controlroom.border.links import Fetching, form_url
from controlroom.engine.uploads.model import Upload

Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=Struct)


class Shape(Struct, frozen=True):
    """What is told; and what the vendor's own routes are asked, which pass over keys that they do not know."""

    def widened(self, into: type[Shown], **more: Any) -> Shown:
        """The same with more fields."""
        return into(**asdict(self), **more)


class OwnBody(Shape, frozen=True, forbid_unknown_fields=True):
    """What our own routes are asked: a key that they do not know is refused."""


class OlderShape(Shape, frozen=True, rename="camel"):
    """What the older APIs tell and are asked."""


class Identified(Shape, frozen=True):
    """A noun by its id."""

    id: UUID


class Reference(OwnBody, frozen=True):
    """A noun that a body names by its id, and by nothing else."""

    id: UUID


class Named(Shape, frozen=True):
    """A noun by its id and name."""

    id: UUID
    name: str


class Deleted(Shape, frozen=True):
    """What every delete answers (§1.5)."""

    id: UUID
    deleted: Literal[True] = True

    @classmethod
    async def after(cls, id_: UUID, deletion: Awaitable[object]) -> Self:
        """The answer, once it is done."""
        await deletion
        return cls(id_)


class Accepted(Shape, frozen=True):
    """Whether a request will be followed."""

    accepted: bool


class Download(Shape, frozen=True):
    """A link by which a file is fetched, without a credential."""

    url: str


class UploadForm(Shape, frozen=True):
    """Where to post a file as a form: first these fields, then the content as the part `file`."""

    url: str
    form_data: dict[str, str]

    @classmethod
    def of(cls, request: Fetching, upload: Upload) -> Self:
        """Of a promised upload (§3.4). Its link says all: clients that were written for S3 expect a field."""
        return cls(form_url(request, upload), {"key": upload.name or str(upload.id)})


class Form(Shape, frozen=True):
    """Where to post a file, as the older APIs write it: first the fields, then the content as the part `file`."""

    url: str
    fields: dict[str, str]

    @classmethod
    def of(cls, request: Fetching, upload: Upload) -> Self:
        """Likewise, of a promised upload."""
        form = UploadForm.of(request, upload)
        return cls(form.url, form.form_data)


class FileRequest(OlderShape, frozen=True):
    """A file that shall be added, as the older APIs write it."""

    file_name: str
    file_size: int


_LONGEST_SECONDS: Final = 1e9  # far beyond what the engine takes, and what a timedelta holds


def duration_of(count: float | None) -> timedelta | None:
    """Seconds that a body gives, as a duration; the engine says which are too few or too many."""
    return None if count is None else timedelta(seconds=min(max(count, 0.0), _LONGEST_SECONDS))


def _itself(id_: UUID) -> UUID:
    return id_


_HABITS: Final = Habits(
    words=(
        ("process_run", "run"),
        ("next_process_run", "next_run"),
        ("process_run_id", "run_id"),
        ("activity_id", "step_id"),
        ("activity_name", "step_name"),
        ("activity_run_id", "step_run_id"),
        ("created_ts", "created_at"),
        ("create_ts", "created_at"),
        ("start_ts", "started_at"),
        ("end_ts", "ended_at"),
        ("state_ts", "state_at"),
        ("event_type", "kind"),
        ("timestamp", "at"),
        ("decided_at", "at"),
        ("state_updated_at", "state_at"),
        ("last_used_at", "used_at"),
        ("package_version_id", "version"),
        ("package_label", "label"),
        ("input", "inputs"),
        ("time_zone", "zone"),
        ("enabled", "is_enabled"),
        ("paused", "is_paused"),
        ("declared", "is_declared"),
        ("standing", "is_standing"),
        *((f"{name}_seconds", name) for name in ("grace", "skip_after", "cancel_after", "timeout", "max_lifetime")),
    ),
    kinds=(
        Habit(Identified, UUID, ("{}_id",), Identified),
        Habit(Named, UUID, ("{}_id", "{}_name"), Named),
        Habit(UUID, UUID, ("{}_id",), _itself),
        Habit(UUID, Reference, ("{}",), attrgetter("id")),
        Habit(float, timedelta, ("{}",), timedelta.total_seconds),
        Habit(timedelta, float, ("{}",), duration_of),
    ),
)


def shown_as(shown: type[Shown], row: type[Row], /, **made: Source[Row]) -> Callable[[Row], Shown]:
    """The function that writes a row as an answer, or reads a body as what the engine takes, with these habits."""
    return answers.shown_as(shown, row, _HABITS, **made)


def shown_with(
    beside: Sequence[str], shown: type[Shown], row: type[Row], /, **made: Source[Row]
) -> Callable[..., Shown]:
    """Likewise, with fields that are handed in beside the row: `_show(trigger, address=…)`."""
    return answers.shown_with(beside, shown, row, _HABITS, **made)

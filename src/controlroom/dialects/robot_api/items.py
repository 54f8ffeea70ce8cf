"""Work items in as few calls as can be: reserve brings all of an item, a release takes all that belongs to it."""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.border.bodies import payload_of
from controlroom.border.verbs import Answer, Call, Verb, content_of
from controlroom.engine.runs import held_items, robot_items
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.robot_items import Brought, NewOutput
from controlroom.engine.work_items.claims import ReservedWhole
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemFile
from controlroom.ids import WorkItemId

_ITEMS = "/robot/v1/items"
_ITEM = f"{_ITEMS}/{{item_id:uuid}}"
_FILE = f"{_ITEM}/files/{{name:name}}"
_DONE: Final = b"{}"

Payload: TypeAlias = Raw | UnsetType


class FileAnswer(Struct, frozen=True):
    """A file of an item, to be asked for by its name."""

    name: str
    size: int


class ItemAnswer(Struct, frozen=True):
    """An item, whole; one that never had a payload has none here."""

    id: WorkItemId
    files: list[FileAnswer]
    payload: Payload = UNSET


class Reserved(Struct, frozen=True):
    """The next item; null when there is none."""

    item: ItemAnswer | None


class ExceptionRequest(Struct, frozen=True):
    """Why the robot could not work the item to its end."""

    type: Literal["business", "application", "unspecified"] = "unspecified"
    code: str | None = None
    message: str | None = None


class ReleaseRequest(Struct, frozen=True):
    """How it went, and what belongs to it."""

    outcome: Literal["done", "failed"]
    exception: ExceptionRequest | None = None
    payload: Payload = UNSET
    outputs: tuple[NewOutput, ...] = ()
    reserve: bool = False
    """Whether the robot asks for the next item, too."""

    def meant(self) -> Done | Failed:
        """What the engine is told."""
        if self.outcome == "done":
            return Done()
        given = self.exception or ExceptionRequest()
        return Failed(ItemException(ExceptionType(given.type), given.code or "", given.message or ""))


class Released(Struct, frozen=True):
    """The outputs that came with a release, in their order, and the next item, if it was asked for and can be told."""

    outputs: list[WorkItemId]
    item: ItemAnswer | UnsetType | None = UNSET


class Made(Struct, frozen=True):
    """The output that was made, now or when its key was given first."""

    id: WorkItemId


_encode = msgspec.json.Encoder().encode


def _reserved(found: ReservedWhole | None) -> ItemAnswer | None:
    return None if found is None else _shown(found.id, found.payload, found.files)


def _shown(item: WorkItemId, payload: Raw | None, files: list[ItemFile]) -> ItemAnswer:
    shown = [FileAnswer(file.name, file.size) for file in files]
    return ItemAnswer(item, shown, UNSET if payload is None else payload)


async def _reserve(call: Call) -> bytes:
    """The next item for the step run, or the one that it holds."""
    found = await robot_items.reserve(*call.working)
    return _encode(Reserved(_reserved(found)))


async def _get(call: Call) -> bytes:
    """An item that the step run has held or made."""
    found = await held_items.whole(*call.working, call.named["item_id"])
    return _encode(_shown(call.named["item_id"], found.payload, found.files))


async def _release(call: Call) -> bytes:
    """Give an item back, with what belongs to it; and take the next one, if that is asked for."""
    asked = await call.json(ReleaseRequest)
    releasing = (*call.working, call.named["item_id"], asked.meant(), Brought(asked.payload, asked.outputs))
    if not asked.reserve:
        return _encode(Released(await robot_items.release(*releasing)))
    passed = await robot_items.release_and_reserve(*releasing)
    return _encode(Released(passed.outputs, UNSET if passed.item is UNSET else _reserved(passed.item)))


async def _set_payload(call: Call) -> bytes:
    """Replace the payload by the body; an empty body is null."""
    await held_items.set_payload(*call.working, call.named["item_id"], payload_of(await call.body()))
    return _DONE


async def _create_output(call: Call) -> bytes:
    """Make an output of the item in hand, once by its key."""
    return _encode(Made(await robot_items.output(*call.working, call.named["item_id"], await call.json(NewOutput))))


async def _get_file(call: Call) -> Answer:
    """The content of a file."""
    file, content = await robot_items.open_file(*call.working, call.named["item_id"], call.named["name"])
    return await content_of(content, size=file.size, kind="application/octet-stream")


async def _put_file(call: Call) -> bytes:
    """Add a file, or put another in its place; the body is its content."""
    await robot_items.put_file(*call.working, call.named["item_id"], call.named["name"], call.pieces())
    return _DONE


async def _delete_file(call: Call) -> bytes:
    """Remove a file."""
    await robot_items.delete_file(*call.working, call.named["item_id"], call.named["name"])
    return _DONE


VERBS: Final = (
    Verb("POST", f"{_ITEMS}/reserve", _reserve),
    Verb("GET", _ITEM, _get),
    Verb("POST", f"{_ITEM}/release", _release),
    Verb("PUT", f"{_ITEM}/payload", _set_payload),
    Verb("POST", f"{_ITEM}/outputs", _create_output),
    Verb("GET", _FILE, _get_file),
    Verb("PUT", _FILE, _put_file),
    Verb("DELETE", _FILE, _delete_file),
)

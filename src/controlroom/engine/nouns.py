"""What people and programs can name, and how a text names it: by an id, a number or a name.

Each slice declares its nouns beside its statements, so that what is looked up stays its own:

    PROCESS: Final = Noun[ProcessId](
        "process", table="process", within=InWorkspace("process.workspace_id"), name="process.name",
        there="process.deleted_at is null", missing=ProcessNotFound,
    )

`references` finds whatever is declared so, of all slices in one way.
"""

import re
from collections.abc import Callable
from enum import Flag, auto
from typing import Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from controlroom.errors import Invalid, NotFound
from controlroom.ids import as_uuid

T = TypeVar("T")

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LARGEST: Final = 2**63 - 1


class Missing(NotFound):
    """There is no such thing, for nouns whose slice has no error of its own."""

    def __init__(self, word: str, text: str) -> None:
        super().__init__(f"there is no {word} {text}", code=f"{_coded(word)}_NOT_FOUND", reference=text)


class NameAmbiguous(Invalid):
    """Several have the name; only an id or a number says which is meant."""

    def __init__(self, word: str, name: str, ids: list[UUID]) -> None:
        super().__init__(
            f"several are the {word} {name}: {', '.join(map(str, ids))}",
            code=f"{_coded(word)}_NAME_AMBIGUOUS",
            reference=name,
            ids=[str(each) for each in ids],
        )


class InWorkspace(Struct, frozen=True):
    """Rows of a workspace: in which column it stands."""

    column: str


class InOrganization(Struct, frozen=True):
    """Rows of an organization, whatever the workspace: in which column it stands."""

    column: str


class InService(Struct, frozen=True):
    """Rows of an organization that serve workspaces of it: those that rows of `serving` name, or all."""

    column: str
    """In which the organization stands."""
    serves_all: str
    """In which it stands whether all are served."""

    def by(self, row: str, workspace: str) -> str:
        """The condition that the row with an id serves a workspace; both are SQL."""
        return f"""({self.serves_all} or exists (select from serving where serving.subject_id = {row}
                                                 and serving.workspace_id = {workspace}))"""


class Noun(Struct, Generic[T], frozen=True):
    """A kind of thing that has an id (of the type T) and a number. The SQL is written, never made of what is asked."""

    word: str
    """What the engine calls it."""
    missing: Callable[[str], NotFound]
    """The failure to find what a text names."""
    table: str
    """Has the columns `id` and `number`."""
    within: InWorkspace | InOrganization | InService
    """How a row is known to be a tenant's."""
    joined: str = ""
    """What else stands in `from`, where the tenant is known by another row."""
    there: str = "true"
    """The condition of rows that are not deleted."""
    name: str | None = None
    """What it is called, as SQL; None: nobody calls it by a name. Need not be unique."""
    named: str = "true"
    """A further condition of rows that may be called by their names."""
    folds: bool = False
    """Whether upper and lower case are the same in its names."""


def ever(noun: Noun[T]) -> Noun[T]:
    """A noun with those that are deleted: what has happened goes on to name them."""
    return replace(noun, there="true")


class Ways(Flag):
    """How a text may name something. A grammar offers what its clients know: what is no id to them is a name."""

    ID = auto()
    NUMBER = auto()
    NAME = auto()
    ANY = ID | NUMBER | NAME
    ID_OR_NAME = ID | NAME


class Reading(Struct, frozen=True):
    """What a text can mean, in the order in which it is believed."""

    id: UUID | None
    number: int | None
    name: str | None


def reading(text: str, ways: Ways = Ways.ANY) -> Reading:
    """What a text can mean.

    An id comes first, then a number, then a name: what nobody can choose before what anybody can, so that nobody takes
    over what others mean by calling a thing of theirs like it. Numbers are written plainly, without a sign, a leading
    zero or another script's digits; anything else is a name. A text that cannot be stored is nobody's name, nor is the
    empty one.
    """
    is_number = Ways.NUMBER in ways and _NUMBER.fullmatch(text) and int(text) <= _LARGEST
    return Reading(
        id=as_uuid(text) if Ways.ID in ways else None,
        number=int(text) if is_number else None,
        name=text if Ways.NAME in ways and _is_storable(text) else None,
    )


def _is_storable(text: str) -> bool:
    return text != "" and "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _coded(word: str) -> str:
    return word.upper().replace(" ", "_")

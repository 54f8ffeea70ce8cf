"""Rows become answers by the names of their fields."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from types import FrameType
from typing import Any, Literal, NewType
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType

from controlroom.border.answers import Habit, Habits, shown_as, shown_with, worded

ShelfId = NewType("ShelfId", UUID)


class State(StrEnum):
    """Of a shelf."""

    OPEN = "open"
    SHUT = "shut"


class Shelf(Struct, frozen=True, kw_only=True):
    """A row."""

    id: ShelfId
    number: int
    label: str
    state: State
    price: float | None
    width: timedelta
    notes: dict[str, Any]

    @property
    def depth(self) -> int:
        """A property is an attribute, too."""
        return 2 * self.number


class ShelfAnswer(Struct, frozen=True, kw_only=True):
    """An answer."""

    id: UUID
    name: str
    state: State
    price: float | None
    width: float
    depth: int
    notes: dict[str, Any]
    kind: Literal["shelf"] = "shelf"


SHELF = Shelf(
    id=ShelfId(uuid4()), number=3, label="b", state=State.OPEN, price=None, width=timedelta(seconds=2), notes={"a": 1}
)


def _width(shelf: Shelf) -> float:
    return shelf.width.total_seconds()


show = shown_as(ShelfAnswer, Shelf, name="label", width=_width)


def _by_hand(shelf: Shelf) -> ShelfAnswer:
    return ShelfAnswer(
        id=shelf.id,
        name=shelf.label,
        state=shelf.state,
        price=shelf.price,
        width=_width(shelf),
        depth=shelf.depth,
        notes=shelf.notes,
    )


def test_an_answer_has_the_rows_attributes_of_the_same_names():
    """Other names and what is made of the row are said; a default that the row does not have stays."""
    assert show(SHELF) == _by_hand(SHELF)


def test_a_row_that_lacks_a_field_is_told_at_once():
    """Where the module is imported, and not where the first row is shown."""
    with pytest.raises(TypeError, match="Shelf has no attribute name"):
        shown_as(ShelfAnswer, Shelf, width=lambda shelf: shelf.width.total_seconds())


def test_an_attribute_that_may_be_what_the_answer_may_not_is_told_at_once():
    """As a type checker would, of a field that is written by hand."""

    class Priced(Struct):
        price: float

    with pytest.raises(TypeError, match="price"):
        shown_as(Priced, Shelf)


def test_a_field_that_the_answer_does_not_have_is_told_at_once():
    """What is made of a row is asked for."""
    with pytest.raises(TypeError, match="has no field size"):
        shown_as(ShelfAnswer, Shelf, name="label", width=lambda _: 1.0, size="number")


def calls(function: Callable[[Shelf], object]) -> Counter[str]:
    """What a function calls for one row, functions in C among it."""
    called: Counter[str] = Counter()

    def count(frame: FrameType, event: str, what: object) -> None:
        if event == "call":
            called["of Python"] += 1
        elif event == "c_call":
            called[getattr(what, "__name__", "")] += 1

    sys.setprofile(count)
    try:
        function(SHELF)
    finally:
        sys.setprofile(None)
    del called["setprofile"]
    return called


def test_an_answer_is_made_as_by_hand():
    """The function is compiled: for a row it calls no more than what is written out does, and looks nothing up."""
    assert calls(show) == calls(_by_hand)


class Book(Struct, frozen=True, kw_only=True):
    """A row in rows."""

    title: str
    is_lent: bool | UnsetType = UNSET
    shelf_id: ShelfId
    shelf_label: str
    borrower_id: UUID | None
    read_for: timedelta | None
    sequel: "Book | None" = None


class Ref(Struct, frozen=True):
    """A noun by its id, and perhaps its label."""

    id: UUID
    label: str = ""


class BookAnswer(Struct, frozen=True, kw_only=True):
    """An answer in answers."""

    title: str
    lent: bool | UnsetType = UNSET
    shelf: Ref
    borrower: Ref | None
    read_for: float | None
    sequel: "SequelAnswer | None" = None


class SequelAnswer(Struct, frozen=True):
    """A book in a book."""

    title: str


HABITS = Habits(
    words=[("lent", "is_lent")],
    kinds=[
        Habit(Ref, UUID, ("{}_id", "{}_label"), Ref),
        Habit(Ref, UUID, ("{}_id",), Ref),
        Habit(float, timedelta, ("{}",), timedelta.total_seconds),
    ],
)


def test_the_habits_of_a_grammar_make_what_nothing_is_said_of():
    """Another word, another kind, a row in the row; what is null or left out stays so."""
    show_book, (shelf, reader) = shown_as(BookAnswer, Book, HABITS), (ShelfId(uuid4()), uuid4())
    sequel = Book(title="II", shelf_id=shelf, shelf_label="b", borrower_id=None, read_for=None)
    first = Book(
        title="I",
        is_lent=True,
        shelf_id=shelf,
        shelf_label="b",
        borrower_id=reader,
        read_for=timedelta(minutes=1),
        sequel=sequel,
    )

    assert show_book(sequel) == BookAnswer(title="II", shelf=Ref(shelf, "b"), borrower=None, read_for=None)
    assert show_book(first) == BookAnswer(
        title="I", lent=True, shelf=Ref(shelf, "b"), borrower=Ref(reader), read_for=60.0, sequel=SequelAnswer("II")
    )


def test_a_habit_makes_nothing_of_what_may_be_more_than_the_field():
    """A field that is always there is not made of an attribute that may be null, nor left at its default."""

    class Borrowed(Struct, frozen=True):
        borrower: Ref = Ref(uuid4())
        read_for: float = 0.0

    with pytest.raises(TypeError, match=r"Book\.read_for"):
        shown_as(Borrowed, Book, HABITS)
    with pytest.raises(TypeError, match=r"Book\.read_for may be None"):
        shown_as(Borrowed, Book, HABITS, read_for=("read_for", timedelta.total_seconds))


def test_what_no_row_has_is_handed_in_beside_it():
    """By the names of the fields."""
    show_shelf = shown_with(
        ("price", "notes"), ShelfAnswer, Shelf, name="label", width=("width", timedelta.total_seconds)
    )

    assert show_shelf(SHELF, price=2.0, notes={}) == msgspec.structs.replace(_by_hand(SHELF), price=2.0, notes={})


class Circle(Struct, frozen=True, tag="circle"):
    """A form of a table."""

    radius: int


class Square(Struct, frozen=True, tag="square"):
    """Another."""

    side: int


class CircleAnswer(Struct, frozen=True, tag="circle"):
    """Likewise, as it is told."""

    radius: int


class SquareAnswer(Struct, frozen=True, tag="square"):
    """Likewise."""

    side: int


def test_of_several_kinds_of_rows_each_becomes_the_answer_with_its_tag():
    """A union of answers is made of a union of rows, if there is one for each of them; and a list of a list."""

    class Table(Struct, frozen=True):
        form: Circle | Square | None
        feet: tuple[Square, ...] = ()

    class TableAnswer(Struct, frozen=True):
        form: CircleAnswer | SquareAnswer | None
        feet: list[SquareAnswer]

    class Stool(Struct, frozen=True):
        form: CircleAnswer | None

    show_table = shown_as(TableAnswer, Table)

    told = [show_table(Table(form)).form for form in (Circle(1), Square(2), None)]
    assert told == [CircleAnswer(1), SquareAnswer(2), None]
    assert show_table(Table(None, (Square(1), Square(2)))).feet == [SquareAnswer(1), SquareAnswer(2)]
    with pytest.raises(TypeError, match="form"):
        shown_as(Stool, Table)


def test_every_member_has_its_word():
    """One that has none, and a word for what there is not, is told where the module is imported."""
    assert worded(State, AUF="open", ZU="shut") == {State.OPEN: "AUF", State.SHUT: "ZU"}
    assert worded(State, DA="open shut") == dict.fromkeys(State, "DA")
    with pytest.raises(TypeError, match="State has no word for shut"):
        worded(State, AUF="open")
    with pytest.raises(ValueError, match="ajar"):
        worded(State, AUF="open ajar", ZU="shut")

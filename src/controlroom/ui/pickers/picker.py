"""One of many in a form, however many there are.

    task = await TASKS.offered(request, fields.text("task"))    # a form draws it: {{ ui.pick("Task", "task", task) }}
    fields = await resolved(request, fields, {"task": TASKS})   # what was sent, with ids in place of names

Of few, `<select>` has all, with ids as values. Of more than `FEW` a name is typed: the server suggests those that have
what is typed (`/suggested/…`), without script the first ones are suggested, and what is sent is looked up: by an id, a
number (`#1234`, whatever follows it) or the whole name. What names nothing, or several, is refused, and says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Contains,
    Filter,
    Listing,
    OneOf,
    Operator,
    Sort,
    Within,
)
from controlroom.engine.lists.searching import search
from controlroom.errors import Invalid
from controlroom.ids import as_uuid
from controlroom.ui.asking import Asking, Fields

FEW: Final = 200
"""So many a choice holds."""
SUGGESTED: Final = 20
"""So many are suggested at once: more than anybody reads."""
_SECONDS: Final = 0.2
"""For how long rows are looked through for suggestions, newest first: who types waits no longer."""
_TOLD: Final = 5
"""Of several with one name so many are told."""
_NUMBER: Final = re.compile(r"#([1-9][0-9]{0,17})(?:[^0-9].*)?", re.ASCII | re.DOTALL)
_PLAIN: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_BY_ID: Final = (Sort("id"),)


class PickRefused(Invalid):
    """What was typed names nothing, or several."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message, code="CHOICE_WRONG")
        self.field = field


class _Placed(Struct, frozen=True):
    """A row of one of several sources that are read at once."""

    place: int
    id: UUID
    number: int
    name: str


class Named(Struct, frozen=True):
    """One that may be chosen, as it is found."""

    id: UUID
    number: int
    name: str


class Source(Struct, frozen=True, kw_only=True, dict=True):
    """Rows of one noun, and who may know of them."""

    listing: Listing
    seen: Callable[[Asking], Within | None]
    """Which rows the actor may know of, where the page is; None for nothing."""
    field: str = "name"
    """The text field by which people know a row, and by which it is found."""
    always: Filter = EVERYTHING
    kind: str = ""
    """Where a form takes several kinds: what stands before the id in its value, `group:…`."""
    said: str = ""
    """What stands before the name, where it must be told apart: `group `."""

    @cached_property
    def lean(self) -> Listing:
        """The list with nothing of a row but what a choice shows."""
        named = self.listing.named
        shown = named[self.field]
        joins = [each for each in dict.fromkeys((named["id"].join, named["number"].join, shown.join)) if each]
        columns = f"{named['id'].column} as id, {named['number'].column} as number, {shown.column} as name"
        return replace(self.listing, columns=columns, joins="\n      ".join(joins))

    async def found(self, request: Asking, asked: Filter, length: int) -> list[Named]:
        """Rows that a filter finds, in the order of their making."""
        if (seen := self.seen(request)) is None:
            return []
        wanted = Asked(filter=AllOf((self.always, asked)), sort=_BY_ID, length=length)
        return await pages.rows(request.db, Named, self.lean, seen, wanted)

    async def having(self, request: Asking, text: str) -> list[Named]:
        """Rows whose name has the text, the newest of them, as far as rows can be looked through in time."""
        if (seen := self.seen(request)) is None:
            return []
        found = await search(
            request.db,
            Named,
            self.lean,
            seen,
            base=AllOf((self.always,)),  # never all rows of the table: whose they are may be said by `always`
            sought=Contains(self.field, text),
            length=SUGGESTED,
            seconds=_SECONDS,
        )
        return found.rows

    def value(self, row: Named) -> str:
        """What a form sends for it."""
        return f"{self.kind}:{row.id}" if self.kind else str(row.id)


class Offer(Struct, frozen=True):
    """What a form draws."""

    key: str
    """Below `/suggested/`."""
    options: list[tuple[str, str]]
    """All of them, (value, words); the first ones where one is typed."""
    is_typed: bool = False
    value: str = ""
    """What is chosen now: a value, or what stands in the field."""
    more: tuple[tuple[str, str], ...] = ()
    """Choices beside: (value, words)."""

    @property
    def said(self) -> str:
        """What is chosen, in words."""
        return self.value if self.is_typed else dict((*self.more, *self.options)).get(self.value, "")

    def __bool__(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self.options)


class Picker(Struct, frozen=True, kw_only=True):
    """Where one of many is chosen."""

    key: str
    """Its address: `/suggested/{key}`."""
    word: str
    """What one is called, for what is refused."""
    sources: tuple[Source, ...]
    is_unique: bool = True
    """Whether people tell them apart by the name alone; else suggestions begin with the number."""

    async def offered(
        self, request: Asking, chosen: str = "", more: Sequence[tuple[str, str]] = (), *, but: UUID | None = None
    ) -> Offer:
        """What a form draws, with what is chosen now: a value, a number or a name.

        `more` are further choices, `but` is one that is none.
        """
        [found] = await _first_of(request, [self])
        return await self._offer(request, found, chosen, tuple(more), but)

    async def offered_each(
        self, request: Asking, asked: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    ) -> list[Offer]:
        """Likewise, for each of several fields: what is chosen, and further choices."""
        [found] = await _first_of(request, [self])
        return [await self._offer(request, found, chosen, tuple(more)) for chosen, more in asked]

    def shown(self, request: Asking) -> list[tuple[Source, Within]]:
        """The sources of which the actor may know something."""
        return [(source, seen) for source in self.sources if (seen := source.seen(request)) is not None]

    async def _offer(
        self,
        request: Asking,
        found: Sequence[tuple[Source, Named]],
        chosen: str,
        beside: tuple[tuple[str, str], ...],
        but: UUID | None = None,
    ) -> Offer:
        is_many, found = len(found) > FEW, [pair for pair in found if pair[1].id != but]
        if is_many:
            first = [("", self._text(source, row)) for source, row in found[:SUGGESTED]]
            return Offer(self.key, first, is_typed=True, value=await self._typed(request, chosen, beside), more=beside)
        options = _told(_in_order(self.sources, found))
        value = chosen
        if chosen and chosen not in dict((*beside, *options)):
            held = await self._held(request, chosen)
            value = chosen if held is None else held[0].value(held[1])
            if value not in dict(options) and self._is_value(chosen):
                options.append((value, f"{held[0].said}{held[1].name}" if held else "One that you do not see"))
        return Offer(self.key, options, is_typed=False, value=value, more=beside)

    async def one(self, request: Asking, chosen: str) -> Named | None:
        """What a value, a number or a name names; None for nothing, and for what is not seen."""
        held = await self._held(request, chosen) if chosen else None
        return None if held is None else held[1]

    async def any(self, request: Asking) -> Named | None:
        """The first that there is, to begin with."""
        found = await self._all(request, EVERYTHING, 1)
        return found[0][1] if found else None

    async def only(self, request: Asking) -> Named | None:
        """The one that there is; None where there are several."""
        found = await self._all(request, EVERYTHING, 2)
        return found[0][1] if len(found) == 1 else None

    async def names(self, request: Asking, ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of several, by id; those that are not seen are left out."""
        return {row.id: row.name for row in await self.rows(request, ids)}

    async def rows(self, request: Asking, ids: Collection[UUID]) -> list[Named]:
        """Several, as far as they are seen."""
        found = await self._all(request, OneOf("id", tuple(ids)), len(ids)) if ids else []
        return [row for _, row in found]

    async def named(self, request: Asking, value: str | UUID | None) -> str:
        """The name of what a value names, as people know it; empty for nothing, and for what is not seen."""
        held = await self._held(request, str(value)) if value else None
        return "" if held is None else f"{held[0].said}{held[1].name}"

    async def suggested(self, request: Asking, text: str) -> list[tuple[str, str]]:
        """Those that have the text, as they are typed, each with its number."""
        if _NUMBER.fullmatch(text) or _PLAIN.fullmatch(text):
            number = int(text.removeprefix("#").split()[0])
            exact = await self._all(request, Compare("number", Operator.EQ, number), 1)
        else:
            exact = []
        found = [*exact]
        for source in self.sources:
            found += [(source, row) for row in await source.having(request, text)]
        ordered = sorted(found, key=lambda pair: (pair[1].name.casefold(), pair[1].number))[:SUGGESTED]
        return [(self._text(source, row), f"#{row.number}") for source, row in ordered]

    async def chosen(self, request: Asking, text: str, more: Sequence[tuple[str, str]] = ()) -> str:
        """The value of what was sent. Raises PickRefused for what names nothing, or several."""
        beside, text = {said: value for value, said in more}, text.strip()
        if not text or text in beside.values() or self._is_value(text):
            return text
        if text in beside:
            return beside[text]
        found = await self._meant(request, text)
        if not found:
            raise PickRefused(f"there is no {self.word} “{text[:100]}”")
        if len(found) > 1:
            told = ", ".join(f"#{row.number} {source.said}{row.name}" for source, row in found[:_TOLD])
            raise PickRefused(f"several are called “{text[:100]}”: {told}. Name one by its number")
        [(source, row)] = found
        return source.value(row)

    async def several(self, request: Asking, ticked: Sequence[str], typed: str) -> list[str]:
        """The values of what was ticked, and of what was typed, one a line; each once. Raises PickRefused."""
        lines = dict.fromkeys(line.strip() for line in typed.splitlines())  # each is looked up once
        named = [await self.chosen(request, line) for line in lines if line]
        return list(dict.fromkeys([*ticked, *named]))

    def _is_value(self, text: str) -> bool:
        kind, _, named = text.rpartition(":")
        return as_uuid(named) is not None and kind in {source.kind for source in self.sources}

    def _text(self, source: Source, row: Named) -> str:
        """What stands in a field for a row: what `chosen` finds it by."""
        is_plain = self.is_unique and not source.said and row.name.strip() == row.name
        if is_plain and row.name and not row.name.startswith("#") and not _PLAIN.fullmatch(row.name):
            return row.name
        return row.name if row.name.startswith(f"#{row.number}:") else f"#{row.number} {source.said}{row.name}".strip()

    async def _typed(self, request: Asking, chosen: str, more: Sequence[tuple[str, str]]) -> str:
        if not chosen or chosen in dict(more):
            return dict(more).get(chosen, "") if chosen else ""
        held = await self._held(request, chosen)
        return chosen if held is None else self._text(*held)

    async def _all(self, request: Asking, asked: Filter, most: int) -> list[tuple[Source, Named]]:
        found: list[tuple[Source, Named]] = []
        for source in self.sources:
            if len(found) < most:
                found += [(source, row) for row in await source.found(request, asked, most - len(found))]
        return found

    async def _held(self, request: Asking, chosen: str) -> tuple[Source, Named] | None:
        """What a value or a text names, if that is one."""
        if not self._is_value(chosen):
            found = await self._meant(request, chosen)
            return found[0] if len(found) == 1 else None
        kind, _, named = chosen.rpartition(":")
        for source in self.sources:
            if source.kind == kind:
                for row in await source.found(request, Compare("id", Operator.EQ, as_uuid(named)), 1):
                    return source, row
        return None

    async def _meant(self, request: Asking, text: str) -> list[tuple[Source, Named]]:
        """What a text can mean: what has the number goes before what is called so."""
        if numbered := _NUMBER.fullmatch(text):
            return await self._all(request, Compare("number", Operator.EQ, int(numbered[1])), 1)
        if _PLAIN.fullmatch(text):
            by_number = await self._all(request, Compare("number", Operator.EQ, int(text)), 1)
            if by_number:
                return by_number
        found: list[tuple[Source, Named]] = []
        for source in self.sources:
            names = {text, text.removeprefix(source.said)}
            called = AnyOf(tuple(Compare(source.field, Operator.EQ, name) for name in sorted(names) if name))
            found += [(source, row) for row in await source.found(request, called, _TOLD + 1)]
        return found


async def offers(request: Asking, pickers: Mapping[str, Picker]) -> dict[str, Offer]:
    """What several draw of which nothing is chosen yet, by a key of the caller's: one statement."""
    found = await _first_of(request, [*pickers.values()])
    told = {}
    for (key, picker), rows in zip(pickers.items(), found, strict=True):
        told[key] = await picker._offer(request, rows, "", ())  # noqa: SLF001 - a verb of all of them
    return told


async def _first_of(request: Asking, pickers: Sequence[Picker]) -> list[list[tuple[Source, Named]]]:
    """All rows of each, or more of it than are few."""
    sources = [(n, source, seen) for n, each in enumerate(pickers) for source, seen in each.shown(request)]
    parts = [
        pages.Part(source.lean, seen, Asked(filter=source.always, sort=_BY_ID, length=FEW + 1))
        for _, source, seen in sources
    ]
    found: list[list[tuple[Source, Named]]] = [[] for _ in pickers]
    for row in await pages.several(request.db, _Placed, parts):
        n, source, _ = sources[row.place]
        found[n].append((source, Named(row.id, row.number, row.name)))
    return found


async def resolved(request: Asking, fields: Fields, pickers: Mapping[str, Picker]) -> Fields:
    """The form with the values of what was chosen or typed. Raises PickRefused, which names the field."""
    values = {}
    for name, picker in pickers.items():
        if fields.has(name):
            try:
                values[name] = await picker.chosen(request, fields.text(name))
            except PickRefused as refused:
                raise PickRefused(refused.message, name) from refused
    return fields.with_texts(values)


def _told(found: Sequence[tuple[Source, Named]]) -> list[tuple[str, str]]:
    """As a choice has them: those of one name with their numbers."""
    times = Counter(f"{source.said}{row.name}" for source, row in found)
    return [
        (source.value(row), said if times[said] == 1 else f"{said} (#{row.number})")
        for source, row in found
        for said in [f"{source.said}{row.name}"]
    ]


def _in_order(sources: Sequence[Source], found: Sequence[tuple[Source, Named]]) -> list[tuple[Source, Named]]:
    places = {id(source): place for place, source in enumerate(sources)}
    return sorted(found, key=lambda pair: (places[id(pair[0])], pair[1].name.casefold(), pair[1].number))

"""The skeleton of every list: state tabs with counts, filters in the address, sort, columns, pages, CSV.

A noun declares its list once, beside its pages, over the `Listing` that the engine has of it:

    RUNS = ListPage(
        listing=runs.RUNS, row=Run, path="/runs", noun="runs",
        tabs=(Tab("all", "All"), Tab("unresolved", "Unresolved", equal(state="unresolved"), is_bad=True)),
        filters=(Choice("trigger", "Started by", "started_by", STARTERS), Since("since", "Since", "created_at")),
        columns=(Col("process", "Process", sort="process_name", always=True), …),
    )
    found = await RUNS.read(request)
    return await request.show("runs/list.html", title="Runs", at="runs", found=found)

The template extends `templates/list.html` and draws the rows. The address is the state of the list: tab, filters, sort,
columns and position. The server filters, counts and searches, never the page.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from controlroom.border.cursors import cursor_of, position_of
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.composer import COUNTED
from controlroom.engine.lists.model import EVERYTHING, After, AllOf, Asked, Filter, Sort, Total, Within
from controlroom.engine.lists.searching import Searched, search
from controlroom.ids import made_at
from controlroom.ui import words
from controlroom.ui.asking import Asking
from controlroom.ui.entrance import Moved
from controlroom.ui.filters import Reference, Tab
from controlroom.ui.lists.address import Address
from controlroom.ui.lists.found import First, Found
from controlroom.ui.lists.parts import Link, Looked
from controlroom.ui.lists.rules import Declared, turned
from controlroom.ui.lists.saved import saved_of
from controlroom.ui.lists.tables import AsTable, begun, table_of
from controlroom.ui.pickers.picker import Offer, offers

Row = TypeVar("Row")

LENGTH: Final = 50
"""Rows of a page."""
FIRST: Final = 20
"""Rows that stand on the page of something else."""
LOOK_SECONDS: Final = 0.06
"""For how long a page looks for what no index finds: what a page may take (DESIGN §12 of the console)."""
_HERE: Final = ("after", "before", "item")
COUNTED_OF_FILTERED: Final = 10_000
"""Rows up to which a list with filters is counted: then rows are looked at, and not an index alone."""
BATCH: Final = 1000
"""Rows of CSV that are read at once."""


class ListPage(Declared, Generic[Row], frozen=True, kw_only=True):
    """A list of a noun."""

    row: type[Row]

    async def read(
        self,
        request: Asking,
        *,
        options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        also: Filter = EVERYTHING,
        seen: Within | None = None,
    ) -> Found[Row]:
        """The page that the address asks for; two statements, and one for views. Raises Invalid for what it cannot ask.

        An address that says `as=csv` asks for all that match, and no page: Raises AsTable, which is its answer.

        `options` are the choices of filters by reference: (id, name). `also` holds for every row: of one run, say.
        `seen` is what is listed of rows that are no workspace's; None: those of the route's scope.
        """
        seen = within(request.seen) if seen is None else seen
        asked = {key: value for key, value in request.query_params.items() if value}
        await self._by_ids(request, asked)
        if wants_table(request):
            base = AllOf((self.always, also, self.tab_of(asked).filter))
            raise AsTable(table_of(self.noun, self.columns, await begun(self._batches(request, seen, asked, base))))
        address = Address(f"{request.base}{self.path}", asked)
        offered = await self._offers(request, asked)
        options = {
            **self.choices(),
            **{key: [(offer.value, offer.said)] for key, offer in offered.items() if asked.get(key)},
            **(options or {}),
        }
        tab = self.tab_of(asked)
        beside = AllOf((self.always, also, *self.conditions(asked)))
        sort, looked = self.order(asked.get("sort", self.sort)), None
        lonely = {key: only for key, only in self.lonely(asked).items() if only == tab.key}
        counts: Sequence[Total | None] = [None] * len(self.tabs)
        if self.is_slow(asked):
            sort = self.order("-id")
            rows, older, looked = await self._look(request, seen, asked, AllOf((self.always, also, tab.filter)))
            newer = ""
        else:
            rows, newer, older = await self._page(request, seen, AllOf((beside, tab.filter)), sort, asked)
            most = self.counted if beside == AllOf((self.always, also)) else min(self.counted, COUNTED_OF_FILTERED)
            counts = await self._counts(request, seen, beside, lonely, most)
        shown = self.shown(asked)
        is_ticked = asked.get("ticked") == "page" and request.part is None
        return Found(
            page=self,
            rows=rows,
            tabs=[
                Link(
                    each.name,
                    address.to(
                        tab=each.key if each is not self.tabs[0] else None,
                        **{key: None for key, only in lonely.items() if only != each.key},
                    ),
                    each is tab,
                    **_figures(each, counted),
                )
                for each, counted in zip(self.tabs, counts, strict=True)
            ],
            chips=self.chips(asked, address, options),
            heads=[self.head(col, sort[0], address) for col in shown],
            newer=address.to(before=newer) if newer else "",
            older=address.to(after=older) if older else "",
            first=address.to(),
            total=counts[self.tabs.index(tab)] or Total(len(rows), is_capped=True),
            sought=asked.get("q", ""),
            kept=[(key, value) for key, value in asked.items() if key in self.kept_keys()],
            csv=address.to(**{"as": "csv"}),
            is_filtered=bool(self.set_filters(asked) or asked.get("q")),
            without_filters=address.to(**dict.fromkeys(("q", *(each.key for each in self.filters)))),
            options=options,
            offers={key: offer for key, offer in offered.items() if offer},
            columns=self.column_links(shown, address),
            ticks=address.to(**{key: asked.get(key) for key in _HERE}, ticked=None if is_ticked else "page"),
            is_ticked=is_ticked,
            saved=await saved_of(request, self, asked) if request.part is None else None,
            looked=looked,
        )

    async def first(self, request: Asking, asked: Mapping[str, str], *, seen: Within | None = None) -> First[Row]:
        """The first rows of what an address asks, for a page of something else; `seen` as in `read`."""
        seen = within(request.seen) if seen is None else seen
        matching = AllOf((self.always, *self.conditions(asked), self.tab_of(asked).filter))
        rows = await self._rows(request, seen, matching, self.order(self.sort), None, FIRST)
        total = Total(len(rows), is_capped=False)
        if len(rows) == FIRST:
            total = await pages.count(request.db, self.listing, seen, matching)
        return First(rows, total, f"{request.base}{self.path}?{urlencode(asked)}")

    async def _by_ids(self, request: Asking, asked: Mapping[str, str]) -> None:
        """Lead to the address with ids, where a filter names something by its number or name. Raises Moved."""
        changed = {}
        for each in self.set_filters(asked):
            if isinstance(each, Reference) and each.picker is not None:
                chosen = await each.picker.chosen(request, asked[each.key])
                if chosen != asked[each.key]:
                    changed[each.key] = chosen
        if changed:
            raise Moved(f"{request.scope['path']}?{urlencode({**asked, **changed})}")

    async def _offers(self, request: Asking, asked: Mapping[str, str]) -> dict[str, Offer]:
        """What filters by another noun may be set to; of a part of the page alone, what they are set to."""
        free, told = {}, {}
        for each in self.filters:
            if isinstance(each, Reference) and each.picker is not None:
                if value := asked.get(each.key):
                    name = await each.picker.named(request, value)
                    told[each.key] = Offer(each.picker.key, [(value, name or each.said(value))], value=value)
                elif request.part is None:
                    free[each.key] = each.picker
        return told | await offers(request, free)

    async def _batches(
        self, request: Asking, seen: Within, asked: Mapping[str, str], base: Filter
    ) -> AsyncIterator[Sequence[Row]]:
        """All rows that match the address, without its place: a thousand at a time, however many there are."""
        if self.is_slow(asked):
            reached: UUID | None = None
            while True:
                found = await self._search(request, seen, asked, base, after=reached, length=BATCH)
                yield found.rows
                if (reached := found.reached) is None:
                    return
        matching, sort = AllOf((base, *self.conditions(asked))), self.order(asked.get("sort", self.sort))
        start = None
        while True:
            batch = await self._rows(request, seen, matching, sort, start, BATCH)
            yield batch
            if len(batch) < BATCH:
                return
            start = After(self.position(batch[-1], sort))

    async def _page(
        self, request: Asking, seen: Within, matching: Filter, sort: tuple[Sort, ...], asked: Mapping[str, str]
    ) -> tuple[list[Row], str, str]:
        """The rows, and the positions before the first and behind the last where there are more."""
        after, before = asked.get("after"), asked.get("before")
        backwards = before is not None
        order = tuple(turned(each) for each in sort) if backwards else sort
        cursor = before if backwards else after
        start = None if cursor is None else After(position_of(cursor, lambda found: self.place(found, sort)))
        rows = await self._rows(request, seen, matching, order, start, LENGTH + 1)
        has_more, rows = len(rows) > LENGTH, rows[:LENGTH]
        if backwards:
            rows.reverse()
        newer = rows and (has_more if backwards else after is not None)
        older = rows and (True if backwards else has_more)
        return (
            rows,
            cursor_of(self.position(rows[0], sort)) if newer else "",
            cursor_of(self.position(rows[-1], sort)) if older else "",
        )

    async def _counts(
        self, request: Asking, seen: Within, beside: Filter, lonely: Mapping[str, str], most: int
    ) -> list[Total | None]:
        """How many rows each tab has, up to `most`, in one statement; None where that is not counted."""
        only = set(lonely.values())
        counted = [each for each in self.tabs if not each.is_sum and (not only or each.key in only)]
        asked = [AllOf((beside, each.filter)) for each in counted]
        found = await pages.count_each(request.db, self.listing, seen, asked, most=most, plans_anew=most != COUNTED)
        by_key = {each.key: total for each, total in zip(counted, found, strict=True)}
        if not only:
            whole = Total(sum(each.rows for each in found), is_capped=any(each.is_capped for each in found))
            by_key |= {each.key: whole for each in self.tabs if each.is_sum}
        return [by_key.get(each.key) for each in self.tabs]

    async def _look(
        self, request: Asking, seen: Within, asked: Mapping[str, str], base: Filter
    ) -> tuple[list[Row], str, Looked]:
        """The rows that were found in time, where to go on, and how far that went."""
        by_id = self.order("-id")
        after = position_of(asked["after"], lambda found: self.place(found, by_id)) if "after" in asked else (None,)
        found = await self._search(request, seen, asked, base, after=after[0], length=LENGTH)
        reached = None if found.reached is None else made_at(found.reached)
        older = "" if found.reached is None else cursor_of((found.reached,))
        return found.rows, older, Looked(found.looked_through, reached)

    async def _search(
        self,
        request: Asking,
        seen: Within,
        asked: Mapping[str, str],
        base: Filter,
        *,
        after: UUID | None,
        length: int,
    ) -> Searched[Row]:
        quick = {key: value for key, value in asked.items() if key not in self.slow}
        sought = {key: value for key, value in asked.items() if key in self.slow}
        return await search(
            request.db,
            self.row,
            self.listing,
            seen,
            base=AllOf((base, *self.conditions(quick))),
            sought=AllOf(tuple(self.conditions(sought))),
            after=after,
            length=length,
            seconds=LOOK_SECONDS,
        )

    async def _rows(
        self,
        request: Asking,
        seen: Within,
        matching: Filter,
        sort: tuple[Sort, ...],
        start: After | None,
        length: int,
    ) -> list[Row]:
        asked = Asked(filter=matching, sort=sort, start=start, length=length)
        plans_anew = bool(self.set_filters(dict(request.query_params)))
        return await pages.rows(request.db, self.row, self.listing, seen, asked, plans_anew=plans_anew)


def _figures(tab: Tab, counted: Total | None) -> dict[str, Any]:
    """What a tab says of how many it has."""
    if counted is None:
        return {}
    is_more = counted.is_capped and counted.rows < words.EXACT
    if tab.is_bad and counted.rows:
        return {"bad": f"{words.count(counted.rows)}{'+' if is_more else ''}"}
    return {"figure": counted.rows, "is_more": is_more}


def wants_table(request: Asking) -> bool:
    """Whether an address asks for all that match its list as CSV, so that nothing else of its page is read."""
    return request.query_params.get("as") == "csv"

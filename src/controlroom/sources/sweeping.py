"""Lists that tell the newest first and take no time: what is new, and what has changed, without reading all of it.

A sweep reads from the newest row down to where the last one began, less a look-back for rows that change late. Rows
that are still open are followed, whatever their age: the oldest of them one by one, and where there are too many, by
reading down to the next. What a sweep of before has told, and is as it was, is not told again.

*State*: it is dlt's state of the resource, committed with the rows. A long sweep is cut into windows, each a load of
its own: `under` holds the page to go on from, so that a kill costs a window. *Asked for*: what is fetched for the rows
of a sweep depends on it, so that each choice of tables, and each server, has a sweep of its own, and none goes on where
another was.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, Final

import orjson

from controlroom.sources.declared import Declared, Reading
from controlroom.sources.onward import hand_on, taken_on
from controlroom.sources.paging import Next, Page, Request
from controlroom.sources.reading import Reader, ReadFailed
from controlroom.sources.rows import moment

Row = dict[str, Any]
State = dict[str, Any]
_FOLLOWED: Final = 1_000
"""So many open rows are followed one by one."""
_REMEMBERED: Final = 50_000
"""So many rows of the look-back are known again."""
_DIGEST: Final = 8
_MEANS_NOTHING: Final = frozenset({400, 404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """How a list is swept."""

    reader: Reader
    first: Request
    following: Next
    one: Callable[[str], Request]
    """How one row is asked for, by its id."""
    is_open: Callable[[Row], bool]
    """Whether the row will change."""
    declared: Reading | None = None
    """How rows are read where they are as declared."""
    look_back: dt.timedelta
    since: dt.datetime | None = None
    """Older rows are not read."""
    window: int | None = None
    """After so many rows the load is committed; None reads all in one."""
    created: str = "created_at"
    same: Callable[[Row], Any] = lambda row: row
    """By what a row is known to be as it was."""
    carries: bool = False
    """Whether others are fetched for its rows: open ones are told then though they are as they were."""
    full: bool = False
    """Whether to begin at the beginning, whatever was read before."""

    def pages(self, state: State, asked_for: frozenset[str]) -> Iterator[Sequence[Row]]:
        """The rows to load, page by page; none twice, though a list that changes meanwhile may tell it twice.

        `state` says afterwards where to go on, in `more` whether this sweep has more, and in `first` whether nothing
        was there before it.
        """
        known = state.setdefault("sweeps", {})
        chosen = " ".join((*sorted(asked_for), "of", self.reader.base))
        if self.full or self._reaches_further(known.get(chosen, {})):
            known.pop(chosen, None)
        swept = known.setdefault(chosen, {"since": _text(self.since)})
        under = _Under(**swept.pop("under")) if "under" in swept else self._begun(swept)
        state.pop("more", None)
        state["first"] = "newest" not in swept
        told, followed = _digests(swept.get("told", "")), swept.get("open", {})
        remembered = bytearray(base64.b64decode(under.told))
        until, count = moment(under.until), 0
        seen: set[str] = set()
        source = _Source()
        for page in self._pages(under.next, source, to_its_end=until is None and not self.carries):
            if fresh := under.taken(page.rows, self, until, told, remembered, followed):
                yield _unseen(fresh, seen)
            count += len(page.rows)
            if page.next is None or self._is_below(page.rows, until):
                break
            if self.window is not None and count >= self.window:
                under.next = page.next.path
                under.told = base64.b64encode(remembered).decode()
                swept["under"] = asdict(under)
                state["more"] = True
                if until is None and not self.carries and source.pages is not None:
                    hand_on((self.reader.base, under.next), source.pages, self.reader.give_up)
                return
        for rows in self._followed([id_ for id_ in followed if id_ not in under.met], under):
            yield _unseen(rows, seen)
        under.told = base64.b64encode(remembered).decode()
        swept.update(under.ended(swept))

    def _begun(self, state: State) -> "_Under":
        newest, floor = moment(state.get("newest")), moment(state.get("floor"))
        ends = [at for at in (newest and newest - self.look_back, floor) if at]
        until = min(ends) if ends else None
        if self.since is not None:
            until = max(until, self.since) if until else self.since
        return _Under(until=_text(until))

    def _reaches_further(self, state: State) -> bool:
        """Whether older rows are wanted than earlier loads have read."""
        before = moment(state.get("since"))
        return before is not None and (self.since is None or self.since < before)

    def _pages(self, next_: str | None, source: "_Source", *, to_its_end: bool) -> Iterator[Page]:
        """The pages from an address on, or from the beginning; also where a page's address of before is none now."""
        read = partial(self.reader.pages, following=self.following, declared=self.declared, to_its_end=to_its_end)
        if next_ is not None:
            source.pages = taken_on((self.reader.base, next_)) or read(Request(next_))
            try:
                for page in source.pages:  # which are not closed with these: they may be handed on
                    yield page
            except ReadFailed as failed:
                if failed.status not in _MEANS_NOTHING:
                    raise
            else:
                return
        source.pages = read(self.first)
        for page in source.pages:
            yield page

    def _followed(self, ids: Sequence[str], under: "_Under") -> Iterator[Sequence[Row]]:
        """The rows that were open and lie below what was read, several in a page."""
        found = [row for _, row in self.reader.each(ids, lambda id_: self.reader.json(self.one(id_)))]
        under.keep_open((row for row in found if self.is_open(row)), self.created)
        if found:
            yield found

    def _is_below(self, rows: Sequence[Row], until: dt.datetime | None) -> bool:
        at = moment(rows[-1][self.created]) if rows else None
        return until is not None and at is not None and at < until


@dataclass(slots=True)
class _Source:
    """Where the pages of a sweep come from at the moment."""

    pages: Generator[Page, None, None] | None = None


@dataclass(slots=True)
class _Under:
    """How far a sweep has come."""

    until: str | None
    next: str | None = None
    newest: str | None = None
    open: dict[str, str] = field(default_factory=dict)
    """When open rows were created, by id: the oldest."""
    floor: str | None = None
    """When the oldest open row was created that is not among them."""
    met: list[str] = field(default_factory=list)
    told: str = ""

    def taken(
        self,
        rows: Sequence[Row],
        sweep: Sweep,
        until: dt.datetime | None,
        told: frozenset[bytes],
        remembered: bytearray,
        followed: Mapping[str, str],
    ) -> list[Row]:
        """The rows of a page that are to be loaded."""
        here = rows
        if until is not None:
            here = [row for row in rows if (at := moment(row[sweep.created])) is None or at >= until]
        if self.newest is None and here:
            self.newest = here[0][sweep.created]
        if followed:
            self.met += [row["id"] for row in here if row["id"] in followed]
        open_ = [row for row in here if sweep.is_open(row)]
        self.keep_open(open_, sweep.created)
        room = _REMEMBERED - len(remembered) // _DIGEST
        if not told and (room <= 0 or not self._comes_again(here, sweep)):
            return list(here)
        passed = {id(row) for row in open_} if sweep.carries else set()
        digests = [b"" if id(row) in passed else _digest(sweep.same(row)) for row in here]
        if room > 0:
            remembered += b"".join([each for each in digests if each][:room])
        return [row for row, digest in zip(here, digests, strict=True) if digest not in told]

    def _comes_again(self, rows: Sequence[Row], sweep: Sweep) -> bool:
        """Whether the next sweep will read some of these rows, which are the newest that are left, once more."""
        if self.floor is not None:
            return True
        newest, first = moment(self.newest), moment(rows[0][sweep.created]) if rows else None
        return newest is None or first is None or first >= newest - sweep.look_back

    def keep_open(self, rows: Iterable[Row], created: str) -> None:
        """Note rows that will change: the oldest by their ids, of the others the oldest one's time."""
        self.open.update((row["id"], row[created]) for row in rows)
        if len(self.open) > _FOLLOWED:
            oldest = sorted(self.open.items(), key=lambda each: each[1])
            self.open = dict(oldest[:_FOLLOWED])
            others = oldest[_FOLLOWED][1]
            self.floor = others if self.floor is None else min(self.floor, others)

    def ended(self, before: State) -> State:
        """What the next sweep is told."""
        newest = self.newest or before.get("newest")
        return {"newest": newest, "open": self.open, "floor": self.floor, "told": self.told}


def _unseen(rows: Sequence[Row], seen: set[str]) -> Sequence[Row]:
    """The rows whose ids were not seen before, which they are from now on."""
    are_declared = rows and issubclass(type(rows[0]), Declared)
    ids = list(map(attrgetter("id"), rows)) if are_declared else [row["id"] for row in rows]
    if seen.isdisjoint(ids) and len(set(ids)) == len(ids):
        seen.update(ids)
        return rows
    fresh = {id_: row for id_, row in zip(ids, rows, strict=True) if id_ not in seen}
    seen.update(ids)
    return list(fresh.values())


def _digest(row: Any) -> bytes:
    return hashlib.blake2b(orjson.dumps(row, default=dict), digest_size=_DIGEST).digest()


def _digests(kept: str) -> frozenset[bytes]:
    whole = base64.b64decode(kept)
    return frozenset(whole[start : start + _DIGEST] for start in range(0, len(whole), _DIGEST))


def _text(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None

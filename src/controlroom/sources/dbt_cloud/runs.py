"""The list of runs, read by when they ended: those that have ended since the last load, and all that go on.

*Ended* runs come in the order of `finished_at`, from the latest that was loaded, less a look-back for what was
committed late. Each page begins where the one before it ended (`finished_at__range`), so that neither a deep offset
is paid for nor a row missed when old runs are deleted meanwhile; a server that knows no such range or order is read
by offsets alone. *Going on* are those that are queued, starting or running: they are read after the others, so that
a run which ends in between is found by the next load.

*State* is dlt's, committed with the rows: `finished` is the cursor, `told` knows again what the look-back has told
already. A long history is cut into windows, each a load of its own (`more`), so that a kill costs no more than one
of them. A load that asks for more than those before it (another resource, another file) begins at the beginning.
"""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from controlroom.sources.paging import Request, TooFew, followed
from controlroom.sources.reading import Reader
from controlroom.sources.rows import moment

Row = dict[str, Any]
_GOING_ON: Final = (1, 2, 3)
_EVER: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_END: Final = "9999-12-31T23:59:59.999999"
_DIGEST: Final = 8
_MOST_TOLD: Final = 20_000
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_CHANGING: Final = ("id", "status", "updated_at", "finished_at", "artifacts_saved", "has_docs_generated")
TOTAL: Final = "extra.pagination.total_count"
APPLIED: Final = "extra.filters.limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """How they are read."""

    reader: Reader
    path: str
    size: int
    """Rows of a page that are asked for; the server may apply a smaller limit."""
    look_back: dt.timedelta
    since: dt.datetime | None = None
    """Runs that ended before are never read."""
    window: int | None = None
    """After so many runs the load is committed; None reads all in one."""
    full: bool = False

    def pages(self, state: dict[str, Any], asked_for: Sequence[str]) -> Iterator[list[Row]]:
        """The runs to load, page by page; `state` says where to go on, and in `more` whether there is more."""
        if self.full or set(asked_for) - set(state.get("covers", ())) or self._reaches_further(state):
            state.clear()
            state["since"] = self.since.isoformat() if self.since else None
        state["covers"] = sorted({*state.get("covers", ()), *asked_for})
        state.pop("more", None)
        known = _Known(state)
        start = self._from(known.before)
        count = 0
        for page in self.reader.pages(self._first(start), _Following()):
            fresh = [row for row in page.rows if known.is_new(row, start)]
            known.forget(self.look_back)
            if fresh:
                yield fresh
            count += len(fresh)
            if self.window is not None and count >= self.window and page.next is not None:
                known.kept(state, self.look_back)
                state["more"] = True
                return
        known.kept(state, self.look_back)
        unfinished = Request(self.path, {"limit": self.size, "status__in": json.dumps(_GOING_ON), **_RELATED})
        for page in self.reader.pages(unfinished, by_offset):
            yield [row for row in page.rows if row.get("finished_at") is None]

    def _reaches_further(self, state: dict[str, Any]) -> bool:
        """Whether older runs are wanted than earlier loads have read."""
        before = moment(state.get("since"))
        return before is not None and (self.since is None or self.since < before)

    def _from(self, cursor: dt.datetime | None) -> dt.datetime:
        return max(cursor - self.look_back if cursor else _EVER, self.since or _EVER)

    def _first(self, start: dt.datetime) -> Request:
        ended = {"order_by": "finished_at", "finished_at__range": _range(start)}
        return Request(self.path, {"limit": self.size, "offset": 0, **ended, **_RELATED})


_RELATED: Final = {"include_related": '["trigger"]'}


def _range(start: dt.datetime) -> str:
    return json.dumps([start.isoformat(), _END])


class _Following:
    """From a page of ended runs to the next."""

    def __init__(self) -> None:
        self._by_offset = False

    def __call__(self, request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:
        """See reading.Next."""
        following = by_offset(request, answer, rows, before)
        if following is None:
            return None
        ended = [at for at in (moment(row.get("finished_at")) for row in rows) if at is not None]
        start = moment(json.loads(request.params["finished_at__range"])[0]) or _EVER
        if not ended or ended != sorted(ended) or ended[0] < start:
            self._by_offset = True
        if self._by_offset or ended[-1] <= start:
            return following
        return replace(request, params={**request.params, "offset": 0, "finished_at__range": _range(ended[-1])})


def by_offset(request: Request, answer: Any, rows: Sequence[Any], before: int) -> Request | None:  # noqa: ARG001
    """The next page by offset, with the limit that was applied."""
    offset, total = int(request.params.get("offset", 0)), followed(answer, TOTAL)
    reached = offset + len(rows)
    if isinstance(total, int):
        if not rows and reached < total:
            raise TooFew(f"{request.path}: {reached} rows came of {total} that the server told of")
        goes_on = reached < total
    else:
        applied = followed(answer, APPLIED)
        goes_on = bool(rows) and len(rows) >= (applied if isinstance(applied, int) else request.params["limit"])
    return replace(request, params={**request.params, "offset": reached}) if goes_on else None


# ------------------------------------------------------------------------------------------------- what was told before
class _Known:
    """What earlier loads, and earlier pages, have told of the look-back."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.before = moment(state.get("finished"))
        self._latest = self.before
        self._told: dict[bytes, dt.datetime] = dict(_read(state.get("told", "")))

    def is_new(self, row: Row, start: dt.datetime) -> bool:
        """Whether a run that has ended is to be loaded."""
        at = moment(row.get("finished_at"))
        if at is None or at < start:  # a server that knows no such filter
            return False
        digest = _digest(row)
        if digest in self._told:
            return False
        self._told[digest] = at
        self._latest = max(at, self._latest or at)
        return True

    def forget(self, look_back: dt.timedelta) -> None:
        """Forget what no load will ask for again, once it is much."""
        if len(self._told) > _MOST_TOLD and self._latest is not None:
            self._told = {digest: at for digest, at in self._told.items() if at >= self._latest - look_back}

    def kept(self, state: dict[str, Any], look_back: dt.timedelta) -> None:
        """Keep it for the next load."""
        if self._latest is None:
            return
        start = self._latest - look_back
        state["finished"] = self._latest.isoformat()
        state["told"] = _written({digest: at for digest, at in self._told.items() if at >= start})


def _digest(row: Row) -> bytes:
    text = json.dumps([row.get(key) for key in _CHANGING])
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST).digest()


def _written(told: dict[bytes, dt.datetime]) -> str:
    """Digests and moments, as text."""
    pairs = (digest + ((at - _EVER) // _MICROSECOND).to_bytes(8, "big", signed=True) for digest, at in told.items())
    return base64.b64encode(b"".join(pairs)).decode()


def _read(text: str) -> Iterator[tuple[bytes, dt.datetime]]:
    whole = base64.b64decode(text)
    for start in range(0, len(whole), _DIGEST + 8):
        micros = int.from_bytes(whole[start + _DIGEST : start + _DIGEST + 8], "big", signed=True)
        yield whole[start : start + _DIGEST], _EVER + dt.timedelta(microseconds=micros)

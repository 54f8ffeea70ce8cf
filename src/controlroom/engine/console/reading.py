"""Reading console output, wherever it lies. To follow it live, wait for `Topic.CONSOLE` of the step run and read on."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from controlroom.engine.access.scope import Scope
from controlroom.engine.console import store
from controlroom.engine.console.model import BEGINNING, OPEN, Line, Piece, Position, Range
from controlroom.engine.engine import Engine
from controlroom.ids import StepRunId

_BLOCK_BYTES: Final = 4 << 20


async def read(
    engine: Engine,
    scope: Scope,
    step_run: StepRunId,
    *,
    after: Position = BEGINNING,
    limit: int,
    within: Range | None = None,
) -> list[Line]:
    """The next lines of a step run, or of a range of it, attempt by attempt; none for one that the scope does not see.

    Fewer than `limit` come only at the end of what there is now, or once they have more bytes than a page. The cost
    does not grow with the position.
    """
    last = await store.last_attempt(engine.database, scope, step_run)
    lines: list[Line] = []
    room = engine.limits.page_bytes
    if within is not None and last is not None:
        after, last = max(after, within.before), min(last, within.attempt)
    attempt, start = max(after.attempt, 1), after.line + 1 if after.attempt >= 1 else 0
    while last is not None and attempt <= last and len(lines) < limit and room >= 0:
        before = await _lines_before(engine, scope, step_run, attempt)
        end = start + limit - len(lines)
        if within is not None:
            end = max(start, min(end, within.end))
        found = await _read_attempt(
            engine, scope, step_run, attempt, before=before, start=start, end=end, most_bytes=room
        )
        lines += found.lines
        room -= sum(line.size for line in found.lines)
        attempt, start = (attempt, found.lines[-1].number + 1) if found.is_cut else (attempt + 1, 0)
    return lines


async def blocks(
    engine: Engine, scope: Scope, step_run: StepRunId, attempt: int, *, start: int = 0, most_bytes: int = _BLOCK_BYTES
) -> AsyncIterator[tuple[int, bytes]]:
    """All of an attempt from a line on, a few MiB of whole lines at a time: each with the number of its first line."""
    while True:
        pieces = await store.pieces(
            engine.database, scope, step_run, attempt, start=start, end=OPEN, most_bytes=most_bytes
        )
        pieces = [each for each in pieces if each.first_line + each.line_count > start]
        if not pieces:
            return
        bodies: list[bytes] = []
        for digest, together in groupby(pieces, key=lambda piece: piece.hash):
            group = list(together)
            bodies += [each.body or b"" for each in group] if digest is None else await _archived(engine, digest, group)
        body = b"".join(bodies)
        for _ in range(start - pieces[0].first_line):
            body = body[body.index(b"\n") + 1 :]
        yield start, body
        start = pieces[-1].first_line + pieces[-1].line_count


async def place_of(engine: Engine, scope: Scope, step_run: StepRunId, attempt: int, number: int) -> int:
    """Which line of a step run's whole console that of an attempt is, counted from 1."""
    return await _lines_before(engine, scope, step_run, attempt) + number + 1


async def _lines_before(engine: Engine, scope: Scope, step_run: StepRunId, attempt: int) -> int:
    """How many lines the attempts before one have printed; the first is nearly always the only one."""
    if attempt == 1:
        return 0
    return await store.count(engine.database, scope, step_run, before_attempt=attempt)


class _Found(NamedTuple):
    lines: list[Line]
    is_cut: bool
    """Whether there may be more of the attempt, for which there was no room."""


async def _read_attempt(
    engine: Engine,
    scope: Scope,
    step_run: StepRunId,
    attempt: int,
    *,
    before: int,
    start: int,
    end: int,
    most_bytes: int,
) -> _Found:
    pieces = await store.pieces(engine.database, scope, step_run, attempt, start=start, end=end, most_bytes=most_bytes)
    lines: list[Line] = []
    for digest, together in groupby(pieces, key=lambda piece: piece.hash):
        group = list(together)
        bodies = [piece.body or b"" for piece in group] if digest is None else await _archived(engine, digest, group)
        for piece, body in zip(group, bodies, strict=True):
            lines += _lines(attempt, before, piece, body, start=start, end=end)
    return _Found(lines, is_cut=bool(lines) and sum(piece.length for piece in pieces) > most_bytes)


async def _archived(engine: Engine, digest: str, pieces: Sequence[Piece]) -> list[bytes]:
    """The bodies of neighbouring pieces of one object, read at once."""
    begin, end = pieces[0].offset, pieces[-1].offset + pieces[-1].length
    content = b"".join([part async for part in engine.objects.stream(digest, start=begin, end=end)])
    return [content[piece.offset - begin : piece.offset - begin + piece.length] for piece in pieces]


def _lines(attempt: int, before: int, piece: Piece, body: bytes, *, start: int, end: int) -> Iterator[Line]:
    texts = body.decode(errors="replace").split("\n")  # not splitlines: only LF ends a line
    first, last = max(start - piece.first_line, 0), min(end - piece.first_line, piece.line_count)
    for index in range(first, last):
        number = piece.first_line + index
        yield Line(attempt=attempt, number=number, place=before + number + 1, at=piece.at, text=texts[index])

"""The statements over console output: chunks while a step run lives, one archive for each attempt afterwards."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.scope import EACH, SEEN, Room, Scope, ScopedTx
from controlroom.engine.console.model import ArchivedChunk, Piece, Range
from controlroom.ids import StepRunId, WorkerId
from controlroom.postgres.database import Statements

_BATCH_BYTES: Final = 8 * 1024 * 1024
_BATCH_CHUNKS: Final = 500


class Appended(Struct, frozen=True, kw_only=True):
    """What became of a batch."""

    is_alive: bool
    """Whether the worker has the attempt."""
    is_masked: bool
    """Whether all that the step run has read of the vault was masked in the batch; else it is not added."""
    is_added: bool
    is_known: bool
    """Whether the same batch was there before."""
    have: int
    """How many lines there were before."""


async def append(
    db: Statements,
    scope: Scope,
    *,
    worker: WorkerId,
    step_run: StepRunId,
    attempt: int,
    first: int,
    count: int,
    at: float,
    body: bytes,
    masks: int,
) -> Appended:
    """Add a batch if the worker has the attempt and the batch begins where the last one ended; one round trip.

    Of two equal batches at once one is added; the other may be told neither that it was, nor that it was known. A batch
    without a line is never added: what is told of it is whether it might have been.
    """
    return await db.one(
        Appended,
        f"""
        with alive as (
            select id, attempt, mask_count from step_run
             where id = %(printer)s and workspace_id in {EACH} and attempt = %(turn)s
               and worker_id = %(worker)s and state = 'in_progress'
        ), had as (
            select coalesce((select first_line + line_count from console_chunk
                              where step_run_id = %(printer)s and attempt = %(turn)s
                              order by first_line desc limit 1), 0) as lines
        ), added as (
            insert into console_chunk (step_run_id, attempt, first_line, line_count, at, body)
            select alive.id, alive.attempt, %(first)s, %(count)s, to_timestamp(%(at)s::float8), %(body)s
              from alive, had
             where had.lines = %(first)s::bigint and alive.mask_count = %(masks)s and %(count)s::int > 0
            on conflict do nothing
            returning first_line
        )
        select exists (select from alive) as is_alive,
               not exists (select from alive where mask_count <> %(masks)s) as is_masked,
               exists (select from added) as is_added, had.lines as have,
               exists (select from console_chunk
                        where step_run_id = %(printer)s and attempt = %(turn)s and first_line = %(first)s::bigint
                          and line_count = %(count)s::int) as is_known
          from had
        """,
        worker=worker,
        printer=step_run,
        turn=attempt,
        first=first,
        count=count,
        at=at,
        body=body,
        masks=masks,
        **scope.each,
    )


async def last_attempt(db: Statements, scope: Scope, step_run: StepRunId) -> int | None:
    """The number of a step run's latest attempt (0 before the first); None if the workspace has no such step run."""
    found: int | None = await db.value(
        f"select attempt from step_run where id = %(printer)s and workspace_id = {SEEN}",
        printer=step_run,
        **scope.params,
    )
    return found


async def pieces(
    db: Statements, scope: Scope, step_run: StepRunId, attempt: int, *, start: int, end: int, most_bytes: int
) -> list[Piece]:
    """Where the lines from `start` up to, without, `end` of an attempt lie, in order; some lines around them too.

    Once they have more than `most_bytes` together, no further ones. One statement, so that a compaction is seen wholly
    or not at all.
    """
    return await db.all(
        Piece,
        f"""
        with printer as (
            select id from step_run where id = %(printer)s and workspace_id = {SEEN}
        ), found as (
            select first_line, line_count, at, body, null::text as hash, 0::bigint as "offset",
                   octet_length(body)::bigint as length
              from console_chunk
             where step_run_id = (select id from printer) and attempt = %(turn)s
               and first_line < %(end)s::bigint
               and first_line >= coalesce((select max(first_line) from console_chunk
                                            where step_run_id = (select id from printer) and attempt = %(turn)s
                                              and first_line <= %(start)s::bigint), 0)
            union all
            select (entry ->> 0)::bigint, (entry ->> 1)::int, to_timestamp((entry ->> 2)::float8), null, hash,
                   (entry ->> 3)::bigint, (entry ->> 4)::bigint
              from console_archive, jsonb_array_elements(chunks) as entry
             where step_run_id = (select id from printer) and attempt = %(turn)s
               and (entry ->> 0)::bigint < %(end)s::bigint
               and (entry ->> 0)::bigint + (entry ->> 1)::bigint > %(start)s::bigint
        ), measured as (
            select *, sum(length) over (order by first_line) - length as before from found
        )
        select first_line, line_count, at, body, hash, "offset", length from measured
         where before <= %(most)s
         order by first_line
        """,
        printer=step_run,
        turn=attempt,
        start=start,
        end=end,
        most=most_bytes,
        **scope.params,
    )


class _Batch(Struct, frozen=True):
    first_line: int
    line_count: int


async def batch_at(db: Statements, scope: Scope, step_run: StepRunId, attempt: int, moment: datetime) -> Range | None:
    """The lines that an attempt was printing at a moment: of the first batch that came then or later, else of the last.

    A batch has the time at which the worker read it, shortly after it was printed. None if nothing was printed.
    """
    found = await db.one_or_none(
        _Batch,
        f"""
        with printer as (
            select id from step_run where id = %(printer)s and workspace_id = {SEEN}
        ), batch as (
            select first_line, line_count, at from console_chunk
             where step_run_id = (select id from printer) and attempt = %(turn)s
            union all
            select (entry ->> 0)::bigint, (entry ->> 1)::int, to_timestamp((entry ->> 2)::float8)
              from console_archive, jsonb_array_elements(chunks) as entry
             where step_run_id = (select id from printer) and attempt = %(turn)s
        )
        select first_line, line_count from batch
         order by at < %(moment)s, case when at < %(moment)s then -first_line else first_line end
         limit 1
        """,
        printer=step_run,
        turn=attempt,
        moment=moment,
        **scope.params,
    )
    return None if found is None else Range(attempt, found.first_line, found.first_line + found.line_count)


async def count(db: Statements, scope: Scope, step_run: StepRunId, *, before_attempt: int | None = None) -> int:
    """How many lines all attempts of a step run have printed so far, or only those before one of them."""
    return int(
        await db.value(
            f"""
            select coalesce(sum(greatest(
                       (select line_count from console_archive
                         where step_run_id = step_run.id and attempt = attempts.number),
                       (select first_line + line_count from console_chunk
                         where step_run_id = step_run.id and attempt = attempts.number
                         order by first_line desc limit 1))), 0)::bigint
              from step_run, generate_series(1, coalesce(%(before)s::int - 1, step_run.attempt)) as attempts (number)
             where step_run.id = %(printer)s and step_run.workspace_id = {SEEN}
            """,
            printer=step_run,
            before=before_attempt,
            **scope.params,
        )
    )


async def lines_of(db: Statements, scope: Scope, step_run: StepRunId, attempt: int) -> int:
    """How many lines an attempt has printed so far; 0 for one that the scope does not see."""
    found: int | None = await db.value(
        f"""
        select greatest(
                   (select line_count from console_archive
                     where step_run_id = step_run.id and attempt = %(turn)s),
                   (select first_line + line_count from console_chunk
                     where step_run_id = step_run.id and attempt = %(turn)s
                     order by first_line desc limit 1))::bigint
          from step_run
         where id = %(printer)s and workspace_id = {SEEN}
        """,
        printer=step_run,
        turn=attempt,
        **scope.params,
    )
    return found or 0


# ---------------------------------------------------------------------------------------------------- compaction
class EndedConsole(Struct, frozen=True):
    """An attempt that prints no more."""

    step_run_id: StepRunId
    attempt: int


class Chunk(Struct, frozen=True):
    """A batch as it was appended."""

    first_line: int
    line_count: int
    at: datetime
    body: bytes


async def ended_consoles(db: Statements, _room: Room, *, rest: timedelta, limit: int) -> list[EndedConsole]:
    """Attempts that have ended `rest` ago or earlier, or were overtaken, and whose lines still lie in chunks.

    Looks at one chunk of each attempt, however many it has.
    """
    return await db.all(
        EndedConsole,
        """
        with recursive console as (
            (select step_run_id, attempt from console_chunk order by step_run_id, attempt limit 1)
            union all
            select next.step_run_id, next.attempt
              from console, lateral (
                   select step_run_id, attempt from console_chunk
                    where (step_run_id, attempt) > (console.step_run_id, console.attempt)
                    order by step_run_id, attempt limit 1) as next
        )
        select console.step_run_id, console.attempt
          from console join step_run on step_run.id = console.step_run_id
         where (step_run.ended_at is not null or console.attempt < step_run.attempt)
           and step_run.state_at < clock_now() - %(rest)s::interval
           and not exists (select from console_archive
                            where console_archive.step_run_id = console.step_run_id
                              and console_archive.attempt = console.attempt)
         limit %(limit)s
        """,
        rest=rest,
        limit=limit,
    )


async def chunks_from(db: Statements, _room: Room, console: EndedConsole, line: int) -> list[Chunk]:
    """The next chunks from a line on, as many as fit into 8 MiB, but at least one if there is one."""
    return await db.all(
        Chunk,
        """
        select first_line, line_count, at, body
          from (select first_line, line_count, at, body,
                       sum(octet_length(body)) over (order by first_line) - octet_length(body) as before
                  from (select first_line, line_count, at, body from console_chunk
                         where step_run_id = %(step_run)s and attempt = %(attempt)s
                           and first_line >= %(line)s::bigint
                         order by first_line
                         limit %(most)s) as next) as sized
         where before < %(bytes)s
         order by first_line
        """,
        step_run=console.step_run_id,
        attempt=console.attempt,
        line=line,
        most=_BATCH_CHUNKS,
        bytes=_BATCH_BYTES,
    )


async def archive(
    tx: ScopedTx, console: EndedConsole, *, lines: int, digest: str, contents: Sequence[ArchivedChunk]
) -> bool:
    """Put the archive in the place of the chunks that are in it; whether it was this call that did so."""
    is_first = await tx.execute(
        """
        insert into console_archive (step_run_id, attempt, line_count, hash, chunks)
        select %(step_run)s, %(attempt)s, %(lines)s, %(hash)s, %(chunks)s
         where exists (select from step_run where id = %(step_run)s)
        on conflict do nothing
        """,
        step_run=console.step_run_id,
        attempt=console.attempt,
        lines=lines,
        hash=digest,
        chunks=Raw(msgspec.json.encode(contents)),
    )
    if not is_first:
        return False
    await tx.execute(
        """
        delete from secret_mask
         where step_run_id = (select id from step_run where id = %(step_run)s and ended_at is not null)
        """,
        step_run=console.step_run_id,
    )
    await tx.execute(
        """
        delete from console_chunk
         where step_run_id = %(step_run)s and attempt = %(attempt)s and first_line < %(lines)s::bigint
        """,
        step_run=console.step_run_id,
        attempt=console.attempt,
        lines=lines,
    )
    return True

"""The independent checker: reads database and objects of a room at rest, and tells what is wrong.

It knows the tables and the promises, and uses none of the engine's code.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import asyncpg

RULES = {
    "an item is in no right state": """
        select id::text, state from work_item
         where run_id = $1 and not (
               (state = 'done' and step_id is not null)
            or (state = 'failed' and exception_type is not null)
            or (state = 'new' and queue_id is null and parent_id is not null)
            or state = 'deleted')""",
    "an item of a run at rest is still held by a step run": """
        select id::text, step_run_id::text from work_item where run_id = $1 and state = 'in_progress'""",
    "an output has no parent": """
        select output.id::text, output.state from work_item as output
          left join work_item as parent on parent.id = output.parent_id
         where output.run_id = $1 and output.queue_id is null and output.state <> 'deleted' and parent.id is null""",
    "an output is visible though its parent was not worked to its end": """
        select output.id::text, parent.state from work_item as output
          join work_item as parent on parent.id = output.parent_id
         where output.run_id = $1 and output.state = 'new' and parent.state not in ('done', 'failed')""",
    "an output is of another attempt than the one that ended its parent": """
        select output.id::text, output.parent_attempt::text from work_item as output
          join work_item_attempt as tried on tried.work_item_id = output.parent_id
           and tried.attempt = output.parent_attempt
         where output.run_id = $1 and output.state = 'new' and tried.outcome not in ('done', 'failed')""",
    "a done item has no output": """
        select item.id::text, item.state from work_item as item
         where item.run_id = $1 and item.queue_id is not null and item.state = 'done'
           and not exists (select from work_item as output
                            where output.parent_id = item.id and output.state = 'new')""",
    "a done item has more than one successful attempt": """
        select work_item_id::text, count(*)::text from work_item_attempt
          join work_item on work_item.id = work_item_id
         where run_id = $1 and outcome = 'done' group by work_item_id having count(*) > 1""",
    "a step run has no end": """
        select id::text, state from step_run
         where run_id = $1 and (state not in ('completed', 'failed', 'withdrawn') or ended_at is null)
        """,
    "a step run was given twice to robots": """
        select id::text, attempt::text from step_run
         where run_id = $1 and state = 'completed' and attempt > 1 and result <> 'succeeded'""",
    "console lines are missing": """
        select step_run_id::text, first_line::text from (
            select step_run_id, console_chunk.attempt, first_line,
                   lag(first_line + line_count, 1, 0::bigint)
                        over (partition by step_run_id, console_chunk.attempt order by first_line) as expected
              from console_chunk join step_run on step_run.id = step_run_id
             where step_run.run_id = $1) as chunk
         where first_line <> expected""",
}


async def violations(dsn: str, objects: Path, run: Any, numbers: set[int]) -> list[str]:
    """Everything that is wrong with a run that has come to rest; `numbers` are those that the start call accepted."""
    connection = await asyncpg.connect(dsn)
    try:
        found = []
        for rule, sql in RULES.items():
            found += [f"{rule}: {tuple(row)}" for row in await connection.fetch(sql, run)]
        found += await _inputs(connection, run, numbers)
        found += await _blobs(connection, objects, run)
        found += await _promises(connection, objects, run)
        return found
    finally:
        await connection.close()


async def _inputs(connection: asyncpg.Connection, run: Any, numbers: set[int]) -> list[str]:
    rows = await connection.fetch(
        "select (payload ->> 'number')::int as number from work_item where run_id = $1 and parent_id is null", run
    )
    have = [row["number"] for row in rows]
    found = [f"accepted item {number} is missing" for number in numbers - set(have)]
    if len(have) != len(numbers):
        found.append(f"{len(have)} items instead of {len(numbers)}")
    return found


async def _blobs(connection: asyncpg.Connection, objects: Path, run: Any) -> list[str]:
    """Every file, artifact and archived console that a row names is there and is what the row says."""
    rows = await connection.fetch(
        """
        select 'file' as kind, file.hash, file.size from work_item_file as file
          join work_item on work_item.id = work_item_id where run_id = $1
        union all
        select 'artifact', hash, size from artifact join step_run on step_run.id = step_run_id where run_id = $1
        union all
        select 'console', hash, null from console_archive join step_run on step_run.id = step_run_id where run_id = $1
        """,
        run,
    )
    found = []
    for row in rows:
        content = _blob(objects, row["hash"])
        if content is None:
            found.append(f"the blob of a {row['kind']} is missing: {row['hash']}")
        elif hashlib.sha256(content).hexdigest() != row["hash"] or row["size"] not in {None, len(content)}:
            found.append(f"the blob of a {row['kind']} is damaged: {row['hash']}")
    return found


def _blob(objects: Path, name: str) -> bytes | None:
    paths = list(objects.glob(f"blobs/{name[:2]}/*{name[2:]}"))
    return paths[0].read_bytes() if paths else None


_LINE = re.compile(r"(output|file|released) (\S+)")


async def _promises(connection: asyncpg.Connection, objects: Path, run: Any) -> list[str]:
    """What robots printed after an answer must be true: released items are done, files are there, outputs exist."""
    chunks = await connection.fetch(
        """
        select body from console_chunk join step_run on step_run.id = step_run_id
         where run_id = $1 order by step_run_id, console_chunk.attempt, first_line
        """,
        run,
    )
    archives = await connection.fetch(
        "select hash, line_count from console_archive join step_run on step_run.id = step_run_id where run_id = $1", run
    )
    items = {
        str(row["id"]): row["state"]
        for row in await connection.fetch("select id, state from work_item where run_id = $1", run)
    }
    files = {
        str(row["work_item_id"])
        for row in await connection.fetch(
            "select work_item_id from work_item_file join work_item on work_item.id = work_item_id where run_id = $1",
            run,
        )
    }
    texts = [row["body"] for row in chunks]
    found = []
    for row in archives:
        text = _blob(objects, row["hash"]) or b""
        texts.append(text)
        if text.count(b"\n") != row["line_count"]:
            found.append(f"an archived console has {text.count(bytes([10]))} lines instead of {row['line_count']}")
    for line in b"".join(texts).decode().splitlines():
        said = _LINE.match(line)
        if said is None:
            continue
        what, item = said.groups()
        if item not in items:
            found.append(f"acknowledged {what} {item} is gone")
        elif what == "released" and items[item] != "done":
            found.append(f"acknowledged release of {item}, which is {items[item]}")
        elif what == "file" and item not in files and items[item] != "deleted":
            found.append(f"acknowledged file of {item} is missing")
    return found

"""Values that a step run has read of the vault do not show in its console."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.conftest import running_engine

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import Room
from controlroom.engine.console import actions as console_actions
from controlroom.engine.console.actions import compact_ended
from controlroom.engine.console.model import Position
from controlroom.engine.console.unfinished import after
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault import masks
from controlroom.engine.vault.masking import MASK, pattern_of
from controlroom.engine.vault.masks import Masks
from controlroom.ids import ProcessId, RunId, StepId, uuid7

VALUES = {"password": "correct-horse", "pin": 123456, "short": "no", "key": "-----BEGIN-----\nAbCd+/==\n-----END-----"}


async def read_secret(console, ada, team, name: str = "bank", values=VALUES) -> None:
    """The step run's robot reads a secret."""
    await vault.put(console.engine, ada, console.workspace, name, values=values)
    robot = StepRunActor(
        step_run_id=console.step_run,
        attempt=console.attempt,
        run_id=RunId(uuid7()),
        step_id=StepId(uuid7()),
        process_id=ProcessId(uuid7()),
        workspace_id=console.workspace,
        organization_id=team.organization,
    )
    await vault.read(console.engine, robot, console.workspace, name)


async def test_what_was_read_is_masked_from_then_on(console, ada, team):
    """Strings of four characters and more, numbers, and each line of long values; what was not read stays."""
    await console.append(0, "before correct-horse")
    await read_secret(console, ada, team)
    await console.append(1, "password=correct-horse!", "pin 123456, 1234567", "no", "AbCd+/==", "plain")

    assert await console.texts() == [
        "before correct-horse",
        "password=***!",
        "pin ***, ***7",
        "no",
        "***",
        "plain",
    ]


async def test_a_second_secret_is_masked_too(console, ada, team):
    """A reading after the server has learnt of the first is noticed with the next batch."""
    await read_secret(console, ada, team)
    await console.append(0, "correct-horse")
    await read_secret(console, ada, team, "mail", {"token": "tok-tok-tok"})
    await console.append(1, "correct-horse tok-tok-tok")
    assert await console.texts() == ["***", "*** ***"]


async def test_another_server_masks_what_was_read_through_this_one(console, ada, team, engine_dsn, tmp_path):
    """What matters is when it was read, not which server gave it; parallel repeats of a batch add it once."""
    await read_secret(console, ada, team)
    async with running_engine(engine_dsn, tmp_path, keys=console.engine.keys) as other:
        await asyncio.gather(
            *(
                console_actions.append(
                    server, console.worker, console.step_run, 1, first=0, count=1, at=1.0, body=b"correct-horse\n"
                )
                for server in (other, console.engine, other)
            )
        )
    assert await console.texts() == ["***"]


async def test_nothing_of_the_values_is_kept_once_the_console_is_compacted(console, ada, team):
    """What was remembered for masking goes with the end of the step run."""
    await read_secret(console, ada, team)
    await console.append(0, "correct-horse")
    await console.end()
    await compact_ended(console.engine, Room(), limit=100)
    left = await console.engine.database.value(
        "select count(*) from secret_mask where step_run_id = %(id)s", id=console.step_run
    )
    assert (left, await console.texts()) == (0, ["***"])


@given(
    st.sets(st.text("ab.\\+", min_size=4, max_size=8), min_size=1, max_size=5),
    st.lists(st.text("ab.\\+\n", max_size=30)),
)
def test_no_value_is_left_and_no_line_is_lost(values, parts):
    """Whatever the values: none that could be seen stays, and lines stay as many."""
    body = ("".join(part + value for part, value in zip(parts, sorted(values) * 30, strict=False)) + "\n").encode()
    masked = Masks(1, pattern_of(values), tuple(values)).applied_to(body)
    assert masked.count(b"\n") == body.count(b"\n")
    for piece in masked.split(MASK):
        assert not any(value.encode() in piece for value in values)


async def test_a_value_does_not_show_while_it_is_typed(console, ada, team):
    """In a line without end a value is masked, and what may be the beginning of one is not shown yet."""
    await read_secret(console, ada, team)
    shown = []
    for text in (b"pass c", b"pass correct-hors", b"pass correct-horse", b"pass correct-horse 12"):
        await console.send(0, 0, b"", unfinished=text)
        shown.append(after(console.engine, console.step_run, Position(1, -1)).text)

    assert shown == ["pass ", "pass ", "pass ***", "pass *** "]


async def test_thousands_of_values_are_hidden_aside(console, ada, team, monkeypatch):
    """A robot that reads a secret of a whole file holds up nobody; what takes too long is hidden line by line."""
    values = {str(number): f"{number:04}-secret" for number in range(5000)}
    await read_secret(console, ada, team, values=values)
    await console.append(0, "0000-secret 0000 4999-secret", "plain")
    await console.send(2, 0, b"", unfinished=b"4999-secret and more")
    assert await console.texts() == ["*** 0000 ***", "plain"]
    assert after(console.engine, console.step_run, Position(1, 1)) is None

    monkeypatch.setattr(masks, "_SECONDS", 0.01)
    await console.append(2, "0123" * 100_000, "plain")
    assert (await console.texts())[2:] == ["***", "***"]

    monkeypatch.setattr(masks, "_MOST_BYTES", 1000)
    await read_secret(console, ada, team, "more")
    await console.append(4, "anything")
    assert (await console.texts())[4:] == ["***"]

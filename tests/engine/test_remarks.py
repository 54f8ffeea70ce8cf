"""Remarks are kept in memory only, as long as they are fresh."""

from controlroom.engine.remarks import LIFE_SECONDS, Remarks
from controlroom.ids import uuid7
from controlroom.postgres.notify import Listener, Notifier


class Moments:
    """A clock that tests put forward."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_remark_lasts_until_it_is_replaced_taken_back_or_old(engine, engine_dsn):
    """The newest one of a row counts; a row of which nothing is said has none."""
    clock, row = Moments(), uuid7()
    remarks = Remarks(Notifier(engine.database), Listener(engine_dsn), clock=clock)

    remarks.make(row, "one")
    remarks.make(row, "two")
    assert remarks.about(row) == "two"
    remarks.make(row, "")
    assert remarks.about(row) is None

    remarks.make(row, "three")
    clock.now += LIFE_SECONDS + 1
    assert remarks.about(row) is None
    assert remarks.about(uuid7()) is None


async def test_old_remarks_take_no_memory(engine, engine_dsn):
    """Whatever is over is gone with the next remark of anybody."""
    clock = Moments()
    remarks = Remarks(Notifier(engine.database), Listener(engine_dsn), clock=clock)
    for _ in range(100):
        remarks.make(uuid7(), "x")
    clock.now += LIFE_SECONDS + 1

    remarks.make(uuid7(), "y")

    assert len(remarks._kept) == 1

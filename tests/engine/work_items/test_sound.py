"""Which columns go with which state of an item, as the database keeps it."""

import pytest

from controlroom.engine.work_items.model import ExceptionType, ItemState
from controlroom.ids import uuid7
from controlroom.postgres.errors import CheckViolation

NOTHING = {
    "run_id": None,
    "step_id": None,
    "step_run_id": None,
    "reserved": False,
    "parent_id": None,
    "parent_attempt": None,
    "exception": None,
}
NEEDED = {
    ItemState.DRAFT: {"parent_id", "parent_attempt"},
    ItemState.PENDING: {"run_id", "step_id"},
    ItemState.IN_PROGRESS: {"run_id", "step_run_id", "reserved"},
    ItemState.FAILED: {"exception"},
}
ALL = {name: uuid7() for name in NOTHING} | {"reserved": True, "parent_attempt": 1, "exception": "business"}


async def is_sound(engine, state, having):
    """Whether an item may be like that."""
    return await engine.database.value(
        """
        select work_item_is_sound(%(state)s, %(run_id)s, %(step_id)s, %(step_run_id)s,
                                  case when %(reserved)s then now() end, %(parent_id)s, %(parent_attempt)s,
                                  %(exception)s)
        """,
        state=state,
        **{**NOTHING, **having},
    )


@pytest.mark.parametrize("state", ItemState)
async def test_a_state_has_what_it_needs(engine, state):
    """All that it needs is enough, and each of it is needed."""
    needed = NEEDED.get(state, set())

    assert await is_sound(engine, state, {name: ALL[name] for name in needed})
    for missing in needed:
        assert not await is_sound(engine, state, {name: ALL[name] for name in needed - {missing}}), missing


async def test_there_are_no_other_states_and_exceptions(engine):
    """What is not a word of ours is refused."""
    assert not await is_sound(engine, "lost", ALL)
    assert not await is_sound(engine, ItemState.DONE, {"exception": "other"})
    for each in ExceptionType:
        assert await is_sound(engine, ItemState.DONE, {"exception": each})


async def test_an_unsound_row_is_not_written(engine):
    """The table asks for each row."""
    with pytest.raises(CheckViolation, match="work_item_is_sound"):
        await engine.database.execute(
            "insert into work_item (id, workspace_id, state) values (%(id)s, %(id)s, 'pending')", id=uuid7()
        )

"""Whom a wake-up reaches: so many as it is for, nobody twice, and never one who leaves alone."""

import pytest

from controlroom.engine.wakes import Topic
from controlroom.ids import uuid7

WORK = Topic.STEP_RUNS_AWAIT


@pytest.fixture
def wakes(engine):
    """The switchboard."""
    return engine.wakes


def test_those_of_the_first_key_come_first(wakes):
    """A wake-up for two wakes who waits for the workspace, then one who waits for the organization, and no third."""
    workspace, organization = uuid7(), uuid7()
    with (
        wakes.watch(WORK, organization) as wide,
        wakes.watch(WORK, organization) as other,
        wakes.watch(WORK, workspace) as narrow,
    ):
        wakes.wake(WORK, workspace, organization, count=2)

        assert [narrow.is_set, wide.is_set, other.is_set] == [True, True, False]


def test_who_waits_for_several_is_woken_once(wakes):
    """Two wake-ups of two workspaces wake two of those who wait for both."""
    first, second = uuid7(), uuid7()
    places = [(WORK, first), (WORK, second)]
    with wakes.watch_any(places) as one, wakes.watch_any(places) as two, wakes.watch_any(places) as three:
        wakes.wake(WORK, first, count=1)
        wakes.wake(WORK, second, count=1)

        assert [one.is_set, two.is_set, three.is_set] == [True, True, False]


async def test_a_wake_up_that_finds_its_hearer_leaving_goes_on(wakes):
    """Who has what it wanted and leaves passes on what it was woken for; who has looked keeps it."""
    workspace, organization = uuid7(), uuid7()
    with wakes.watch(WORK, organization) as stays:
        with wakes.watch(WORK, workspace):
            wakes.wake(WORK, workspace, organization, count=1)
            assert not stays.is_set
        assert stays.is_set
        assert await stays.wait(60)

        with wakes.watch(WORK, workspace) as looks:
            wakes.wake(WORK, workspace, organization, count=1)
            assert await looks.wait(60)
        assert not stays.is_set


def test_what_was_for_all_is_passed_to_nobody(wakes):
    """All have heard it."""
    workspace = uuid7()
    with wakes.watch(WORK, workspace):
        wakes.wake(WORK, workspace)
    with wakes.watch(WORK, workspace) as later:
        assert not later.is_set

"""Who may have a lock: the rule against a model that knows whole lines, and what may be asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.locks.errors import LockInvalid
from controlroom.engine.locks.model import LockName, LockOf
from controlroom.engine.locks.rules import MOST_LOCKS, Place, checked_capacity, may_take, wanted
from controlroom.errors import Invalid

NAMES = "abcd"
wishes = st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=12)
capacities = st.fixed_dictionaries({name: st.integers(1, 3) for name in NAMES})


class Room:
    """Runs by age, with what they want; some hold it, some have ended."""

    def __init__(self, wishes: list[set[str]], capacities: dict[str, int]) -> None:
        self.wishes = dict(enumerate(wishes))
        self.capacities = capacities
        self.holding: list[int] = []

    @property
    def waiting(self) -> list[int]:
        """Oldest first."""
        return [run for run in self.wishes if run not in self.holding]

    def places(self, run: int) -> list[Place]:
        """What the statement counts."""
        front = [each for each in self.wishes if each != run and (each in self.holding or each < run)]
        return [
            Place(self.capacities[name], sum(name in self.wishes[each] for each in front)) for name in self.wishes[run]
        ]

    def by_the_rule(self) -> list[int]:
        """Those who may take theirs, each asked for itself."""
        return [run for run in self.waiting if may_take(self.places(run))]

    def by_the_model(self) -> list[int]:
        """Go through the line, oldest first: what one gets or waits for is gone for all behind them."""
        free = {name: self.capacities[name] for name in NAMES}
        for run in self.holding:
            for name in self.wishes[run]:
                free[name] -= 1
        granted = []
        for run in self.waiting:
            if all(free[name] > 0 for name in self.wishes[run]):
                granted.append(run)
            for name in self.wishes[run]:
                free[name] -= 1
        return granted

    def holders(self, name: str) -> int:
        return sum(name in self.wishes[run] for run in self.holding)


@given(wishes, capacities, st.randoms(use_true_random=False))
def test_the_rule_is_the_line(wishes, capacities, chance):
    """Asked in any order, it grants what going through the line grants; nobody waits for ever, nobody is overtaken."""
    room = Room(wishes, capacities)
    granted = []
    while room.wishes:
        assert room.by_the_rule() == room.by_the_model()
        while able := room.by_the_rule():
            taking = chance.choice(able)
            older = [run for run in room.waiting if run < taking]
            assert all(
                room.holders(name) + sum(name in room.wishes[run] for run in older) < capacities[name]
                for name in room.wishes[taking]
            )
            room.holding.append(taking)
            granted.append(taking)
            assert all(room.holders(name) <= capacities[name] for name in NAMES)
        assert room.holding, "all wait, and nobody holds anything"
        ended = chance.choice(room.holding)
        room.holding.remove(ended)
        del room.wishes[ended]
    assert sorted(granted) == list(range(len(wishes)))


@given(wishes, st.randoms(use_true_random=False))
def test_a_lock_of_one_is_had_in_the_order_of_age(wishes, chance):
    """Of those that want a name that one may hold, an older one always comes first."""
    room = Room(wishes, dict.fromkeys(NAMES, 1))
    had: dict[str, list[int]] = {name: [] for name in NAMES}
    while room.wishes:
        for run in room.by_the_rule():
            room.holding.append(run)
            for name in room.wishes[run]:
                had[name].append(run)
        ended = chance.choice(room.holding)
        room.holding.remove(ended)
        del room.wishes[ended]
    assert all(runs == sorted(runs) for runs in had.values())


def test_what_is_wanted_twice_is_one_lock():
    """What a process and a start want are put together; the same name of the organization is another lock."""
    shared = LockName("db", LockOf.ORGANIZATION)
    assert wanted([LockName("db"), LockName("a")], [LockName("db"), shared]) == (
        LockName("a"),
        shared,
        LockName("db"),
    )


def test_what_is_no_lock_is_refused():
    """A lock has a name, a run few of them, and a lock some holders."""
    with pytest.raises(Invalid):
        wanted([LockName(" ")])
    with pytest.raises(LockInvalid):
        wanted([LockName(f"lock {number}") for number in range(MOST_LOCKS + 1)])
    with pytest.raises(LockInvalid):
        checked_capacity(0)

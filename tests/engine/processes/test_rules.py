"""Which steps stay the same when a process is edited, and which steps there may be."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.processes.errors import StepInvalid
from controlroom.engine.processes.model import OnDemand, PackageCommands, Placement, StepDefinition, Workers
from controlroom.engine.processes.rules import KnownStep, check_steps, match_steps
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import StepId, uuid7
from controlroom.protocol import Command

names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def known(steps: list[str]) -> list[KnownStep]:
    """Steps of these names."""
    return [KnownStep(StepId(uuid7()), name) for name in steps]


@given(names, names)
def test_every_old_step_is_kept_once_or_removed(before, after):
    """No step is two new ones, none is forgotten, and each wanted one is there."""
    existing = known(before)

    plan = match_steps(existing, after)

    kept = [step for step in plan.kept if step is not None]
    assert len(plan.kept) == len(after)
    assert len(set(kept)) == len(kept)
    assert {*kept, *plan.removed} == {step.id for step in existing}
    assert not set(kept) & set(plan.removed)


@given(names, names)
def test_a_step_that_keeps_its_name_keeps_its_id(before, after):
    """Wherever a step of a known name is put, it is the same one."""
    existing = known(before)
    plan = match_steps(existing, after)

    for step in existing:
        if step.name in after:
            assert plan.kept[after.index(step.name)] == step.id


@given(names)
def test_an_edit_that_changes_no_name_loses_nothing(before):
    """The same steps again, or further ones behind them, are harmless to runs under way."""
    existing = known(before)

    assert not match_steps(existing, before).loses_or_moves(existing)
    assert not match_steps(existing, [*before, "new"]).loses_or_moves(existing)


def test_a_renamed_step_keeps_its_id_by_its_place():
    """A name that was not there before, at the place of one that is not there any more, is a new name of it."""
    existing = known(["one", "two", "three"])

    plan = match_steps(existing, ["one", "zwei", "three"])

    assert plan.kept == tuple(step.id for step in existing)
    assert not plan.loses_or_moves(existing)


def test_removed_and_moved_steps_are_noticed():
    """A run under way would lose items if its steps were taken away or changed places."""
    existing = known(["one", "two"])

    assert match_steps(existing, ["one"]).removed == (existing[1].id,)
    assert match_steps(existing, ["one"]).loses_or_moves(existing)
    assert match_steps(existing, ["two", "one"]).loses_or_moves(existing)
    assert match_steps(existing, ["one", "between", "two"]).loses_or_moves(existing)


@pytest.mark.parametrize(
    "step",
    [
        StepDefinition(name="s", max_parallel=0),
        StepDefinition(name="s", max_parallel=10_001),
        StepDefinition(name="s", timeout=timedelta(0)),
        StepDefinition(name="s", timeout=timedelta(days=31)),
        StepDefinition(name="s", placement=Placement((Workers(()),))),
        StepDefinition(name="s", placement=Placement((OnDemand(uuid7()), Workers((uuid7(),))))),
        StepDefinition(name="s", retry=RetryPolicy(max_attempts=0)),
        StepDefinition(name="s", retry=RetryPolicy(delay_seconds=-1)),
        StepDefinition(name="s", retry=RetryPolicy(backoff=0.5)),
        StepDefinition(name="s", retry=RetryPolicy(jitter=2)),
        StepDefinition(name="s", retry=RetryPolicy(delay_seconds=float("nan"))),
        StepDefinition(name="s", environment={"A=B": "1"}),
        StepDefinition(name="s", environment={"": "1"}),
        StepDefinition(name="s", environment={"A": "\0"}),
        StepDefinition(name="s", environment={"A": "x" * 200_000}),
    ],
)
def test_a_step_that_cannot_be_is_refused_by_name(step):
    """Settings beyond their bounds are refused with the step's name."""
    with pytest.raises(StepInvalid) as refused:
        check_steps([step])
    assert refused.value.fields["step"] == "s"


def test_two_steps_of_one_name_are_refused():
    """Options and edits go by the names of steps: they are unique in a process."""
    with pytest.raises(StepInvalid, match="another step"):
        check_steps([StepDefinition(name="s"), StepDefinition(name="s")])


COMMAND = Command(name="build", words=("tool", "build"))


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        ((), "1 to 100 commands"),
        ((COMMAND,) * 101, "1 to 100 commands"),
        ((Command(name=" ", words=("x",)),), "name of a command"),
        ((Command(name="a\nb", words=("x",)),), "name of a command"),
        ((Command(name="x" * 4001, words=("x",)),), "name of a command"),
        ((Command(name="x", words=()),), "names no program"),
        ((COMMAND, Command(name="x", words=(" ", "y"))), "names no program"),
        ((Command(name="x", words=("a", "b\0")),), "NUL"),
        ((Command(name="x", words=("a", "b" * 131_072)),), "131,072 bytes"),
        ((Command(name="x", words=("a", "b" * 131_071)),) * 3, "262,144 bytes together"),
        ((Command(name="x", words=("a",), variables={"A=B": ""}),), "'x': 'A=B' is no name"),
    ],
)
def test_a_list_of_commands_that_cannot_be(commands, says):
    """What no machine could run is refused when it is written down, and the command is named."""
    with pytest.raises(StepInvalid, match=says):
        check_steps([StepDefinition(name="s", work=PackageCommands("robot", commands))])


def test_commands_may_share_a_name():
    """They are told apart by their place: the same command may run twice."""
    check_steps([StepDefinition(name="s", work=PackageCommands("robot", (COMMAND, COMMAND)))])

"""The form of a process, and of a start: what is typed is understood, what is not shown stays."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from controlroom.engine.processes.model import Group, Placement, Step, StepCommands, StepTask, Workers
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import PackageId, ProcessId, QueueId, StepId, TaskId, WorkerGroupId, WorkerId, WorkspaceId, uuid7
from controlroom.protocol import Command
from controlroom.robots.interfaces import Interface, Parameter, ParameterType
from controlroom.ui.asking import Fields
from controlroom.ui.processes.forms import ProcessForm, StepForm, rearranged, sent, understood
from controlroom.ui.processes.forms import _step as shown
from controlroom.ui.processes.starting import answered, inputs_of, payloads_of

PACKAGE = PackageId(uuid7())


def step(**given) -> Step:
    """A step with some settings."""
    usual = {
        "id": StepId(uuid7()),
        "number": 7,
        "workspace_id": WorkspaceId(uuid7()),
        "process_id": ProcessId(uuid7()),
        "position": 0,
        "name": "extract",
        "work": StepTask(TaskId(uuid7()), 8, "Extract", PACKAGE, "robots"),
        "queue_id": QueueId(uuid7()),
        "has_schema": False,
        "max_parallel": 4,
        "timeout": timedelta(minutes=30),
        "starts_after_previous": True,
        "one_item_per_step_run": False,
        "environment": {"LEVEL": "debug", "EMPTY": "", "EQ": "a=b"},
        "retry": RetryPolicy(max_attempts=3, delay_seconds=60, exception_types=(ExceptionType.APPLICATION,)),
        "placement": Placement((Group(WorkerGroupId(uuid7())),)),
    }
    return Step(**(usual | given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"work": None, "timeout": None, "environment": {}},
        {"work": StepCommands(PACKAGE, "shop", (Command(name="a", words=("a",)),))},
        {"placement": Placement((Workers((WorkerId(uuid7()),)), Group(WorkerGroupId(uuid7()))))},
        {"placement": Placement((Workers((WorkerId(uuid7()),)),)), "retry": RetryPolicy()},
    ],
)
def test_a_form_that_nobody_touched_changes_nothing(given):
    """Whatever the step is, also what the form has no field for."""
    before = step(**given)
    asked = understood(ProcessForm(name="x", steps=(shown(before),)), [before])

    assert asked.wrong == {}
    [after] = asked.steps
    for name in ("name", "max_parallel", "timeout", "starts_after_previous", "environment", "retry", "placement"):
        assert getattr(after, name) == getattr(before, name), name


def test_what_is_wrong_is_said_by_its_field():
    """All of it at once."""
    form = ProcessForm(
        has_default=True,
        default_item="{",
        steps=(
            StepForm(
                work="x", where="group:1", max_parallel="0", timeout="soon", attempts="", backoff="x", environment="A"
            ),
        ),
    )
    assert set(understood(form).wrong) == {
        "name",
        "default_item",
        *(f"step-0-{field}" for field in ("name", "work", "where", "max_parallel", "timeout", "attempts", "backoff")),
        "step-0-environment",
    }


NAMES = ("a", "b", "c")
FORM = ProcessForm(name="x", steps=tuple(StepForm(name=name) for name in NAMES))


@pytest.mark.parametrize(
    ("do", "names"),
    [
        ("up:2", "acb"),
        ("down:0", "bac"),
        ("up:0", "abc"),
        ("down:2", "abc"),
        ("remove:1", "ac"),
        ("remove:9", "abc"),
        ("remove:²", "abc"),
        ("nonsense", "abc"),
    ],
)
def test_buttons_rearrange_steps(do, names):
    """What no button says changes nothing."""
    assert "".join(each.name for each in rearranged(FORM, do).steps) == names


def test_a_step_is_added_with_a_free_name():
    """So that it can be saved as it is."""
    taken = replace(FORM, steps=(StepForm(name="Step 2"), StepForm(name="Step 3")))
    assert rearranged(taken, "add").steps[-1].name == "Step 4"


@given(
    st.lists(st.tuples(st.sampled_from(["step-0-name", "step-1-where", "step-0-retry", "x"]), st.text()), max_size=6)
)
def test_any_form_is_read(pairs):
    """Whatever is posted: it is understood, or something is said about it."""
    assert isinstance(understood(sent(Fields(pairs))).wrong, dict)


INTERFACE = Interface(
    inputs=(
        Parameter("customer", ParameterType.STRING),
        Parameter("count", ParameterType.INTEGER, 3),
        Parameter("dry", ParameterType.BOOLEAN, default=True),
        Parameter("lines", ParameterType.ARRAY, []),
        Parameter("any"),
    )
)


def test_a_start_is_asked_what_its_task_takes():
    """With defaults filled in; values are of the kinds that were declared."""
    inputs = inputs_of(None, INTERFACE)
    assert [each.value for each in inputs] == ["", "3", "on", "[]", ""]
    pairs = [("input-customer", "Müller"), ("input-count", "7"), ("input-lines", "[1]"), ("input-any", "so")]
    assert answered(inputs, Fields(pairs))[0] == {
        "customer": "Müller",
        "count": 7,
        "dry": False,
        "lines": [1],
        "any": "so",
    }
    _, shown_again, wrong = answered(inputs, Fields([("input-count", "many")]))
    assert set(wrong) == {"input-customer", "input-count", "input-any"}
    assert shown_again[1].value == "many"


@pytest.mark.parametrize(
    ("text", "count"),
    [('{"a": 1}', 1), ("1", 1), ("null", 1), ("[1, 2]", 2), ("[]", 0), ('{"a": 1}\n\n{"a": 2}', 2), ('"a"\n2\n', 2)],
)
def test_payloads_are_one_or_one_a_line_or_an_array(text, count):
    """As they are: nothing of them is written anew."""
    found = payloads_of(text)
    assert (len(msgspec.json.decode(found.array)), found.count) == (count, count)


@pytest.mark.parametrize("text", ["{", "a\nb", "1\n{"])
def test_what_is_no_payload_is_refused(text):
    """By its line, where there are several."""
    with pytest.raises(ValueError, match="no JSON"):
        payloads_of(text)


def test_a_payload_keeps_its_numbers():
    """Large ones, too, which no float holds."""
    assert payloads_of("123456789012345678901234567890").array == Raw(b"[123456789012345678901234567890]")

"""Named inputs and outputs of tasks: declared, or read from the code without running it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from controlroom.errors import Invalid
from controlroom.robots.definition import parse_robot, with_interfaces
from controlroom.robots.interfaces import Interface, Parameter, ParameterType, parse_interfaces, signature_interface

RUN = ["python", "-m", "robocorp.tasks", "run", "tasks.py", "-t", "greet"]

CODE = """
import os
from robocorp import tasks
from robocorp.tasks import task

raise SystemExit("nobody runs this")

@task
def greet(name: str, times: int = 2, *, loud: bool = False, ratio: "float" = 0.5, tags: list[str] = [],
          extra: dict = {"a": 1}, who: str | None = None, where=os.getcwd(), **rest) -> str:
    ...

@tasks.task()
def other(): ...

def helper(x: int): ...
"""


def inputs(code, words=RUN):
    """The inputs of a task whose file has this code."""
    return signature_interface(words, {"tasks.py": code}.get).inputs


def test_a_signature_gives_the_inputs():
    """Names, types and defaults of the function are those of the task; what only running would tell is open."""
    kind = ParameterType
    assert inputs(CODE) == (
        Parameter("name", kind.STRING),
        Parameter("times", kind.INTEGER, 2),
        Parameter("loud", kind.BOOLEAN, default=False),
        Parameter("ratio", kind.NUMBER, 0.5),
        Parameter("tags", kind.ARRAY, []),
        Parameter("extra", kind.OBJECT, {"a": 1}),
        Parameter("who", kind.ANY, None),
        Parameter("where", kind.ANY, None),
    )
    assert [parameter.name for parameter in inputs(CODE) if parameter.is_required] == ["name"]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (RUN, 8),
        (["python", "-m", "robocorp.tasks", "run", "-t", "greet"], 8),
        (["python", "-m", "robocorp.tasks", "run", "./tasks.py", "--task", "greet"], 8),
        (["python", "-m", "robocorp.tasks", "run", "tasks.py", "-t", "other"], 0),
        (["python", "-m", "robocorp.tasks", "run", "tasks.py", "-t", "helper"], 0),
        (["python", "-m", "robocorp.tasks", "run", "tasks.py"], 0),
        (["python", "-m", "robocorp.tasks", "run", "gone.py", "-t", "greet"], 0),
        (["python", "-m", "robocorp.tasks", "list"], 0),
        (["python", "tasks.py"], 0),
        (["robocorp.tasks"], 0),
    ],
)
def test_only_the_called_task_counts(words, count):
    """The function is the one that the command line calls; where that is open there is no interface."""
    assert len(inputs(CODE, words)) == count


def test_the_only_task_of_a_file_needs_no_name():
    """A command line without a task's name calls the only one of the file."""
    assert inputs("@task\ndef only(a): ...", RUN[:5]) == (Parameter("a"),)


@given(st.text())
def test_no_code_is_ever_refused(code):
    """Whatever a file holds, reading its interface raises nothing."""
    assert inputs(code) == ()


@pytest.mark.parametrize("code", ["(" * 5000, "x = 1\0", "def greet(:", "@task\ndef greet(a=" + "-" * 5000 + "1): ..."])
def test_code_that_cannot_be_read_gives_no_interface(code):
    """Broken or monstrous code has no interface that we could read, or none of its defaults."""
    assert len(inputs(code)) <= 1


DECLARED = """
tasks:
  Greet:
    inputs:
      name: string
      times: {type: integer, default: 2}
      note: {default: null}
      anything:
    outputs:
      greeting: {type: object, default: {a: [1, 2.5, true]}}
"""


def test_controlroom_yaml_declares_inputs_and_outputs():
    """An interface can be declared in short (name: type) and in full, with defaults of any JSON value."""
    kind = ParameterType
    assert parse_interfaces(DECLARED) == {
        "Greet": Interface(
            inputs=(
                Parameter("name", kind.STRING),
                Parameter("times", kind.INTEGER, 2),
                Parameter("note", kind.ANY, None),
                Parameter("anything", kind.ANY, UNSET),
            ),
            outputs=(Parameter("greeting", kind.OBJECT, {"a": [1, 2.5, True]}),),
        )
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: {a: {inputs: {x: text}}}", "`tasks.a.inputs.x` must be one of string, integer"),
        ("tasks: {a: {inputs: [x]}}", "`tasks.a.inputs` must be a mapping"),
        ("tasks: {a: {inputs: {x: {default: 2020-01-01}}}}", None),
        ("tasks: {a: {inputs: {x: {default: 18446744073709551616}}}}", "a value that JSON can hold"),
        ("tasks: {a: {inputs: {x: {default: !!binary aGk=}}}}", None),
        ("tasks: {a: {inputs: {x: {default: !!python/name:os.system x}}}}", "a value that JSON can hold"),
        ("tasks: {a: {inputs: {x: {default: .nan}}}}", None),
        ("tasks: {a: {inputs: {x: {default: &l [*l]}}}}", "a value that JSON can hold"),
        ("tasks: {a: {inputs: {x: {default: " + "[" * 40 + "]" * 40 + "}}}}", "a value that JSON can hold"),
    ],
)
def test_a_wrong_declaration_is_refused_in_words(text, said):
    """A mistake names its key; a value that YAML knows and JSON does not is a text or refused, never an accident."""
    if said is None:
        (interface,) = parse_interfaces(text).values()
        assert isinstance(interface.inputs[0].default, str | None)
        return
    with pytest.raises(Invalid) as failure:
        parse_interfaces(text)
    assert said in str(failure.value)


def test_a_bomb_of_aliases_is_refused():
    """Lists of aliases of lists of aliases do not grow in memory."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for this, above in zip("bcdefghij", "abcdefghi", strict=True):
        bomb += f"{this}: &{this} [{', '.join(['*' + above] * 10)}]\n"

    with pytest.raises(Invalid, match="JSON"):
        parse_interfaces(bomb + "tasks: {t: {inputs: {x: {default: *j}}}}")


def test_a_declaration_says_what_a_parameter_is_for():
    """A parameter may have a description, and an input may be told with the figures of runs."""
    [interface] = parse_interfaces(
        "tasks: {a: {inputs: {x: {type: string, description: The customer., insight: true}, y: string}}}"
    ).values()

    assert interface.inputs == (
        Parameter("x", ParameterType.STRING, description="The customer.", is_insight=True),
        Parameter("y", ParameterType.STRING),
    )
    with pytest.raises(Invalid, match="must be true or false"):
        parse_interfaces("tasks: {a: {inputs: {x: {insight: sometimes}}}}")


def test_a_docstring_describes_the_inputs():
    """What the docstring's `Args` tell of an argument is its description; other sections are no arguments."""
    code = '''
@task
def greet(name: str, times: int = 1, loud=False):
    """Greet somebody.

    Args:
        name: Who is greeted:
            by their first name.
        times (int): How often.

    Returns:
        loud: nothing
    """
'''
    assert [parameter.description for parameter in inputs(code)] == [
        "Who is greeted: by their first name.",
        "How often.",
        "",
    ]


def test_a_declaration_comes_before_the_signature():
    """What controlroom.yaml says of a task stands, and tasks it does not name keep their signatures."""
    robot = parse_robot(
        "tasks: {Greet: {command: [python, -m, robocorp.tasks, run, tasks.py, -t, greet]},"
        " Other: {command: [python, -m, robocorp.tasks, run, tasks.py, -t, greet]}}\nartifactsDir: o"
    )

    greet, other = with_interfaces(robot, {"controlroom.yaml": DECLARED, "tasks.py": CODE}.get).tasks

    assert [parameter.name for parameter in greet.interface.inputs] == ["name", "times", "note", "anything"]
    assert len(other.interface.inputs) == 8


def test_a_declaration_of_an_unknown_task_is_refused():
    """A misspelt task name in controlroom.yaml is said, with the names there are."""
    robot = parse_robot("tasks: {greet: {shell: x}}\nartifactsDir: o")

    with pytest.raises(Invalid, match=r"no task `Greet` in robot\.yaml; it has `greet`"):
        with_interfaces(robot, {"controlroom.yaml": DECLARED}.get)

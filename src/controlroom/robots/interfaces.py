"""What a task takes and gives, by name: from `controlroom.yaml` beside robot.yaml, else from its `@task` signature.

Signatures are read from the syntax tree. Nothing of a robot is imported or run by those who only want to know it.
"""

import ast
import enum
import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Named
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from controlroom.robots.yaml_text import Mapping

FILE_NAME = "controlroom.yaml"


class ParameterType(enum.StrEnum):
    """The types of JSON, and `any` where nothing is said."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    ANY = "any"


class Parameter(Struct, frozen=True, omit_defaults=True):
    """One named input or output. An input without a default must be given."""

    name: str
    type: ParameterType = ParameterType.ANY
    default: Any | UnsetType = UNSET
    description: str = ""
    is_insight: bool = False
    """Whether its values are told with the figures of the task's runs, as those of all outputs are."""

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is UNSET


class Interface(Struct, frozen=True):
    """The named inputs and outputs of a task; both empty where it declares none."""

    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()


def filled(interface: Interface, given: Named[str, Any]) -> dict[str, Any]:
    """What a task gets that was given some of its inputs: the defaults of the others, too, first."""
    defaults = {each.name: each.default for each in interface.inputs if not each.is_required}
    return defaults | dict(given)


def parse_interfaces(text: str) -> dict[str, Interface]:
    """Read controlroom.yaml: `tasks: {name: {inputs: {name: type}, outputs: {name: {type: …, default: …}}}}`.

    In full a parameter has also a `description`, and an input may say `insight: true`. Raises Invalid
    (PACKAGE_INVALID).
    """
    tasks = Mapping.read(FILE_NAME, text).mapping("tasks")
    return {name: _interface(tasks.mapping(name)) for name in tasks}


def _interface(task: Mapping) -> Interface:
    return Interface(_parameters(task.mapping("inputs")), _parameters(task.mapping("outputs")))


def _parameters(section: Mapping) -> tuple[Parameter, ...]:
    return tuple(_parameter(section, name) for name in section)


def _parameter(section: Mapping, name: str) -> Parameter:
    if not section.is_mapping(name):
        return Parameter(name, _type(section, name))
    entry = section.mapping(name)
    return Parameter(
        name,
        _type(entry, "type"),
        entry.value("default") if "default" in entry.entries else UNSET,
        entry.text("description") if "description" in entry else "",
        _is_true(entry, "insight"),
    )


def _is_true(section: Mapping, key: str) -> bool:
    if key not in section:
        return False
    value = section.value(key)
    if not isinstance(value, bool):
        section.refuse(key, "true or false")
    return value


def _type(section: Mapping, key: str) -> ParameterType:
    try:
        return ParameterType(section.text(key) or "any")
    except ValueError:
        section.refuse(key, "one of " + ", ".join(ParameterType))


def signature_interface(words: list[str], source: Callable[[str], str | None]) -> Interface:
    """Read the inputs of a task from its function, if its command line is `python -m robocorp.tasks run FILE -t NAME`.

    `source` gives the text of a file of the robot by its relative name, None if there is none. Whatever cannot be
    understood gives no interface: a robot's code is never refused here. A function's result is no output (outputs are
    work items that it creates), so that outputs are declared in controlroom.yaml only.
    """
    called = _called_task(words)
    if called is None:
        return Interface()
    functions = _tasks_in(source(called.file) or "")
    if called.task:
        functions = [function for function in functions if function.name == called.task]
    if len(functions) != 1:
        return Interface()
    told = _arguments_told(ast.get_docstring(functions[0]) or "")
    return Interface(tuple(_inputs(functions[0].args, told)))


@lru_cache(maxsize=1)  # the tasks of a robot are most often in one file
def _tasks_in(text: str) -> list[ast.FunctionDef]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_task(node)]


class _Called(Struct, frozen=True):
    file: str
    task: str


_TASK_OPTIONS = {"-t", "--task", "--task-name"}


def _called_task(words: list[str]) -> _Called | None:
    try:
        rest = words[words.index("robocorp.tasks") + 1 :]
    except ValueError:
        return None
    if words[0].startswith("-") or rest[:1] != ["run"]:
        return None
    file, task = "", ""
    following = iter(rest[1:])
    for word in following:
        if word in _TASK_OPTIONS:
            task = next(following, "")
        elif word.endswith(".py") and not word.startswith("-"):
            file = PurePosixPath(word).as_posix()
    return _Called(file or "tasks.py", task)


def _is_task(function: ast.FunctionDef) -> bool:
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(target, "id", getattr(target, "attr", "")) == "task":
            return True
    return False


_TOLD = re.compile(r"(?P<indent>\s+)\*{0,2}(?P<name>\w{1,100})\s*(?:\([^()]{0,200}\))?:\s*(?P<text>.*)")


def _arguments_told(docstring: str) -> dict[str, str]:
    """What a docstring tells of each argument below `Args:`: the line of its name, and those indented deeper."""
    told: dict[str, str] = {}
    name, indent, is_inside = "", 0, False
    for line in docstring.splitlines():
        if not line.strip() or not line[0].isspace():
            is_inside = line.strip() in {"Args:", "Arguments:"} or (is_inside and not line.strip())
            continue
        if not is_inside:
            continue
        depth = len(line) - len(line.lstrip())
        begins = _TOLD.fullmatch(line.expandtabs())
        if begins and (not name or depth <= indent):
            name, indent = begins["name"], depth
            told[name] = begins["text"].strip()
        elif name:
            told[name] = f"{told[name]} {line.strip()}".strip()
    return told


def _inputs(arguments: ast.arguments, told: dict[str, str]) -> Iterator[Parameter]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults += arguments.defaults
    for argument, default in (*zip(positional, defaults, strict=True), *_keyword_only(arguments)):
        value = UNSET if default is None else _literal(default)
        yield Parameter(argument.arg, _annotated(argument.annotation), value, told.get(argument.arg, ""))


def _keyword_only(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


_ANNOTATIONS = {
    "str": ParameterType.STRING,
    "int": ParameterType.INTEGER,
    "float": ParameterType.NUMBER,
    "bool": ParameterType.BOOLEAN,
    "dict": ParameterType.OBJECT,
    "list": ParameterType.ARRAY,
    "tuple": ParameterType.ARRAY,
}


def _annotated(annotation: ast.expr | None) -> ParameterType:
    """The type of an annotation; `X | None` and what we do not know are `any`."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Constant):
        return _ANNOTATIONS.get(str(annotation.value), ParameterType.ANY)
    return _ANNOTATIONS.get(getattr(annotation, "id", ""), ParameterType.ANY)


def _literal(default: ast.expr) -> Any:
    """The value of a default; None for what is computed: it exists, and only the robot knows it."""
    try:
        value = ast.literal_eval(default)
        msgspec.msgpack.encode(value)  # Why: numbers beyond 64 bits are none that the room tells
        return msgspec.json.decode(msgspec.json.encode(value))
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError, RecursionError, MemoryError):
        return None

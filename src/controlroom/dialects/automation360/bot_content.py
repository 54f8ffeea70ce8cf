"""What a bot is as JSON: its task, inputs, outputs and package, in the form of the vendor's bots (§2.14.2).

The vendor's own bots are kept as they were stored, and their variables are told as they name them.
"""

from typing import Any, Final

from msgspec import UNSET

from controlroom.dialects.automation360.values import value_of
from controlroom.engine.repository.model import Node
from controlroom.robots.interfaces import Interface, Parameter, ParameterType

_TYPES: Final = {
    ParameterType.STRING: "STRING",
    ParameterType.INTEGER: "NUMBER",
    ParameterType.NUMBER: "NUMBER",
    ParameterType.BOOLEAN: "BOOLEAN",
    ParameterType.OBJECT: "DICTIONARY",
    ParameterType.ARRAY: "LIST",
    ParameterType.ANY: "STRING",
}
_SLOTS: Final[dict[str, tuple[str, Any]]] = {
    "STRING": ("string", ""),
    "NUMBER": ("number", ""),
    "BOOLEAN": ("boolean", ""),
    "DICTIONARY": ("dictionary", []),
    "LIST": ("list", []),
}


def content_of(task: Node, package: str, version: int, interface: Interface) -> dict[str, Any]:
    """A task as a bot: one node that runs it."""
    attributes = [
        {"name": "package", "value": {"type": "STRING", "string": package}},
        {"name": "task", "value": {"type": "STRING", "string": task.name}},
    ]
    node = {
        "uid": str(task.id),
        "commandName": "runTask",
        "packageName": package,
        "disabled": False,
        "attributes": attributes,
    }
    return {
        "triggers": [],
        "nodes": [node],
        "variables": variables_of(interface),
        "packages": [{"name": package, "version": str(version)}],
        "properties": {"botType": "TASK", "fileId": str(task.number), "version": str(version)},
    }


def variables_of(interface: Interface) -> list[dict[str, Any]]:
    """Inputs and outputs as variables; a name that is both is one."""
    outputs = {each.name for each in interface.outputs}
    inputs = {each.name for each in interface.inputs}
    told = [_variable(each, is_input=True, is_output=each.name in outputs) for each in interface.inputs]
    return told + [
        _variable(each, is_input=False, is_output=True) for each in interface.outputs if each.name not in inputs
    ]


def _variable(parameter: Parameter, *, is_input: bool, is_output: bool) -> dict[str, Any]:
    type_ = _TYPES[parameter.type]
    slot, empty = _SLOTS[type_]
    has_default = parameter.default is not UNSET and parameter.default is not None
    value = value_of(parameter.default) if has_default else {"type": type_, slot: empty}
    return {
        "name": parameter.name,
        "description": parameter.description,
        "type": value["type"] if parameter.type is ParameterType.ANY else type_,
        "readOnly": False,
        "input": is_input,
        "output": is_output,
        "defaultValue": value,
    }


def variables_in(content: Any) -> list[dict[str, Any]]:
    """The variables that a stored bot of the vendor's names."""
    found = content.get("variables") if isinstance(content, dict) else None
    return [
        {
            "name": str(each.get("name", "")),
            "description": str(each.get("description") or ""),
            "type": str(each.get("type") or "STRING"),
            "readOnly": bool(each.get("readOnly")),
            "input": bool(each.get("input")),
            "output": bool(each.get("output")),
            "defaultValue": each.get("defaultValue"),
        }
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict)
    ]

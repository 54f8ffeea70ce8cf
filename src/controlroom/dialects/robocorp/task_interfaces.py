"""What a task takes and gives by name (our own management API)."""

from typing import Any

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Shape
from controlroom.dialects.robocorp.routing import get
from controlroom.engine.packages import interfaces
from controlroom.ids import TaskId
from controlroom.robots.interfaces import Parameter, ParameterType


class ParameterAnswer(Shape, frozen=True, kw_only=True):
    """A named input or output."""

    name: str
    type: ParameterType
    default: Any | UnsetType = UNSET
    """An input without one must be given."""
    description: str
    insight: bool
    """Its values are told with the figures of the task's runs, as those of outputs are."""


class TaskInterfaceAnswer(Shape, frozen=True, kw_only=True):
    """The inputs and outputs of a task, in the version that was asked for or the latest one."""

    version: int
    inputs: list[ParameterAnswer]
    outputs: list[ParameterAnswer]


@get("/tasks/{task_id:uuid}/interface", needs=Permission.READ_PACKAGES)
async def get_task_interface(
    request: Asking, task_id: Path[TaskId], version: Query[int | None] = None, label: Query[str | None] = None
) -> TaskInterfaceAnswer:
    """Get the named inputs and outputs of a task: in a version of its package, or the one that bears a label."""
    found = await interfaces.of_task(*request.reading, task_id, version=version, label=label)
    return TaskInterfaceAnswer(
        version=found.version,
        inputs=[_shown(each) for each in found.interface.inputs],
        outputs=[_shown(each) for each in found.interface.outputs],
    )


def _shown(parameter: Parameter) -> ParameterAnswer:
    return ParameterAnswer(
        name=parameter.name,
        type=parameter.type,
        default=parameter.default,
        description=parameter.description,
        insight=parameter.is_insight,
    )

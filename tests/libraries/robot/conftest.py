"""A live server and its people, for robots that are real processes."""

from live import (  # noqa: F401 - fixtures are found by being here
    ada,
    hire,
    process,
    robot_content,
    room,
    stranger,
    walt,
    workspace,
)

"""A live server and its people."""

from live import (  # noqa: F401 - fixtures are found by being here
    ada,
    ben,
    cleo,
    hire,
    process,
    robot_content,
    room,
    stranger,
    walt,
    workspace,
)

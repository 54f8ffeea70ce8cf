"""A live server and its people, as the tests of the dialects have them."""

from dialects.conftest import (  # noqa: F401 - fixtures are found by being here
    ada,
    ben,
    cleo,
    hire,
    process,
    room,
    stranger,
    walt,
    workspace,
)

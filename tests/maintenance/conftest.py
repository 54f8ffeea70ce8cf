"""The engine, the team and the cast of the tests of the domain."""

from engine.conftest import *  # noqa: F403 - fixtures are found by being here
from engine.runs.conftest import floor  # noqa: F401 - the same shop floor

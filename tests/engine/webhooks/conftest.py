"""A room that speaks to the world, and processes that run."""

from delivering import deliveries, outside, receiver  # noqa: F401 - fixtures are found by being here
from engine.runs.conftest import floor  # noqa: F401 - the same shop floor

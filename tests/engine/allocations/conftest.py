"""The shop floor of runs, for what starts them by a call."""

from tests.engine.runs.conftest import floor, floors  # noqa: F401 - fixtures are found by being here

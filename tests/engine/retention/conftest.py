"""Processes that run."""

from engine.runs.conftest import floor  # noqa: F401 - the same shop floor

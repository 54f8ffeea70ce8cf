"""The shop floor of runs, for what starts them by itself."""

from tests.engine.runs.conftest import floor, floors

__all__ = ["floor", "floors"]

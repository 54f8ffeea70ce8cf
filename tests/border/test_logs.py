"""What a server says."""

import io
import json
import logging

import pytest
import structlog

from controlroom.border import logs
from controlroom.settings import Settings


@pytest.fixture
def said():
    """A stream that logs go to; the test session's own ways of logging come back afterwards."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers
    yield io.StringIO()
    structlog.configure(**before)
    logging.getLogger().handlers = handlers


def _fail() -> None:
    password = "hunter2"  # noqa: F841 - what must not be shown
    raise RuntimeError("it broke")


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_show_no_values(said, form):
    """A failure is logged with its traceback, and without the values of variables, which may be secrets."""
    logs.configure(Settings(log_format=form), said)

    try:
        _fail()
    except RuntimeError as error:
        structlog.get_logger().error("request failed", request="r1", exc_info=error)

    assert "it broke" in said.getvalue()
    assert "_fail" in said.getvalue()
    assert "hunter2" not in said.getvalue().replace('password = "hunter2"', "")


def test_every_event_is_one_line_of_json(said):
    """Our events and those of libraries are lines of JSON of one form."""
    logs.configure(Settings(log_format="json"), said)

    structlog.get_logger().info("run finished", run=7, seconds=1.5)
    logging.getLogger("some.library").warning("careful: %s", "edge\nof a line")

    ours, theirs = map(json.loads, said.getvalue().splitlines())
    assert (ours["event"], ours["level"], ours["run"], ours["seconds"]) == ("run finished", "info", 7, 1.5)
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "careful: edge\nof a line",
        "warning",
        "some.library",
    )
    assert ours["timestamp"].endswith("Z")

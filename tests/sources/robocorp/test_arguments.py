"""What the source is told, and by what."""

import pytest

from controlroom.sources import robocorp_source
from controlroom.sources.arguments import NotConfigured


def test_a_key_of_something_else_is_not_sent(monkeypatch):
    """A bare variable of the shell is nobody's configuration."""
    for name in ("WORKSPACE_ID", "API_KEY", "BASE_URL", "SINCE", "WINDOW", "WORKERS", "VERIFY", "FULL"):
        monkeypatch.setenv(name, "of something else")
    with pytest.raises(NotConfigured, match="SOURCES__ROBOCORP__WORKSPACE_ID"):
        robocorp_source(api_key="k")
    with pytest.raises(NotConfigured, match="SOURCES__ROBOCORP__API_KEY"):
        robocorp_source(workspace_id="w")
    assert "work_items" in robocorp_source(workspace_id="w", api_key="k").resources


def test_the_configuration_of_the_source_is_taken(monkeypatch):
    """From its own section of the environment, as dlt names it."""
    monkeypatch.setenv("SOURCES__ROBOCORP__WORKSPACE_ID", "w")
    monkeypatch.setenv("SOURCES__ROBOCORP__API_KEY", "k")
    assert {"process_runs", "work_items", "outputs"} <= set(robocorp_source().resources)

"""What holds for every page: who may open it, its headers, how it fails, and what its templates may contain."""

import re
from pathlib import Path

import pytest

from controlroom.engine.nudges.model import NEEDS
from controlroom.ui.app import modules, places_of

UI = Path(__file__).parents[2] / "src/controlroom/ui"
TEMPLATES = sorted(UI.rglob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(UI).as_posix())
def test_templates_need_no_exception_of_the_policy(template):
    """No inline style, script or handler, nothing that htmx would evaluate, and no other origin."""
    text = template.read_text()
    for forbidden in (
        r"\sstyle=",
        r"<style",
        r"hx-on",
        r"js:",
        r"\son[a-z]+=\"",
        r"javascript:",
        r"\|\s*safe\b",
        r"hx-trigger=\"[^\"]*\[",
    ):
        assert not re.search(forbidden, text), forbidden
    assert not re.findall(r"<script(?![^>]*\bsrc=)", text)
    assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", text)


def test_icons_that_are_named_are_in_the_sprite():
    """By a template, or by an entry of the side bar."""
    known = {
        line.split()[0]
        for line in (UI.parents[2] / "assets/icons.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    named = {name for path in TEMPLATES for name in re.findall(r"ui\.icon\(\"([\w-]+)\"", path.read_text())}
    named = {name for name in named if not name.endswith("-")}  # those are put together
    named |= {place.icon for place in places_of(modules())}
    assert named <= known, named - known


def test_what_stays_live_names_topics_that_there_are():
    """A part that waits for a noun of which no event speaks would never be asked for."""
    asked = [each for path in TEMPLATES for each in re.findall(r'ui\.live\(\s*"([^"]*)"', path.read_text())]
    asked += [each for path in UI.rglob("pages*.py") for each in re.findall(r'topics="([^"]*)"', path.read_text())]
    named = {topic.partition("-")[0] for topics in asked for topic in topics.split()}
    assert "run" in named
    assert named <= set(NEEDS)

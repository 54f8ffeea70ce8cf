"""Every noun of which an event speaks is heard of by somebody."""

import re
from pathlib import Path

from controlroom.engine.nudges.model import CONSOLE, NEEDS

ENGINE = Path(__file__).parents[3] / "src/controlroom"
A_KIND = re.compile(r"(?:kind=|(?:record|happened)\(.{0,200}?)f?\"([a-z_]+)\.(?:[a-z_]+|\{[^\"]*\})\"", re.DOTALL)


def test_every_noun_of_an_event_has_its_permission():
    """Else nobody but auditors could watch it."""
    text = "".join(path.read_text() for path in ENGINE.rglob("*.py"))
    spoken_of = set(A_KIND.findall(text))
    assert {"run", "work_item", "webhook"} <= spoken_of
    assert spoken_of - set(NEEDS) == set()
    assert CONSOLE in NEEDS

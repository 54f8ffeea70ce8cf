"""Tables that are cards on a phone: what is pressed or filled in there is in a cell that a phone shows."""

import re
from pathlib import Path

from controlroom import ui

UI = Path(ui.__file__).parent
CONTROL = re.compile(r"<(?:button|form|input|label|select)\b|ui\.(?:button|field|link_button|menu|select|tick|verb)\(")
PLACED = re.compile(r"card-(?:lead|side|wide|last)|tick-cell|wide-only")
"""Classes that say where a cell goes on a card, or that it is for wide pages alone."""
BESIDE = {"connect/connect.html"}
"""Its buttons copy the text that stands beside them, which a phone shows."""


def test_no_control_is_lost_on_a_phone():
    """A cell without a place is not drawn there, and a field in it is nowhere."""
    lost = set()
    for file in UI.rglob("*.html"):
        for table in re.findall(r'<table class="[^"]*\bcards\b[^"]*">.*?</table>', file.read_text(), re.DOTALL):
            for attributes, content in re.findall(r"<td([^>]*)>(.*?)</td>", table, re.DOTALL):
                if CONTROL.search(content) and not PLACED.search(attributes):
                    lost.add(str(file.relative_to(UI)))
    assert lost == BESIDE

"""The scripts of pages, as they are written."""

import re
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "assets" / "js"


def test_one_function_asks_the_server():
    """Because what is asked of a `fetch` may fail twice: when it is sent, and while its text comes."""
    calls = [
        (file.relative_to(SCRIPTS).as_posix(), call)
        for file in sorted(SCRIPTS.rglob("*.js"))
        for call in re.findall(r"\bfetch\(|\.(?:text|json|blob|arrayBuffer)\(\)", file.read_text())
    ]
    assert calls == [("console/1-page.js", "fetch("), ("console/1-page.js", ".text()")]

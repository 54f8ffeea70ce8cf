"""Programs of ours that are started by the name of their module."""

import ast
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import controlroom

SOURCE = Path(controlroom.__file__).parent


def named_after(flag: str) -> set[str]:
    """The modules of ours that follow a flag in a list of words, anywhere in the source."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if f'"{flag}"' not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            words = [each.value for each in getattr(node, "elts", ()) if isinstance(each, ast.Constant)]
            found |= {name for word, name in pairwise(words) if word == flag and str(name).startswith("controlroom")}
    return found


def test_a_program_is_not_imported_before_it_runs():
    """Python has nothing to warn of in what people and robots read."""
    modules = named_after("-m")
    assert "controlroom.host.supervised" in modules  # they are found

    for module in sorted(modules | {"controlroom"}):
        command = [sys.executable, "-m", module, "--version"]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        assert "found in sys.modules" not in ended.stderr, module

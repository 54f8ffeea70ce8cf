"""Programs of ours that are started by the name of their module."""

import ast
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import controlroom

SOURCE = Path(controlroom.__file__).parent


def named_after(flag: str) -> set[str]:
    """The modules of ours that follow a flag in a list of words, anywhere in the source."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            words = [each.value for each in getattr(node, "elts", ()) if isinstance(each, ast.Constant)]
            found |= {name for word, name in pairwise(words) if word == flag and str(name).startswith("controlroom")}
    return found


@pytest.mark.parametrize("module", sorted(named_after("-m") | {"controlroom"}))
def test_a_program_is_not_imported_before_it_runs(module):
    """Python has nothing to warn of in what people and robots read."""
    command = [sys.executable, "-m", module, "--version"]

    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    assert "found in sys.modules" not in ended.stderr

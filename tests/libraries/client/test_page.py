"""The page that tells how the library is used does what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rooms import clean_environment, room

PAGE = Path(__file__).parents[3] / "docs/client.md"


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> str:
    """What the examples of the page print, run as one program by a room with a worker."""
    folder: Path = tmp_path_factory.mktemp("page")
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    (folder / "page.py").write_text(program, "utf-8")
    with room() as here:
        facts = here.facts
        named = {"URL": here.url, "WORKSPACE": facts["workspace_id"], "API_KEY": facts["api_key"]}
        variables = clean_environment(**{f"CONTROLROOM_{name}": value for name, value in named.items()})
        words = [sys.executable, "-W", "error", "page.py"]
        done = subprocess.run(
            words, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=300
        )
    assert done.returncode == 0, done.stderr + here.log
    assert done.stderr == ""
    return done.stdout + "\n".join(each.name for each in folder.iterdir())


def test_the_examples_do_what_the_page_says(said):
    """A package, a process, a run with its console and files, a list, errors by their codes; the same by asyncio."""
    lines = said.splitlines()
    assert "greet#1 1: hello" in lines
    assert lines.index("greet#1 is in_progress") < lines.index("greet#1 1: hello") < lines.index("greet#1 is completed")
    assert any(line.startswith("completed ") for line in lines)
    assert "PROCESS_RUN_NOT_FOUND" in lines
    assert "hello" in lines
    assert "['completed', 'completed']" in lines
    assert "['Greetings']" in lines
    assert "greeting.txt" in lines

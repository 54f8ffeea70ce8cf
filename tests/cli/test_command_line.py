"""The command line itself: what it costs, what it says, how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controlroom import __version__
from controlroom.cli.commands import SECTIONS
from controlroom.dialects.robocorp.permissions import NAMES
from controlroom.engine.access.model import Permission
from rooms import clean_environment, run_cli

COMMANDS = [command.name for _, commands in SECTIONS for command in commands]


def test_the_overview_names_every_command():
    """`controlroom` and `controlroom --help` say what there is, without importing any of it."""
    for words in ([], ["--help"], ["-h"]):
        done = run_cli(*words)
        assert done.returncode == 0
        assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_the_version_is_told():
    """`--version` prints name and version."""
    assert run_cli("--version").stdout == f"controlroom {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    """Each command has help, and none needs a room for it."""
    done = run_cli(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"controlroom {name}" in done.stdout


def test_the_document_names_every_permission():
    """Who makes a role or a key finds in the document what can be allowed."""
    document = (Path(__file__).parents[2] / "docs" / "operate" / "cli.md").read_text()
    assert [name for each in Permission if f"`{(name := NAMES.get(each, each.value))}`" not in document] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(shell):
    """The completion scripts know the commands and their options."""
    script = run_cli("completion", shell).stdout
    assert "controlroom" in script
    assert all(name in script for name in COMMANDS)
    assert "max-parallel" in script


def test_bash_completes_what_is_begun():
    """What is typed so far is completed by the script, as bash runs it."""
    script = run_cli("completion", "bash").stdout
    ask = 'COMP_WORDS=(controlroom proce); COMP_CWORD=1; _controlroom; echo "${COMPREPLY[@]}"'
    # Why by its input: as an argument the script would be longer than Linux allows
    done = subprocess.run(["bash"], input=f"{script}\n{ask}\n", capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["process"], done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "nothing"),
        (["push"], "DIRECTORY"),
        (["push", ".", "--nope"], "--nope"),
        (["run", "p", "--input", "{", "--api-key", "k", "--workspace", "w", "--url", "http://127.0.0.1:1"], "no JSON"),
        (["worker", "--url", "http://127.0.0.1:1", "--link-token", "@/nowhere"], "/nowhere"),
    ],
)
def test_a_wrong_command_line_exits_with_2(words, said):
    """Misuse is told apart from failure, names what is wrong, and never shows a traceback."""
    done = run_cli(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_room_that_is_not_there_is_a_failure_that_helps():
    """Without a room, commands say what to do and exit with 1."""
    nowhere = run_cli("items", "list")
    assert nowhere.returncode == 1
    assert "CONTROLROOM_URL" in nowhere.stderr

    silent = run_cli("items", "list", "--url", "http://127.0.0.1:1", "--workspace", "w", "--api-key", "k")
    assert silent.returncode == 1
    assert "http://127.0.0.1:1" in silent.stderr
    assert "Traceback" not in silent.stderr


def test_a_file_of_somebody_else_names_no_room(tmp_path):
    """The room of a data folder is only believed if its file is our own."""
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"url": "http://evil.example", "workspace_id": "w", "api_key": "k"}))
    os.chown(ready, 12345, 12345)
    assert "which room" in run_cli("items", "list", CONTROLROOM_DATA=str(tmp_path)).stderr


def test_commands_answer_before_one_notices():
    """No command imports what it does not need: neither the server's parts nor the worker's."""
    code = (
        "import sys; from controlroom.cli.main import run; run(['items', 'list', '--url', 'http://127.0.0.1:1', "
        "'--workspace', 'w', '--api-key', 'k']); print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean_environment()
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncio", "httpx2", "litestar", "asyncpg", "uvicorn", "rich.console", "msgspec", "yaml"}
    assert not {name for name in loaded if name.startswith(("controlroom.engine", "controlroom.worker"))}


def test_the_overview_needs_no_command_line_library():
    """`controlroom` alone, which people type first, is as fast as Python starts."""
    code = "import sys; from controlroom.cli.main import run; run([]); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"cyclopts", "attrs", "rich", "json", "argparse"}

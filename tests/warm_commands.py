"""The warm interpreter behind `warm.py`: has imported every command, and forks one for each line that it is given."""

import atexit
import json
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from controlroom.cli import application  # noqa: F401 - imported to be there
from controlroom.cli.commands import SECTIONS
from controlroom.cli.main import main


def _serve() -> None:
    for _, commands in SECTIONS:
        for command in commands:
            import_module(f"controlroom.{command.path.partition(':')[0]}")
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: Mapping[str, Any]) -> None:
    """Be the command, and end."""
    code = 1
    try:
        for number, (name, how) in enumerate((("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))):
            there = os.open(asked["files"][name], how | os.O_CREAT | os.O_APPEND)
            os.dup2(there, number)
            os.close(there)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["controlroom", *asked["words"]]
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - they stay open
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - the edge of a process: what an interpreter does with what nobody caught
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()

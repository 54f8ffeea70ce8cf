"""Commands as processes of their own that do not begin by importing: forks of a warm interpreter.

A command takes a fifth of a second of a processor to import what it needs and a tenth of that to do its work, and the
tests run more than a thousand. So one process imports it once, and each command is a fork of it with arguments,
environment, folder and files of its own. What is asked for stands in a line of JSON on its standard input, the exit
code on its output.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_COMMANDS = Path(__file__).with_name("warm_commands.py")
_COLD = ("PYTHON", "LC_", "LANG")
"""How the names of variables begin that an interpreter reads only when it starts."""


class Warm:
    """Warm interpreters, as many as commands run at once; they end with us, when their input does."""

    def __init__(self) -> None:
        self._resting: list[subprocess.Popen[str]] = []

    def run(
        self, words: Sequence[str], *, environment: Mapping[str, str], folder: str, given: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; a TimeoutExpired ends the interpreter with it."""
        if any(environment.get(name) != os.environ.get(name) for name in environment if name.startswith(_COLD)):
            return cold(words, environment=environment, folder=folder, given=given, seconds=seconds)
        with tempfile.TemporaryDirectory(prefix="controlroom-warm-") as place:
            files = {name: str(Path(place, name)) for name in ("in", "out", "err")}
            Path(files["in"]).write_text(given or "")
            asked = {"words": list(words), "environment": dict(environment), "folder": folder, "files": files}
            answer = self._ask(json.dumps(asked), seconds)
            out, err = (Path(files[name]).read_text(errors="surrogateescape") for name in ("out", "err"))
            if not answer:
                raise subprocess.TimeoutExpired(list(words), seconds, out, err)
        return subprocess.CompletedProcess(list(words), int(answer), out, err)

    def _ask(self, line: str, seconds: float) -> str:
        """What one of them answers; nothing if it took too long and was ended."""
        try:
            process = self._resting.pop()
        except IndexError:
            process = subprocess.Popen(
                [sys.executable, _COMMANDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        clock = threading.Timer(seconds, process.kill)
        clock.start()
        answer = process.stdout.readline()
        clock.cancel()
        if answer:
            self._resting.append(process)
        return answer


def cold(
    words: Sequence[str], *, environment: Mapping[str, str], folder: str, given: str | None, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process that begins from nothing."""
    return subprocess.run(
        [sys.executable, "-m", "controlroom", *words],
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd=folder,
        env=environment,
    )

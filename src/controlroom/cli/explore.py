"""`controlroom explore`."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

from cyclopts import Parameter

from controlroom.cli.errors import CommandFailed

_NEEDED = ("marimo", "altair", "duckdb")
_MARK = slice(8, 12), b"DUCK"
"""Where a DuckDB file says that it is one."""
_BOARD = Path(__file__).parent.parent / "sources" / "notebook" / "board.py"


def explore(
    file: Path | None = None,
    /,
    *,
    port: int = 8171,
    headless: Annotated[bool, Parameter(negative=())] = False,
    edit: Annotated[bool, Parameter(negative=())] = False,
    theme: Literal["light", "dark"] = "light",
) -> None:
    """Open a notebook over what was loaded into a DuckDB file: what ran, what failed and why, what waited, who worked.

    It listens on this machine alone, and opens the browser unless it is told not to; Ctrl-C ends it. The file is only
    read: a load may not go on in it meanwhile.

    Parameters
    ----------
    file
        Into which a source was loaded; where none is named, the only `.duckdb` file of this folder.
    port
        Where it listens.
    headless
        No browser is opened: the address is printed.
    edit
        As a copy that may be changed, in this folder: explored.py.
    theme
        Light or dark.
    """
    if lacking := [name for name in _NEEDED if find_spec(name) is None]:
        raise CommandFailed(
            f"the notebook needs {', '.join(lacking)}, which this installation does not have",
            hint="pip install 'controlroom[notebook]'",
        )
    found = _file(file)
    with found.open("rb") as opened:
        at, mark = _MARK
        if opened.read(at.stop)[at] != mark:
            raise CommandFailed(f"{found} is no DuckDB file", hint="controlroom load robocorp makes one.")
    board = _copy() if edit else _BOARD
    with tempfile.TemporaryDirectory(prefix="explore-") as folder:
        settings = Path(folder) / "marimo"
        settings.mkdir()
        (settings / "marimo.toml").write_text(f'[display]\ntheme = "{theme}"\n', encoding="utf-8")
        words = [sys.executable, "-m", "marimo", "--quiet", "edit" if edit else "run", str(board)]
        words += ["--host", "127.0.0.1", "--port", str(port), *(["--headless"] if headless else [])]
        variables = {
            "XDG_CONFIG_HOME": folder,
            "MARIMO_SKIP_UPDATE_CHECK": "1",
            "CONTROLROOM_EXPLORED": str(found.absolute()),
            "CONTROLROOM_EXPLORED_THEME": theme,
        }
        token = secrets.token_urlsafe(24)  # others of this machine reach its ports, too
        (settings / "token").write_text(token, encoding="utf-8")
        words += ["--token", "--token-password-file", str(settings / "token")]
        print(f"http://127.0.0.1:{port}/?access_token={token}", flush=True)
        code = _served(words, {**os.environ, **variables})
    if code:
        raise CommandFailed("the notebook could not be opened", hint=f"Is port {port} taken? Name another by --port.")


def _served(words: list[str], variables: dict[str, str]) -> int:
    """Run the notebook until it ends or we are told to; its exit code, 0 if it ended because of us.

    It ends with us, whoever ends us: else it would keep the port, and the file open.
    """
    with subprocess.Popen(words, env=variables) as notebook:  # noqa: S603 - our own
        told = []

        def end(number: int, _: FrameType | None) -> None:
            told.append(number)
            notebook.terminate()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            code = notebook.wait()
        except KeyboardInterrupt:  # it has heard it, too
            return 0
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return 0 if told else code


def _file(named: Path | None) -> Path:
    if named is not None:
        if not named.is_file():
            raise CommandFailed(f"there is no file {named}", hint="controlroom load robocorp makes one.")
        return named
    here = sorted(Path.cwd().glob("*.duckdb"))
    if len(here) != 1:
        raise CommandFailed(
            f"which file? There are {', '.join(each.name for each in here)}"
            if here
            else "there is no .duckdb file here",
            hint="controlroom explore FILE",
        )
    return here[0]


def _copy() -> Path:
    """The notebook as a file of the user's; one that is there stays as it is."""
    copy = Path.cwd() / "explored.py"
    if not copy.exists():
        copy.write_bytes(_BOARD.read_bytes())
    return copy

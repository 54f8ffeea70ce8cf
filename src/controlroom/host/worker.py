"""`controlroom worker`."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from controlroom.cli.errors import Misused
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.worker.settings import given, names_of

_Path = Annotated[Path | None, Parameter(show_default=False)]


def worker(
    *,
    url: Annotated[str, Parameter(env_var=["CONTROLROOM_URL", "CONTROLROOM_WORKER_URL"])],
    link_token: Annotated[str | None, Parameter(show_default=False)] = None,
    slots: int | None = None,
    once: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    wait: Annotated[float | None, Parameter(show_default=False)] = None,
    name: str | None = None,
    folder: _Path = None,
    environments: _Path = None,
    sandbox: Literal["auto", "required", "off"] | None = None,
    strict_python: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    stop_grace: Annotated[float | None, Parameter(show_default=False)] = None,
) -> int:
    """Start a worker, here or on another machine. Ctrl-C ends it, and the robots that it runs.

    Every setting of a worker is a variable, too: CONTROLROOM_WORKER_SLOTS, CONTROLROOM_WORKER_CACHE_MAX_BYTES and so
    on.

    Parameters
    ----------
    url
        Address of the server, as robots will also call it.
    link_token
        Presented once, when the folder holds no credential yet: the token, or @FILE. Better by CONTROLROOM_LINK_TOKEN
        or a file: arguments can be seen by everybody on the machine.
    slots
        How many robots run at once [1].
    once
        Run one robot, then end.
    wait
        With --once: end with code 75 if there was nothing to do for so many seconds.
    name
        Name in lists [the host's].
    folder
        Where the worker keeps its credential, caches and running robots; one folder for each worker
        [./controlroom-worker].
    environments
        Cache of environments, which several workers may share [in the folder].
    sandbox
        Whether robots are enclosed; `required` refuses to start where the system cannot do it [auto].
    strict_python
        Fail when the asked Python version cannot be had, instead of taking the nearest.
    stop_grace
        Seconds for which running robots may go on when the worker is asked to end [0].
    """
    from controlroom.host.working import work  # noqa: PLC0415 - --help does not need it

    warn_of_unknown_variables(os.environ)
    options: dict[str, Any] = {
        "url": url if "://" in url else f"http://{url}",
        "folder": folder,
        "link_token": _token(link_token),
        "slots": slots,
        "once": once or None,
        "once_wait_seconds": wait,
        "name": name,
        "environments": environments,
        "sandbox": sandbox,
        "strict_python": strict_python or None,
        "stop_grace_seconds": stop_grace,
    }
    settings = {"folder": Path("controlroom-worker")} | given(os.environ)
    settings |= {setting: value for setting, value in options.items() if value is not None}
    return work(settings, log_format=os.environ.get("CONTROLROOM_LOG_FORMAT", "auto"))


def _token(option: str | None) -> str | None:
    """The link token from the option, its file, or the environment, which then forgets it."""
    found = [os.environ.pop(name, None) for name in names_of("link_token")]
    token = option or next((each for each in found if each), None)
    if token is None or not token.startswith("@"):
        return token
    try:
        return Path(token[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"the link token cannot be read from {token[1:]}: {error}") from error

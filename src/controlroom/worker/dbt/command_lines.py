"""The words by which a command of a project is started: the user's, and the run's own behind them. Pure.

The run says where files are, which target and how many threads. These options stand last, since of two alike the last
one counts; where they may also stand before the command's name, the user's are taken out, since dbt refuses both. They
are told by variables, too, so that a word that swallows the next one leads nowhere else.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from controlroom.robots.dbt_commands import CommandRefused, DbtCommand, checked

TARGET_FOLDER: Final = "target"
"""Where a command leaves its artifacts, in the project's folder. The same for all: dbt writes it into them."""

_WITHOUT_TARGET_PATH: Final = frozenset({"debug", "deps"})
_WITHOUT_THREADS: Final = frozenset({"clean", "debug", "deps", "list", "ls"})
_DEFERRING: Final = frozenset(
    {
        *("build", "clone", "compile", "docs generate", "list", "ls", "retry", "run", "seed", "show", "snapshot"),
        *("source freshness", "source snapshot-freshness", "test"),
    }
)
_SAID: Final = frozenset({"--target", "-t", "--profile", "--threads"})
"""Options of the run's own that a user may have written, each with a value."""


class Setting(Struct, frozen=True, kw_only=True):
    """What a run says to each of its commands."""

    profiles: str
    """The folder of its profile."""
    logs: str
    """The folder of the command's debug log."""
    target: str
    threads: int
    profile: str = ""
    """The profile's name, where the project does not name it so itself."""
    state: str = ""
    """The folder of what the command compares itself with, or goes on from."""
    defers_to: str = ""
    """The folder of the manifest that it defers to."""


def words(given: Sequence[str], setting: Setting) -> tuple[str, ...]:
    """The arguments of dbt for a command. Raises CommandRefused."""
    command = checked(given)
    if "--" in command.words:
        raise CommandRefused(" ".join(command.words), "`--` would end the run's own options")
    # Why: one file that fetches nothing is a page that can be shown as it is; the others need a server of their own
    is_docs = command.subcommand == "docs generate" and "--static" not in command.words
    return (*_without_said(command.words[1:]), *(["--static"] if is_docs else []), *_own(command, setting))


def variables(setting: Setting) -> dict[str, str]:
    """The variables that say the same as the run's options, and what else keeps dbt to itself."""
    return {
        "DBT_PROFILES_DIR": setting.profiles,
        "DBT_LOG_PATH": setting.logs,
        "DBT_TARGET_PATH": TARGET_FOLDER,
        "DBT_TARGET": setting.target,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_USE_COLORS": "false",
        "DBT_USE_COLORS_FILE": "false",
    }


def going_on_from(setting: Setting, state: str) -> Setting:
    """The same for a command that goes on from results in a folder."""
    return structs.replace(setting, state=state)


def _own(command: DbtCommand, setting: Setting) -> tuple[str, ...]:
    options: dict[str, str] = {
        "--profiles-dir": setting.profiles,
        "--log-path": setting.logs,
        "--target": setting.target,
        **({"--profile": setting.profile} if setting.profile else {}),
        **({} if command.subcommand in _WITHOUT_TARGET_PATH else {"--target-path": TARGET_FOLDER}),
        **({} if command.subcommand in _WITHOUT_THREADS else {"--threads": str(setting.threads)}),
        **({"--state": setting.state} if setting.state else {}),
    }
    defers = bool(setting.defers_to) and command.subcommand in _DEFERRING
    deferring = {"--defer-state" if setting.state else "--state": setting.defers_to} if defers else {}
    says = any(word in {"--defer", "--no-defer"} for word in command.words)
    return (
        *(word for option in (options | deferring).items() for word in option),
        *(["--defer"] if defers and not says and command.subcommand != "clone" else []),
    )


def _without_said(given: Sequence[str]) -> list[str]:
    """The user's words without the options that are the run's to say."""
    kept: list[str] = []
    place = 0
    while place < len(given):
        word = given[place]
        place += 1
        if word in _SAID:
            place += 1
        elif word.partition("=")[0] not in _SAID and word[:2] != "-t":
            kept.append(word)
    return kept

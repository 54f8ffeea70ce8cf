"""What connections and log-ins may be, and what a tool is given of them. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, assert_never

import msgspec

from controlroom.engine.access.names import checked_name, checked_text
from controlroom.engine.connections.errors import (
    AttributesInvalid,
    ConnectionInvalid,
    ConnectionMissing,
    LoginInvalid,
    LoginUnfit,
)
from controlroom.engine.connections.model import (
    Connection,
    ConnectionKind,
    DuckdbSettings,
    LoginDefinition,
    Overrides,
    PostgresSettings,
    Settings,
    Storage,
)
from controlroom.engine.locks.model import LockName, LockOf

DEFAULT_THREADS: Final = 4
DEFAULT_TARGET_NAME: Final = "default"
DEFAULT_SCHEMAS: Final = {ConnectionKind.DUCKDB: "main", ConnectionKind.POSTGRES: "public"}
MOST_THREADS: Final = 1000
LONGEST_PATH: Final = 1000
MOST_ATTRIBUTES_BYTES: Final = 64 * 1024
MASK: Final = "********"
"""Stands where a secret is, and, when it is brought back, for the secret that is there."""

_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,119}")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9_]{1,60}")
_SETTING: Final = re.compile(r"[A-Za-z0-9_]{1,100}")
_SSL_MODES: Final = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)?$|^pwd$|token|secret|private_?key|api_?key|access_?key|credential", re.IGNORECASE
)
_RENDERED: Final = re.compile(r"\{\{|\{%|\{#")
_OURS: Final = frozenset({"type", "path", "keep_open", "module_paths", "plugins"})
"""What attributes cannot say. Why: the worker says where the file is, and loads no code but the project's own."""
_SHORTEST_SECRET: Final = 4
"""Characters. Why: masking fewer hides no secret and spoils every line."""


def lock_of(connection: Connection) -> LockName | None:
    """The organization's lock that a run holds while it works on a connection; None where many may work at once."""
    match connection.settings:
        case DuckdbSettings():
            return lock_of_file(connection.number)
        case PostgresSettings():
            return None
        case _:
            assert_never(connection.settings)


def lock_of_file(number: int) -> LockName:
    """The lock of a connection to a file, by its number."""
    return LockName(f"database:{number}", LockOf.ORGANIZATION)


def kind_of(settings: Settings) -> ConnectionKind:
    """What settings lead to."""
    return ConnectionKind.DUCKDB if isinstance(settings, DuckdbSettings) else ConnectionKind.POSTGRES


def checked_settings(settings: Settings) -> Settings:
    """The settings, if something may be reached by them. Raises ConnectionInvalid."""
    match settings:
        case PostgresSettings():
            _check_postgres(settings)
        case DuckdbSettings():
            _check_duckdb(settings)
        case _:
            assert_never(settings)
    return settings


def _check_postgres(settings: PostgresSettings) -> None:
    _line(settings.host, "host", longest=255)
    if "/" in settings.host or settings.host != settings.host.strip() or not settings.host:
        raise ConnectionInvalid("host", "is a name or an address")  # never a socket: those are of the worker's machine
    if not 1 <= settings.port <= 65_535:  # noqa: PLR2004 - what TCP has
        raise ConnectionInvalid("port", "is 1 to 65,535")
    if not settings.database.strip():
        raise ConnectionInvalid("database", "is not empty")
    _line(settings.database, "database", longest=63)
    if settings.sslmode is not None and settings.sslmode not in _SSL_MODES:
        raise ConnectionInvalid("sslmode", f"is one of {', '.join(sorted(_SSL_MODES))}")
    for field in ("sslrootcert", "search_path", "role"):
        _line(getattr(settings, field) or "", field, longest=1000)
    for field in ("connect_timeout", "keepalives_idle", "retries"):
        value = getattr(settings, field)
        if value is not None and not 0 <= value <= 86_400:  # noqa: PLR2004 - a day
            raise ConnectionInvalid(field, "is 0 to 86,400")


def _check_duckdb(settings: DuckdbSettings) -> None:
    if not _FILE.fullmatch(settings.path):
        raise ConnectionInvalid("path", "is the name of a file, without folders")
    named = [each for each in (settings.worker_id, settings.worker_group_id) if each is not None]
    match settings.storage:
        case Storage.ROOM:
            if settings.folder is not None or named:
                raise ConnectionInvalid("folder", "is for files that are with workers (storage worker)")
        case Storage.WORKER:
            folder = settings.folder or ""
            if (
                not folder.startswith("/")
                or not folder.isprintable()
                or ".." in folder.split("/")
                or len(folder) > LONGEST_PATH
            ):
                raise ConnectionInvalid("folder", "is an absolute path on the worker, without ..")
            if len(named) != 1:
                raise ConnectionInvalid("placement", "is one worker or one group of workers, who have the folder")
        case _:
            assert_never(settings.storage)
    if len(settings.extensions) > 50 or not all(_EXTENSION.fullmatch(each) for each in settings.extensions):  # noqa: PLR2004 - more than there are
        raise ConnectionInvalid("extensions", "are names of extensions")
    if len(settings.settings) > 200 or not all(_SETTING.fullmatch(each) for each in settings.settings):  # noqa: PLR2004 - likewise
        raise ConnectionInvalid("settings", "are values by the names of settings")
    if any(_SECRET.search(each) for each in settings.settings):
        raise ConnectionInvalid("settings", "hold no secrets: these belong into extended attributes")


def checked_login(login: LoginDefinition) -> LoginDefinition:
    """The log-in, if somebody could log in so. Raises LoginInvalid."""
    if login.threads is not None and not 1 <= login.threads <= MOST_THREADS:
        raise LoginInvalid("threads", f"are 1 to {MOST_THREADS:,}")
    for field in ("username", "schema_name", "target_name"):
        text = getattr(login, field)
        checked_text(text, what=field)
        if text and (not text.isprintable() or text != text.strip()):
            raise LoginInvalid(field, "has printable characters, and no space at its ends")
    if login.password is not None and (len(login.password) > 10_000 or "\0" in login.password):  # noqa: PLR2004 - tokens are shorter
        raise LoginInvalid("password", "has at most 10,000 characters")
    return login


def checked_key(key: str) -> str:
    """The key of a profile, if it is a name. Raises Invalid `NAME_INVALID`."""
    return checked_name(key, what="profile's key")


# ---------------------------------------------------------------------------------------------------- attributes
def checked_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes, if they can be put over a connection's settings. Raises AttributesInvalid."""
    if len(msgspec.json.encode(attributes)) > MOST_ATTRIBUTES_BYTES:
        raise AttributesInvalid(f"have at most {MOST_ATTRIBUTES_BYTES:,} bytes")
    ours = sorted(_OURS & {key.casefold() for key in attributes})
    if ours:
        raise AttributesInvalid(f"cannot say {', '.join(ours)}: that is the room's")
    return dict(attributes)


def has_secrets(attributes: Mapping[str, Any]) -> bool:
    """Whether there is a secret in attributes."""
    return hidden(attributes) != attributes


def hidden(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with a mask in place of each secret."""
    return {key: _hidden(key, value) for key, value in attributes.items()}


def _hidden(key: str, value: Any) -> Any:
    if _is_secret(key, value):
        return MASK
    match value:
        case dict():
            return {inner: _hidden(inner, each) for inner, each in value.items()}
        case list():
            return [_hidden(key, each) for each in value]
        case _:
            return value


def _is_secret(key: str, value: Any) -> bool:
    """Whether a value is one. A text that names a variable is none: what the variable has is masked by itself."""
    return _SECRET.search(key) is not None and (
        (isinstance(value, int | float) and not isinstance(value, bool))
        or (isinstance(value, str) and value != "" and not _RENDERED.search(value))
    )


def kept(given: Any, there: Any) -> Any:
    """What is given, with what is there in place of masks."""
    match given, there:
        case dict(), dict():
            return {key: kept(value, there.get(key)) for key, value in given.items()}
        case list(), list():
            return [kept(value, there[at] if at < len(there) else None) for at, value in enumerate(given)]
        case str(), str() | int() | float() if given == MASK:
            return there
        case _:
            return given


def _secrets_in(key: str, value: Any) -> Iterator[str]:
    if _is_secret(key, value):
        yield str(value)
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield from _secrets_in(inner, each)
    elif isinstance(value, list):
        for each in value:
            yield from _secrets_in(key, each)


# ---------------------------------------------------------------------------------------------------- the output
def literal(text: str) -> str:
    """A text as a template that renders to it: nobody's password is read as a template."""
    if not _RENDERED.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'{{{{ "{escaped}" }}}}'


def fitting(connection: ConnectionKind, login: ConnectionKind) -> None:
    """A log-in fits a connection. Raises LoginUnfit."""
    if connection is not login:
        raise LoginUnfit(login.value, connection.value)


def output_of(
    settings: Settings,
    login: LoginDefinition | None,
    attributes: Mapping[str, Any],
    overrides: Overrides,
) -> dict[str, Any]:
    """The output of a profile as the tool reads it: settings, log-in, attributes over them, overrides over all.

    Without the path of a file. Raises LoginUnfit, ConnectionMissing.
    """
    kind = kind_of(settings)
    if login is not None:
        fitting(kind, login.kind)
    output: dict[str, Any] = {
        "type": kind.value,
        "schema": literal(login.schema_name if login and login.schema_name else DEFAULT_SCHEMAS[kind]),
        "threads": (login.threads if login else None) or DEFAULT_THREADS,
    }
    match settings:
        case PostgresSettings():
            output |= _postgres(settings, login)
        case DuckdbSettings():
            output |= _duckdb(settings)
        case _:
            assert_never(settings)
    output |= {key: value for key, value in attributes.items() if key.casefold() not in _OURS}
    if overrides.schema is not None:
        output["schema"] = literal(overrides.schema)
    if overrides.threads is not None:
        output["threads"] = overrides.threads
    return output


def _postgres(settings: PostgresSettings, login: LoginDefinition | None) -> dict[str, Any]:
    if login is None or not login.username:
        raise ConnectionMissing("log-in with a user for its connection")
    output: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "dbname": literal(settings.database),
        "user": literal(login.username),
        "password": literal(login.password or ""),
    }
    for field in ("sslmode", "sslrootcert", "search_path", "role", "connect_timeout", "keepalives_idle", "retries"):
        value = getattr(settings, field)
        if value is not None:
            output[field] = literal(value) if isinstance(value, str) else value
    return output


def _duckdb(settings: DuckdbSettings) -> dict[str, Any]:
    output: dict[str, Any] = {}
    if settings.extensions:
        output["extensions"] = list(settings.extensions)
    if settings.settings:
        output["settings"] = {
            name: literal(value) if isinstance(value, str) else value for name, value in settings.settings.items()
        }
    return output


def secrets_of(login: LoginDefinition | None, attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a log-in and of attributes is masked wherever it shows."""
    found = [login.password] if login is not None and login.password else []
    for key, value in attributes.items():
        found += _secrets_in(key, value)
    return tuple(sorted({each for each in found if len(each) >= _SHORTEST_SECRET}))


def target_name_of(login: LoginDefinition | None, overrides: Overrides) -> str:
    """What the tool calls the output."""
    return overrides.target_name or (login.target_name if login else "") or DEFAULT_TARGET_NAME


def _line(text: str, field: str, *, longest: int) -> None:
    if len(text) > longest or (text and not text.isprintable()):
        raise ConnectionInvalid(field, f"has at most {longest:,} printable characters")

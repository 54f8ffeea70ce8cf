"""What the form of a connection says, and what it is filled with. Pure."""

from msgspec.structs import replace

from controlroom.engine.connections.model import (
    ConnectionKind,
    DuckdbSettings,
    Plain,
    PostgresSettings,
    Settings,
    Storage,
)
from controlroom.errors import Invalid
from controlroom.ids import WorkerGroupId, WorkerId, as_uuid
from controlroom.ui.asking import Fields

_NUMBERS = ("connect_timeout", "keepalives_idle", "retries")
_TEXTS = ("sslmode", "sslrootcert", "search_path", "role")


def pairs_of(settings: Settings) -> list[tuple[str, str]]:
    """The fields of a form, as settings are."""
    if isinstance(settings, PostgresSettings):
        pairs = [(name, getattr(settings, name)) for name in ("host", "port", "database", *_TEXTS, *_NUMBERS)]
        return [(name, "" if value is None else str(value)) for name, value in pairs]
    return [
        ("storage", settings.storage.value),
        ("file", settings.path),
        ("folder", settings.folder or ""),
        ("place", _place_of(settings)),
        ("extensions", ", ".join(settings.extensions)),
        ("settings", "\n".join(f"{name} = {_written(value)}" for name, value in settings.settings.items())),
    ]


def defined(kind: ConnectionKind, fields: Fields, before: Settings | None) -> Settings:
    """Settings as a form says, over what there is. Raises Invalid for what is no number or no setting."""
    if kind is ConnectionKind.POSTGRES:
        was = before if isinstance(before, PostgresSettings) else PostgresSettings(host="", database="")
        return replace(
            was,
            host=fields.text("host"),
            database=fields.text("database"),
            port=_number(fields, "port") or PostgresSettings(host="", database="").port,
            **{name: fields.text(name) or None for name in _TEXTS},
            **{name: _number(fields, name) for name in _NUMBERS},
        )
    stored = Storage.WORKER if fields.text("storage") == Storage.WORKER.value else Storage.ROOM
    of, _, named = fields.text("place").partition(":")
    place = as_uuid(named) if stored is Storage.WORKER else None
    return replace(
        before if isinstance(before, DuckdbSettings) else DuckdbSettings(),
        storage=stored,
        path=fields.text("file"),
        folder=(fields.text("folder") or None) if stored is Storage.WORKER else None,
        worker_id=WorkerId(place) if place and of == "worker" else None,
        worker_group_id=WorkerGroupId(place) if place and of == "group" else None,
        extensions=fields.listed("extensions"),
        settings=_settings(fields.raw("settings")),
    )


def _place_of(settings: DuckdbSettings) -> str:
    if settings.worker_id is not None:
        return f"worker:{settings.worker_id}"
    return f"group:{settings.worker_group_id}" if settings.worker_group_id is not None else ""


def _number(fields: Fields, name: str) -> int | None:
    text = fields.text(name)
    if not text:
        return None
    if not (text.isdecimal() and text.isascii() and len(text) < 10):  # noqa: PLR2004 - far beyond what there may be
        raise Invalid(f"{name.replace('_', ' ')} is a whole number", code="CONNECTION_INVALID")
    return int(text)


def _settings(text: str) -> dict[str, Plain]:
    """Lines of `name = value`; a value is a truth, a number, or a text."""
    found: dict[str, Plain] = {}
    for line in text.splitlines():
        if line.strip():
            name, sign, value = line.partition("=")
            if not sign:
                raise Invalid("a setting is written as name = value", code="CONNECTION_INVALID")
            found[name.strip()] = _read(value.strip())
    return found


def _read(text: str) -> Plain:
    if text in {"true", "false"}:
        return text == "true"
    if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 18:  # noqa: PLR2004 - 64 bits
        return int(text)
    return text


def _written(value: Plain) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""What the servers of a room are set to, told by each at its start; other parts of the room compare theirs."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.engine import Engine
from controlroom.postgres.database import Statements
from controlroom.settings import Settings

_OF_ONE_MACHINE: Final = frozenset(
    {
        *("data", "host", "port", "tls", "tls_cert", "tls_key", "log_format"),
        *("database_url", "database_connections", "postgres_bin", "servers", "limits"),
    }
)
"""What may differ from one server to the other. The limits are compared each by itself."""
_SECRET: Final = frozenset({"objects_url", "smtp_url", "master_key", "oidc_client_secret"})
"""What may hold passwords or keys: only that it differs is ever told."""


class Difference(Struct, frozen=True):
    """A setting that is not the same here and in the room."""

    name: str
    """As a variable of the environment."""
    here: str
    there: str

    def __str__(self) -> str:
        if not self.here or not self.there:
            return f"{self.name} is not what the room's servers have"
        return f"{self.name} is {self.here} here, and {self.there} in the room's servers"


class _Told(Struct, frozen=True):
    name: str
    value: str


async def tell(engine: Engine, settings: Settings) -> None:
    """Write what this server is set to; the last that starts is right."""
    await _write(engine.database, _told(engine, settings))


async def differences(engine: Engine, settings: Settings) -> list[Difference]:
    """Where settings differ from those of the room's servers, as far as these have told theirs."""
    here, there = _told(engine, settings), await _read(engine.database)
    return [
        Difference(
            f"CONTROLROOM_{name.replace('.', '_').upper()}",
            "" if name in _SECRET else value,
            "" if name in _SECRET else there[name],
        )
        for name, value in here.items()
        if there.get(name, value) != value
    ]


def _told(engine: Engine, settings: Settings) -> Mapping[str, str]:
    values = {name: value for name, value in msgspec.structs.asdict(settings).items() if name not in _OF_ONE_MACHINE}
    values |= {f"limits.{name}": value for name, value in msgspec.structs.asdict(settings.limits).items()}
    values["master_key"] = "the key that this room seals by"  # hashed by that key, wherever it comes from
    texts = {name: msgspec.json.encode(value, enc_hook=str).decode() for name, value in values.items()}
    return {name: engine.keys.lookup(text).hex() if name in _SECRET else text for name, text in texts.items()}


async def _write(db: Statements, settings: Mapping[str, str]) -> None:
    await db.execute(
        """
        with told as (select * from unnest(%(names)s::text[], %(values)s::text[]) as told (name, value)),
             gone as (delete from room_setting where name not in (select name from told))
        insert into room_setting (name, value) select name, value from told
            on conflict (name) do update set value = excluded.value
        """,
        names=list(settings),
        values=list(settings.values()),
    )


async def _read(db: Statements) -> Mapping[str, str]:
    return {one.name: one.value for one in await db.all(_Told, "select name, value from room_setting")}

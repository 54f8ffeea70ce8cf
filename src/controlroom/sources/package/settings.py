"""What a load inside the room goes by: variables of its step, a secret of the vault, and the payload of its start.

The variables hold no secrets. The secret holds the arguments of the source by their names (`api_key`, `base_url` …),
and those of the destination by dlt's (`destination.postgres.credentials`). A start may say `resources`, `full` and
`since`.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SOURCE: Final = "CONTROLROOM_SOURCE"
SECRET: Final = "CONTROLROOM_SOURCE_SECRET"  # noqa: S105 - a name
DESTINATION: Final = "CONTROLROOM_SOURCE_DESTINATION"
DATASET: Final = "CONTROLROOM_SOURCE_DATASET"
RESOURCES: Final = "CONTROLROOM_SOURCE_RESOURCES"
DATABASE: Final = "CONTROLROOM_DATABASE"
"""The file of a connection, where the room gives one."""
HERE: Final = "CONTROLROOM_SOURCE_HERE"
"""If it says anything: `base_url` is that of the room that the load runs in, as its worker reaches it."""

NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "robocorp": (("workspace_id", "api_key"),),
    "automation360": (("base_url", "username", "api_key"), ("base_url", "username", "password")),
    "dbt_cloud": (("account_id", "api_token"),),
}
"""The sources, and which arguments a secret has for each: those of one of the lists at least."""

_DESTINATION: Final = "destination."
_PLAIN: Final = (".base_url", ".workspace_id", ".account_id", ".username")
"""What is no secret, whatever it stands among."""
_LEAST: Final = 4
"""Letters. Why: shorter values would be masked everywhere, and hide nothing."""


class Unusable(ValueError):  # noqa: N818 - a fact about what was said
    """Nothing can be loaded so; why is in the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One load."""

    source: str
    destination: str
    """By its dlt name, perhaps with a place; `duckdb:FILE`."""
    dataset: str
    resources: tuple[str, ...] = ()
    full: bool = False
    since: dt.datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets by the names under which dlt looks for them."""

    def masked(self, text: str) -> str:
        """The text without secrets."""
        secrets = {value for name, value in self.values.items() if not name.endswith(_PLAIN)}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _LEAST:
                text = text.replace(secret, "‹secret›")  # noqa: RUF001 - as everywhere here
        return text


def settings(variables: Mapping[str, str], secret: Mapping[str, str], payload: object = None) -> Settings:
    """What is to be loaded. Raises Unusable."""
    source = variables.get(SOURCE, "")
    if source not in NEEDED:
        raise Unusable(f"{SOURCE} names the source: {', '.join(NEEDED)}")
    if variables.get(HERE):
        secret = {**secret, "base_url": variables.get("RC_API_URL_V1", "").removesuffix("/api/v1")}
    if missing := missing_in(source, secret):
        raise Unusable(f"the secret lacks {', '.join(missing)}: what the source {source} logs in with")
    said = payload if isinstance(payload, dict) else {}
    resources = said.get("resources", [each for each in variables.get(RESOURCES, "").split(",") if each])
    if not isinstance(resources, Sequence) or isinstance(resources, str):
        raise Unusable("`resources` is a list of names")
    return Settings(
        source=source,
        destination=_destination(variables),
        dataset=variables.get(DATASET) or source,
        resources=tuple(map(str, resources)),
        full=said.get("full") is True,
        since=_moment(said.get("since")),
        values=_placed(source, secret),
    )


def missing_in(source: str, secret: Mapping[str, object] | Sequence[str]) -> tuple[str, ...]:
    """What a secret lacks for a source, by the list of which it has the most."""
    lacking = [tuple(key for key in keys if key not in secret) for keys in NEEDED[source]]
    return min(lacking, key=len)


def _destination(variables: Mapping[str, str]) -> str:
    if named := variables.get(DESTINATION):
        return named
    if file := variables.get(DATABASE):
        return f"duckdb:{file}"
    raise Unusable(f"no database: the step names a connection to a DuckDB file, or {DESTINATION} a destination of dlt")


def _placed(source: str, secret: Mapping[str, str]) -> dict[str, str]:
    own = f"sources.{source}."
    return {key if key.startswith(_DESTINATION) else own + key: value for key, value in secret.items()}


def _moment(text: object) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError as wrong:
        raise Unusable(f"`since` is a time like 2026-01-31T00:00:00Z, which {json.dumps(text)} is not") from wrong
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def told(report: Any, loaded: Settings) -> dict[str, Any]:
    """The report of a load, as it is left among the artifacts."""
    return {
        "source": loaded.source,
        "destination": report.destination,
        "dataset": report.dataset,
        "rows": report.rows,
        "packages": report.packages,
        "seconds": round(report.seconds, 3),
        "remarks": [loaded.masked(each) for each in report.remarks],
    }

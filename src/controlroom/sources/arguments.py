"""What a source is told: by arguments, else by `.dlt/secrets.toml`, `.dlt/config.toml` or the environment.

    @dlt.source(name="automation360", section="automation360", spec=OnlyGiven)
    def automation360_source(base_url: str | None = None, *, api_key: str | None = None):
        api_key = configured("automation360", "api_key", api_key)

dlt fills arguments by itself, and in the end from bare variables: an `api_key` that nobody has configured becomes
whatever the shell has as `API_KEY`, which is then sent to a server that it was not meant for. So nothing is filled by
dlt (`OnlyGiven`), and what is not given is looked for at its one place: `sources.automation360.api_key`, in the
environment `SOURCES__AUTOMATION360__API_KEY`.
"""

from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration


@configspec
class OnlyGiven(BaseConfiguration):
    """No argument is filled by dlt."""


class NotConfigured(ValueError):  # noqa: N818 - it says what is wrong
    """A source lacks what it cannot do without."""


def configured(source: str, name: str, given: str | None) -> str | None:
    """What was given, else what is configured for this source; None for neither."""
    if given:
        return given
    place = f"sources.{source}.{name}"
    found: Any = dlt.secrets.get(place)
    if found is None:
        found = dlt.config.get(place)
    return None if found is None else str(found)


def needed(source: str, name: str, given: str | None) -> str:
    """Likewise. Raises NotConfigured for neither."""
    found = configured(source, name, given)
    if found is None:
        variable = f"SOURCES__{source}__{name}".upper()
        raise NotConfigured(
            f"`{name}` is needed: as an argument, in .dlt/secrets.toml below [sources.{source}], or as {variable}."
        )
    return found

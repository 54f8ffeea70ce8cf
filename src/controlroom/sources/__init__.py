"""dlt sources that load a whole control room into a database: the vendors' and ours.

`from controlroom.sources import robocorp_source`; each is imported when it is asked for. Needs the extra `sources`, and
nothing else of this package: a data engineer may use it alone.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controlroom.sources.automation360.source import automation360_source
    from controlroom.sources.dbt_cloud.source import dbt_cloud_source
    from controlroom.sources.robocorp.source import robocorp_source

__all__ = ["automation360_source", "dbt_cloud_source", "robocorp_source"]

_WHERE = {
    "robocorp_source": "controlroom.sources.robocorp.source",
    "automation360_source": "controlroom.sources.automation360.source",
    "dbt_cloud_source": "controlroom.sources.dbt_cloud.source",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name]), name)

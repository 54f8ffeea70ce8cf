"""Migration API v3 and v4 (§2.24, §2.28): there is nothing to migrate from, so that each list is empty."""

from typing import Final

from controlroom.dialects.automation360.asking import Asking, Permission
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.lists import Listed, Search, Sought, empty_page
from controlroom.dialects.automation360.routing import Pair, post
from controlroom.engine.access.scope import throughout

_PAIR: Final = Pair("migration", "view")


@post("/v4/migration/list", "/v3/migration/list", pair=_PAIR)
async def list_migrations(request: Asking, data: Sought = None) -> Listed[None]:
    """List migrations: there have been none."""
    return _none(request, data)


@post("/v4/migration/{migration:str}/results/list", "/v3/migration/{migration:str}/results/list", pair=_PAIR)
async def list_migration_results(request: Asking, migration: Id, data: Sought = None) -> Listed[None]:  # noqa: ARG001 - of the path
    """List what a migration has moved: nothing."""
    return _none(request, data)


@post(
    "/v4/migration/{migration:str}/journal/{journal:str}/actionmappings/list",
    "/v3/migration/{migration:str}/journal/{journal:str}/actionmappings/list",
    pair=_PAIR,
)
async def list_action_mappings(request: Asking, migration: Id, journal: Id, data: Sought = None) -> Listed[None]:  # noqa: ARG001 - likewise
    """List which actions a migration has replaced: none."""
    return _none(request, data)


def _none(request: Asking, data: Search | None) -> Listed[None]:
    throughout(request.actor, Permission.READ_AUDIT)
    return empty_page(data)

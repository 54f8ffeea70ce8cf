"""The lists of packages and their tasks: what a row shows, and by which fields they are found and sorted."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import PackageId


class ListedPackage(Struct, frozen=True, kw_only=True):
    """A package as a list shows it: with what a run of it would take."""

    id: PackageId
    number: int
    name: str
    created_at: datetime
    version: int | None
    """None before the first upload."""
    size: int | None
    tasks: list[str]
    changed_at: datetime
    """When its latest version came."""
    url: str | None
    """Of the git repository from which it is fetched; None: it is uploaded."""
    error: str
    """Of the last fetch."""


_LATEST: Final = """left join lateral (
           select version, size, created_at, robot from package_version
            where package_version.package_id = package.id
            order by version desc limit 1) as latest on true"""
_SOURCE: Final = "left join package_source on package_source.package_id = package.id"
_CHANGED: Final = "coalesce(latest.created_at, package.created_at)"

PACKAGES: Final = Listing(
    noun="packages",
    table="package",
    columns=f"""package.id, package.number, package.name, package.created_at, latest.version, latest.size,
           array(select task ->> 'name' from jsonb_array_elements(latest.robot -> 'tasks') as task) as tasks,
           {_CHANGED} as changed_at, package_source.url, coalesce(package_source.error, '') as error""",
    joins=f"""{_LATEST}
      {_SOURCE}""",
    tenant="package.workspace_id",
    always="package.deleted_at is null",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="package_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("changed_at", Kind.INSTANT, column=_CHANGED, is_sortable=True, join=_LATEST),
        Field("url", Kind.TEXT, column="package_source.url", is_nullable=True, join=_SOURCE),
    ),
)
"""Packages of workspaces, with their latest versions."""

_PACKAGE: Final = "join package on package.id = task.package_id"
_IS_THERE: Final = """(package.deleted_at is null and exists (
           select from package_version as latest, jsonb_array_elements(latest.robot -> 'tasks') as named
            where latest.package_id = package.id and named ->> 'name' = task.name
              and latest.version = (select max(version) from package_version where package_id = package.id)))"""

TASKS: Final = Listing(
    noun="tasks",
    table="task",
    columns="task.id, task.number, task.package_id, package.name as package_name, task.name",
    joins=_PACKAGE,
    tenant="package.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, join=_PACKAGE),  # whatever is asked, the tenant's table is joined
        Field("number", Kind.INTEGER, is_sortable=True, join=_PACKAGE),
        Field("name", Kind.TEXT, is_sortable=True, join=_PACKAGE),
        Field("title", Kind.TEXT, column="(package.name || ': ' || task.name)", join=_PACKAGE),
        Field("is_there", Kind.TRUTH, column=_IS_THERE, join=_PACKAGE),
    ),
)
"""Tasks of packages, those too that the latest version of their package has no more (`is_there`)."""

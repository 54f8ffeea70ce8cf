"""The list of projects, over all workspaces that somebody sees."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.projects.model import ProjectState
from controlroom.engine.projects.store import COLUMNS, JOINS, STATE, WORKSPACE

PROJECTS: Final = Listing(
    noun="projects",
    table="project",
    columns=COLUMNS,
    joins=JOINS,
    tenant="project.workspace_id",
    fields=(
        Field("id", Kind.ID, column="project.workspace_id", is_sortable=True, index="project_pkey"),
        Field("number", Kind.INTEGER, column="workspace.number", is_sortable=True, join=WORKSPACE),
        Field("name", Kind.TEXT, column="workspace.name", is_sortable=True, join=WORKSPACE),
        Field("state", Kind.TEXT, column=STATE, choices=among(ProjectState)),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""There are hundreds in an organization: only their workspaces are asked for."""

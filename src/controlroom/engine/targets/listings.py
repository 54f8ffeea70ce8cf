"""The list of targets, over all workspaces that somebody sees."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.targets.model import Purpose, TargetKind
from controlroom.engine.targets.store import COLUMNS, JOINS

_WORKSPACE: Final = "join workspace as target_workspace on target_workspace.id = target.workspace_id"
_LOGIN: Final = "left join connection_login as target_login on target_login.id = target.login_id"
_CONNECTION: Final = "left join connection as target_connection on target_connection.id = target.connection_id"

TARGETS: Final = Listing(
    noun="targets",
    table="target",
    columns=COLUMNS,
    joins=JOINS,
    tenant="target.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="target_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("kind", Kind.TEXT, is_sortable=True, choices=among(TargetKind)),
        Field("purpose", Kind.TEXT, is_nullable=True, is_sortable=True, choices=among(Purpose)),
        Field("tool_version", Kind.TEXT, is_nullable=True, is_sortable=True),
        Field("workspace_number", Kind.INTEGER, column="target_workspace.number", join=_WORKSPACE, is_sortable=True),
        Field("login_id", Kind.ID, is_nullable=True),
        Field("connection_id", Kind.ID, is_nullable=True),
        Field("profile_id", Kind.ID, is_nullable=True),
        Field("login_number", Kind.INTEGER, column="target_login.number", join=_LOGIN, is_nullable=True),
        Field("connection_number", Kind.INTEGER, column="target_connection.number", join=_CONNECTION, is_nullable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(target.deleted_at is null)"),
    ),
)

"""The list of code policies: what a row shows, and by which fields they are found and sorted."""

from typing import Final

from controlroom.engine.analyses.model import CodePolicy, Severity
from controlroom.engine.lists.model import Field, Kind, Listing, among

CODE_POLICIES: Final = Listing(
    noun="code policies",
    table="code_policy",
    columns="""code_policy.id, code_policy.number, code_policy.organization_id, code_policy.name, code_policy.rules,
           code_policy.high, code_policy.critical, code_policy.refuses, code_policy.created_at, code_policy.updated_at,
           (select count(*) from workspace
             where workspace.code_policy_id = code_policy.id and workspace.deleted_at is null)
           + (select count(*) from repository_file
               where repository_file.code_policy_id = code_policy.id and repository_file.deleted_at is null)
               as places""",
    tenant="code_policy.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("refuses", Kind.TEXT, choices=among(Severity), is_nullable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)


class ListedPolicy(CodePolicy, frozen=True, kw_only=True):
    """A policy in a list."""

    places: int
    """Workspaces and folders that have it."""

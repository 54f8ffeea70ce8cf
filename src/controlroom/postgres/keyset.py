"""Pages of a list by the id of their last row: the cost of a page grows neither with its depth nor with the table.

rows = await db.all(Package, f"select … from package where workspace_id = %(workspace)s {oldest_first('id')}",
                    workspace=workspace, after=after, limit=limit)
"""

from typing import Final

_BEFORE_ALL: Final = "00000000-0000-0000-0000-000000000000"


def oldest_first(column: str) -> str:
    """The end of a statement: its rows behind `%(after)s` (from the first if that is null), at most `%(limit)s`.

    `column` is an id, which rows get in the order of their making. The statement has a `where` already.
    """
    # Why not `%(after)s is null or …`: once PostgreSQL plans a statement for all values, that is no condition of an
    # index any more, and the page behind a million rows reads all of them.
    return f"""and {column} > coalesce(%(after)s::uuid, '{_BEFORE_ALL}')
         order by {column}
         limit %(limit)s"""

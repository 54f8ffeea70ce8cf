"""Identifiers that sort by the time of their making.

The `NewType`s of the nouns (`RunId`, `WorkItemId`, …) are defined by the slices that own them.
"""

from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    """A new version 7 UUID (RFC 9562): a plain `uuid.UUID`, so that everything that knows those knows it."""
    return compat.uuid7()

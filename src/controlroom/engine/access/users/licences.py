"""Licences: words that a grammar gives to users. Nothing here is bought, so that of each there are as many as are held.

The kinds that there are, and by which word of a user each is known, are a grammar's:

    listing((Licence("Author", word="grammar:author"), Licence("Runner", permission=Permission.RUNTIME)))
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Permission
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.lists.model import Field, Kind, Listing

_MOST_KINDS: Final = 100


class Licence(Struct, frozen=True):
    """A kind of licence, and who holds it: who has the word, or somewhere a role with the permission."""

    name: str
    word: str = ""
    permission: Permission | None = None


class HeldLicence(Struct, frozen=True, kw_only=True):
    """A kind of licence, and how many users hold it who are let in."""

    id: int
    name: str
    held: int


def listing(kinds: Sequence[Licence]) -> Listing:
    """The list of kinds of licences of an organization."""
    rows = ", ".join(
        f"({position}, {_text(kind.name)}, {_text(kind.word)}, {_text(kind.permission or '')})"
        for position, kind in enumerate(kinds)
    )
    table = f"""(
        select organization.id as organization_id, organization.number * {_MOST_KINDS} + kind.position as id, kind.name,
               (select count(*) from app_user
                 where app_user.organization_id = organization.id and app_user.disabled_at is null
                   and (kind.word = any(app_user.words)
                        or exists (select from access_grant join role on role.id = access_grant.role_id
                                    where access_grant.user_id = app_user.id and kind.permission <> ''
                                      and (role.permissions && array[kind.permission, '*'] or role.id = '{ADMIN}'))
                       )) as held
          from organization cross join (values {rows}) as kind (position, name, word, permission)) as licence"""
    return Listing(
        noun="licences",
        table=table,
        columns="licence.id, licence.name, licence.held",
        tenant="licence.organization_id",
        fields=(
            Field("id", Kind.INTEGER, "licence.id", is_sortable=True),
            Field("name", Kind.TEXT, "licence.name", is_sortable=True),
            Field("held", Kind.INTEGER, "licence.held", is_sortable=True),
        ),
    )


def _text(constant: str) -> str:
    """A word of a grammar as SQL."""
    return "'" + constant.replace("'", "''") + "'"

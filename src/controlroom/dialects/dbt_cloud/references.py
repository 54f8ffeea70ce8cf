"""What bodies name by number: `connection_id`, `credentials_id` …, looked up in what the caller may see."""

from typing import Any, TypeVar

from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.engine.access.scope import Scope
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.references import Reference, find_all

T = TypeVar("T")


async def named(request: Asking, seen: Scope, noun: Noun[T], field: str, number: int | None) -> T | None:
    """The id of what a field of a body names; None and 0 name nothing. Raises FieldsWrong where there is none."""
    found: list[T | None] = await all_named(request, seen, {field: (noun, number)})
    return found[0]


async def all_named(request: Asking, seen: Scope, fields: dict[str, tuple[Noun[Any], int | None]]) -> list[Any]:
    """Likewise of several fields, in their order, by one statement. Raises FieldsWrong for all that are wrong."""
    asked = {field: Reference(noun, str(number), Ways.NUMBER) for field, (noun, number) in fields.items() if number}
    found = dict(zip(asked, await find_all(request.db, seen, list(asked.values())), strict=True))
    lacking = {
        field: f"the id of a {asked[field].noun.word} that there is" for field, id_ in found.items() if id_ is None
    }
    if lacking:
        raise FieldsWrong(lacking)
    return [found.get(field) for field in fields]

"""What there is to know of one bot: who made it, and how it ended last."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from controlroom.dialects.automation360.acc_shapes import About, LastRun, Owner
from controlroom.dialects.automation360.acc_words import FAILED, RESULTS
from controlroom.dialects.automation360.answers import moment
from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.access.users import store as users
from controlroom.engine.repository import nodes
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Node, NodeKind
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.runs.model import Result
from controlroom.engine.statistics import store as statistics
from controlroom.engine.statistics.model import LONGEST_PERIOD, Figure, Key, Noun, Period
from controlroom.ids import TaskId, UserId

_LAST: Final = LONGEST_PERIOD - timedelta(hours=1)


async def about_bot(request: Asking, number: str | int, *, is_private: bool = False) -> About:
    """A bot by its number. Raises NodeNotFound for what is none, or lies in the other workspace."""
    node = await nodes.get(request.db, await rights_of(request.db, request.actor), str(number))
    if (node.owner_id is not None) is not is_private or node.kind not in {NodeKind.TASK, NodeKind.FILE}:
        raise NodeNotFound(str(number))
    now = await statistics.now(request.db)
    figures = await statistics.figures(
        *request.reading, Noun.STEP_RUN, Period(now - _LAST, now), (Key.RESULT,), task=TaskId(node.id)
    )
    return About(
        bot_id=node.number,
        bot_name=node.name,
        version=str(node.version),
        last_modified_date=moment(node.updated_at),
        technical_owners=await _owners(request, node),
        last_successful_run=_last([figure for figure in figures if figure.result == Result.SUCCEEDED]),
        last_failed_run=_last([figure for figure in figures if figure.result in FAILED]),
    )


def _last(figures: list[Figure]) -> LastRun | None:
    if not figures:
        return None
    latest = max(figures, key=lambda figure: figure.latest_at)
    return LastRun(moment(latest.latest_at), RESULTS[latest.result or Result.FAILED])


async def _owners(request: Asking, node: Node) -> list[Owner]:
    found = [await _owner(request, node.created_by, "CREATOR"), await _owner(request, node.updated_by, "LAST_MODIFIER")]
    return [owner for owner in found if owner is not None]


async def _owner(request: Asking, user: UUID | None, kind: Literal["CREATOR", "LAST_MODIFIER"]) -> Owner | None:
    found = None if user is None else await users.user(request.db, request.actor.organization_id, UserId(user))
    if found is None:
        return None
    return Owner(
        type=kind,
        user_id=found.number,
        user_name=found.username,
        first_name=found.first_name,
        last_name=found.last_name,
    )

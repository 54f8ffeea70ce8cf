"""Who has rights on one queue, as its page tells it."""

from typing import Final

from controlroom.engine.queues.rights import QueueGrant, Right, list_grants
from controlroom.ids import QueueId
from controlroom.ui.asking import Asking, Permission
from controlroom.ui.names import known_to

RIGHTS: Final = {
    Right.SEE: "see it and its items",
    Right.ADD: "put items in",
    Right.MANAGE: "change it, its items and who works on it",
    Right.OWN: "say who may what, and delete it",
}


async def grants_of(request: Asking, queue: QueueId) -> list[tuple[QueueGrant, str, str]]:
    """Who has rights on the queue of a page, what they are called, and what they may, in words."""
    grants = await list_grants(*request.reading, queue)
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    known = await known_to(request, seen, [each.user_id for each in grants if each.user_id is not None])
    return [
        (
            each,
            each.role_name or known.get(str(each.user_id), f"#{each.user_number}"),
            RIGHTS[max(each.rights, key=list(Right).index)],
        )
        for each in grants
    ]

"""Who may do what with one queue, beside those who may in all of its workspace: given, and taken back."""

from controlroom.engine.access.nouns import ROLE, USER
from controlroom.engine.queues import sharing
from controlroom.engine.queues.rights import Holder, Reached, Right, governing, list_grants
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import RoleId, UserId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.queues.pages import GOVERNS
from controlroom.ui.queues.pages_queue import queue_of
from controlroom.ui.routing import verb


@verb("/queues/{number:str}/grants", may=GOVERNS)
async def give(request: Asking, number: Path[str]) -> Shown:
    """Let a user, or the holders of a role, do this with the queue and nothing else; without a right, nothing."""
    fields = await request.fields()
    found = await queue_of(request, number)
    to, is_role = fields.text("to"), fields.text("of") == "role"
    if not to:
        raise Invalid("Name a user, or a role.", code="HOLDER_MISSING")
    try:
        rights = [Right(each) for each in fields.words("right")]
    except ValueError as wrong:
        raise Invalid("There is no such right on a queue.", code="RIGHT_UNKNOWN") from wrong
    seen = request.scope_for(Permission.READ_WORK_ITEMS)
    if is_role:
        role: RoleId = await resolve(request.db, seen, ROLE, to)
        holder = Holder(role=role)
    else:
        user: UserId = await resolve(request.db, seen, USER, to)
        holder = Holder(user=user)
    reached = Reached(found, governing(request.actor, request.workspace), request.actor)
    before = await _held(request, reached, holder)
    await sharing.set_rights(request.engine, reached, holder, rights)
    here = f"{request.base}/queues/{number}"
    undo_with = {"of": "role" if is_role else "user", "to": str(holder.role or holder.user), "right": " ".join(before)}
    return request.done(here, "Who may what with the queue is changed.", undo=f"{here}/grants", undo_with=undo_with)


async def _held(request: Asking, reached: Reached, holder: Holder) -> tuple[Right, ...]:
    grants = await list_grants(request.db, reached.scope, reached.queue)
    return next((each.rights for each in grants if (each.role_id, each.user_id) == (holder.role, holder.user)), ())

"""What users who are gone had checked out: seen, and given to somebody, by who writes the organization's members."""

from typing import Final

from controlroom.engine.access.model import Permission
from controlroom.engine.repository import checkouts
from controlroom.engine.repository.store import LeftFiles
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Crumb, Path, Shown
from controlroom.ui.pickers.known import USERS
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import page, verb
from controlroom.ui.users.pages import ABOVE

_GIVES: Final = in_organization(Permission.WRITE_MEMBERS)
_HERE: Final = "/admin/left-files"
_MOST: Final = 200


@page(_HERE, opt=ABOVE, is_read=True)
async def list_left_files(request: Asking) -> Shown:
    """Whose they are, and how many."""
    return await request.show(
        "users/left_files.html",
        title="Files of users who are gone",
        at="users",
        crumbs=[Crumb("Users", "/admin/users"), Crumb("Files of users who are gone")],
        left=await checkouts.left_files(*request.governing, limit=_MOST),
        most=_MOST,
    )


@page(_HERE + "/{number:int}", opt=ABOVE)
async def ask_to_whom(request: Asking, number: Path[int]) -> Shown:
    """Who shall have them."""
    return await _form(request, await _left(request, number))


@verb(_HERE + "/{number:int}", opt=ABOVE, may=_GIVES)
async def give(request: Asking, number: Path[int]) -> Shown:
    """Let somebody have them, as files of their own."""
    fields = await request.fields()
    left = await _left(request, number)
    to = fields.text("to")
    chosen, refused = await tried(USERS.chosen(request, to))
    if chosen is not None:
        _, refused = await tried(checkouts.recover(*request.governing, str(left.id), chosen))
    if refused:
        return await _form(request, left, to=to, refused=refused)
    things = "file or folder is" if left.files == 1 else "files and folders are"
    return request.done(_HERE, f"{left.files:,} {things} no more {left.username}'s: they lie in the other's own tree.")


async def _left(request: Asking, number: int) -> LeftFiles:
    found = await checkouts.left_files(*request.governing, of=number, limit=1)
    if not found:
        raise NotFound("This user is not gone, or has left no files.", code="NOTHING_LEFT")
    return found[0]


async def _form(request: Asking, left: LeftFiles, *, to: str = "", refused: str = "") -> Shown:
    return await request.show(
        "users/give_files.html",
        title=f"Files of {left.username}",
        at="users",
        crumbs=[
            Crumb("Users", "/admin/users"),
            Crumb("Files of users who are gone", _HERE),
            Crumb(left.username),
        ],
        status=REFUSED if refused else 200,
        left=left,
        here=f"{_HERE}/{left.number}",
        above=_HERE,
        user=await USERS.offered(request, to),
        refused=refused,
    )

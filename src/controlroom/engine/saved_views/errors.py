"""What can go wrong with saved views. A docstring is the message."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Conflict, Forbidden, Invalid, NotFound


class SavedViewNotFound(NotFound):
    """There is no such view, or it is somebody else's."""

    code: ClassVar[str] = "SAVED_VIEW_NOT_FOUND"

    def __init__(self, view: UUID | str) -> None:
        super().__init__(f"there is no saved view {view}", view_id=str(view))


class SavedViewNameTaken(Conflict):
    """Another view of the list has the name."""

    code: ClassVar[str] = "SAVED_VIEW_NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a view {name!r} of this list already", name=name)


class TooManySavedViews(Conflict):
    """There is no room for another view."""

    code: ClassVar[str] = "TOO_MANY_SAVED_VIEWS"

    def __init__(self, most: int) -> None:
        super().__init__(f"there are {most:,} views already: delete one first", most=most)


class SavedViewInvalid(Invalid):
    """A view that no list could show."""

    def __init__(self, why: str) -> None:
        super().__init__(why, code="SAVED_VIEW_INVALID")


class OwnViewsAreUsers(Forbidden):
    """Views of one's own are for users; a program may only share one."""

    def __init__(self) -> None:
        super().__init__("a program has no views of its own: it may share one", code="OWN_VIEWS_ARE_USERS")

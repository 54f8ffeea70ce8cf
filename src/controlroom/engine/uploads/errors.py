"""What can go wrong with an upload. A docstring is the message."""

from controlroom.errors import Conflict, NotFound


class UploadNotFound(NotFound):
    """There is no such upload."""

    def __init__(self) -> None:
        super().__init__("there is no such upload", code="UPLOAD_NOT_FOUND")


class UploadEnded(Conflict):
    """The upload has ended already, with other content or in failure."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the upload is {state} already", code="UPLOAD_ENDED", state=state)

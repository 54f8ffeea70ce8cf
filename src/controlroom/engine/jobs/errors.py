"""What can go wrong with jobs."""

from typing import ClassVar
from uuid import UUID

from controlroom.errors import Invalid, NotFound


class JobNotFound(NotFound):
    """There is no such job."""

    code: ClassVar[str] = "JOB_NOT_FOUND"

    def __init__(self, job: UUID | str) -> None:
        super().__init__(f"there is no job {job}", job_id=str(job))


class JobInvalid(Invalid):
    """A job that cannot be."""

    code: ClassVar[str] = "JOB_INVALID"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)

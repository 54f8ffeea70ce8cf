"""Secrets of processes (our management API): they switch on the oldest, process-scoped API (§2.4)."""

from datetime import datetime

from controlroom.border.asking import Asking, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Shape
from controlroom.dialects.robocorp.routing import delete, get, post
from controlroom.engine.triggers import process_secrets
from controlroom.ids import ProcessId


class ProcessSecretAnswer(Shape, frozen=True):
    """That a process has a secret, and since when."""

    process_id: ProcessId
    created_at: datetime


class ProcessSecretValue(Shape, frozen=True):
    """The secret of a process."""

    process_id: ProcessId
    secret: str


@get("/processes/{process_id:uuid}/secret", needs=Permission.READ_PROCESSES)
async def get_process_secret(request: Asking, process_id: Path[ProcessId]) -> ProcessSecretAnswer:
    """Tell since when a process has a secret; 404 while it has none."""
    found = await process_secrets.get(*request.reading, process_id)
    return ProcessSecretAnswer(found.process_id, found.created_at)


@post("/processes/{process_id:uuid}/secret")
async def create_process_secret(request: Asking, process_id: Path[ProcessId]) -> ProcessSecretValue:
    """Give a process a secret, in place of the one it may have."""
    return ProcessSecretValue(process_id, await process_secrets.switch_on(*request.acting, process_id))


@post("/processes/{process_id:uuid}/secret/reveal")
async def reveal_process_secret(request: Asking, process_id: Path[ProcessId]) -> ProcessSecretValue:
    """Show the secret of a process once more. It is recorded who saw it."""
    return ProcessSecretValue(process_id, await process_secrets.reveal(*request.acting, process_id))


@delete("/processes/{process_id:uuid}/secret")
async def delete_process_secret(request: Asking, process_id: Path[ProcessId]) -> Deleted:
    """Refuse the secret of a process from now on."""
    return await Deleted.after(process_id, process_secrets.switch_off(*request.acting, process_id))

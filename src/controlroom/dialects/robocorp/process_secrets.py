"""Secrets of processes (our management API): they switch on the oldest, process-scoped API (§2.4)."""

from datetime import datetime

from litestar.params import FromPath
from msgspec import Struct

from controlroom.dialects.robocorp.answers import Deleted
from controlroom.dialects.robocorp.asking import Asker, InWorkspace, TheEngine
from controlroom.dialects.robocorp.routing import delete, get, post
from controlroom.engine.triggers import process_secrets
from controlroom.ids import ProcessId


class ProcessSecretAnswer(Struct, frozen=True):
    """That a process has a secret, and since when."""

    process_id: ProcessId
    created_at: datetime


class ProcessSecretValue(Struct, frozen=True):
    """The secret of a process."""

    process_id: ProcessId
    secret: str


@get("/processes/{process_id:uuid}/secret", operation_id="getProcessSecret")
async def get_process_secret(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, process_id: FromPath[ProcessId]
) -> ProcessSecretAnswer:
    """Tell since when a process has a secret; 404 while it has none."""
    found = await process_secrets.get(engine, actor, workspace_id, process_id)
    return ProcessSecretAnswer(found.process_id, found.created_at)


@post("/processes/{process_id:uuid}/secret", operation_id="createProcessSecret")
async def create_process_secret(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, process_id: FromPath[ProcessId]
) -> ProcessSecretValue:
    """Give a process a secret, in place of the one it may have."""
    return ProcessSecretValue(process_id, await process_secrets.switch_on(engine, actor, workspace_id, process_id))


@post("/processes/{process_id:uuid}/secret/reveal", operation_id="revealProcessSecret")
async def reveal_process_secret(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, process_id: FromPath[ProcessId]
) -> ProcessSecretValue:
    """Show the secret of a process once more. It is recorded who saw it."""
    return ProcessSecretValue(process_id, await process_secrets.reveal(engine, actor, workspace_id, process_id))


@delete("/processes/{process_id:uuid}/secret", operation_id="deleteProcessSecret")
async def delete_process_secret(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, process_id: FromPath[ProcessId]
) -> Deleted:
    """Refuse the secret of a process from now on."""
    await process_secrets.switch_off(engine, actor, workspace_id, process_id)
    return Deleted(process_id)


handlers = [get_process_secret, create_process_secret, reveal_process_secret, delete_process_secret]

"""Files that assistants leave: announced at an address that carries its own right, added when the bytes have come."""

from controlroom.engine.access.scope import Of, scoped
from controlroom.engine.assistants import rules, store
from controlroom.engine.assistants.errors import AssistantRunEnded
from controlroom.engine.assistants.model import AssistantRun
from controlroom.engine.engine import Engine
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads import store as upload_store
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.errors import Invalid
from controlroom.file_names import plain_path
from controlroom.ids import AssistantArtifactId, AssistantRunId, UploadId
from controlroom.objects.store import Blob


async def promise(engine: Engine, run: AssistantRun, *, name: str, size: int) -> Upload:
    """Promise a file of a run that lives, or has ended lately. The caller has seen to the right.

    Raises Invalid for what cannot be a file or is one too many, AssistantRunEnded.
    """
    name = _checked(engine, name, size)
    scope = Of(run.organization_id, (run.workspace_id,))
    async with scoped(engine.database, scope) as tx:
        if not await store.takes_artifacts(tx, scope, run.id, rules.ARTIFACTS_AFTER):
            raise AssistantRunEnded(run.id, run.state.value)
        if await store.count_artifacts(tx, run.id) >= engine.limits.artifacts:
            raise Invalid(f"a run leaves at most {engine.limits.artifacts:,} files", code="TOO_MANY_ARTIFACTS")
        return await upload_store.promise(
            tx, scope, kind=UploadKind.ASSISTANT_ARTIFACT, target=run.id, name=name, size=size
        )


async def complete_upload(engine: Engine, scope: Of, upload_id: UploadId, blob: Blob) -> None:
    """The bytes have come: the file is added to the run, in place of one of the same name. May be repeated."""
    async with scoped(engine.database, scope) as tx:
        upload = await uploads.claim(tx, scope, upload_id, UploadKind.ASSISTANT_ARTIFACT, blob)
        if upload is not None:  # else it was told before, and done then
            await store.put_artifact(
                tx,
                scope,
                AssistantRunId(upload.target_id),
                AssistantArtifactId(upload.id),
                name=upload.name,
                size=blob.size,
                digest=blob.hash,
            )


def _checked(engine: Engine, name: str, size: int) -> str:
    """The name that the file is to have: the given one, plain and short enough. Raises Invalid for what is none."""
    if {"", ".", ".."} & set(name.split("/")) or "\\" in name or "\0" in name:
        raise Invalid(f"{name[:300]!r} is no file name", code="FILE_NAME")
    if not 0 <= size <= engine.limits.artifact_bytes:
        limit = engine.limits.artifact_bytes
        raise Invalid(f"an artifact may have 0 to {limit:,} bytes", code="FILE_TOO_LARGE", size=size)
    return plain_path(name)

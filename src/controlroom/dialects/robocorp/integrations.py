"""The integrations endpoint (§1.7): any body starts a run, with the key in the query; with Asana's handshake (§9.4)."""

from typing import Annotated, Literal

from litestar import Response
from msgspec import Raw

from controlroom.border.asking import Asking, Path, QueryParameter
from controlroom.border.bodies import payload_of
from controlroom.dialects.robocorp.process_runs import NotStarted, Started
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.runs import actions, model
from controlroom.engine.triggers import handshakes
from controlroom.errors import Conflict
from controlroom.ids import ProcessId

_SECRET = "x-hook-secret"  # noqa: S105 - the name of a header
_SIGNATURE = "x-hook-signature"


@post("/api/v1/workspaces/{workspace_id:uuid}/processes/{process_id:uuid}/process-runs-integrations")
async def start_process_run_from_integration(
    request: Asking,
    process_id: Path[ProcessId],
    token: Annotated[str, QueryParameter()],  # noqa: ARG001 - the credential: read before, documented here
    with_handshake: Annotated[Literal["asana"] | None, QueryParameter()] = None,
) -> Response[Started | NotStarted]:
    """Start a run with the whole body as payload.

    With a handshake, the first call brings a secret in `X-Hook-Secret`, which is kept and sent back, and starts
    nothing; later calls are signed by it, and those without events start nothing.
    """
    body = await request.body()
    if with_handshake is not None:
        if (secret := request.headers.get(_SECRET)) is not None:
            await handshakes.shake(*request.acting, process_id, secret)
            return Response(NotStarted(), headers={_SECRET: secret}, media_type="application/json")
        signature = request.headers.get(_SIGNATURE, "")
        await handshakes.verify(*request.acting, process_id, body=body, signature=signature)
        if handshakes.is_heartbeat(body):
            return Response(NotStarted(), media_type="application/json")
    inputs = model.WithPayloads(Raw(b"[" + bytes(payload_of(body)) + b"]"), 1)
    run = await actions.start(*request.acting, process_id, inputs)
    if run is None:  # it has brought an item
        raise Conflict("the run was not started", code="NOT_STARTED")
    return Response(Started(run.id), media_type="application/json")

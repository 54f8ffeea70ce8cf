"""How a machine runs an assistant (§8.5): an encrypted exchange, heartbeats, the end, and files that it leaves."""

from datetime import datetime
from functools import partial
from typing import Literal

import msgspec
from litestar import get, put
from msgspec import field

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.envelopes import Envelope, enclosed
from controlroom.dialects.robocorp.answers import Form, OlderShape, Shape, shown_as
from controlroom.dialects.robocorp.assistants import AssistantTask, task_of
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.assistants import actions, artifacts, model, store, tokens
from controlroom.errors import Invalid
from controlroom.ids import AssistantId, AssistantRunId, PackageId, UploadId
from controlroom.postgres.keyset import whole

_RUN = "/{assistant_id:uuid}/runs/{run_id:uuid}"
_SCHEME = "rc-encryption-v1"


class RunnableAssistant(OlderShape, frozen=True, kw_only=True):
    """An assistant as rcc lists it."""

    id: AssistantId
    name: str
    task: AssistantTask
    created_at: datetime


class KeyRequest(OlderShape, frozen=True):
    """For which key the answer is to be encrypted."""

    scheme: str
    public_key: str


class StartRequest(Shape, frozen=True):
    """Begin a run."""

    encryption: KeyRequest


class AnswerEncryption(Shape, frozen=True, kw_only=True):
    """How the payload is encrypted; bytes are base64."""

    iv: bytes
    atag: bytes
    encrypted_key: bytes = field(name="encryptedAESKey")


class StartAnswer(Shape, frozen=True):
    """What to run, encrypted."""

    encryption: AnswerEncryption
    payload: bytes


class Config(Shape, frozen=True, kw_only=True):
    """With which variables, and where files are announced."""

    environment: dict[str, str]
    artifact_post_url: str = field(name="artifactPostURL")


class RobotToRun(Shape, frozen=True):
    """Which robot: `sha256` tells whether a zip at hand is the right one, `folder` (ours) where it lies in it."""

    id: PackageId
    task: str
    sha256: str
    folder: str | None


class Plain(Shape, frozen=True):
    """What the payload says when it is decrypted."""

    id: AssistantRunId
    config: Config
    robot: RobotToRun


class Beat(Shape, frozen=True):
    """A sign of life, numbered."""

    seq: int


class Completion(Shape, frozen=True):
    """How the run ended."""

    result: Literal["OK", "ERROR"]
    error: str = "PASS"


class Nothing(Shape, frozen=True):
    """An answer whose status says it all."""


class FileRequest(OlderShape, frozen=True):
    """A file that shall be left; its size is digits in a text."""

    file_name: str
    file_size: str | int


class PostResponse(OlderShape, frozen=True):
    """The file that was announced."""

    artifact_id: UploadId
    post_info: Form


class FileAnswer(Shape, frozen=True):
    """Likewise, in its envelope."""

    response: PostResponse


@get("/", needs=Permission.READ_ASSISTANTS)
async def list_assistants(request: Asking) -> list[RunnableAssistant]:
    """List the assistants of a workspace: all of them, because this API has no pages."""
    rows = await whole(partial(store.list_assistants, *request.reading), request.engine.limits.max_page_size)
    return [_show(row) for row in rows]


@post("/{assistant_id:uuid}/runs")
async def start_run(request: Asking, assistant_id: Path[AssistantId], data: Body[StartRequest]) -> StartAnswer:
    """Begin a run: what to run and with which variables, encrypted for the machine's key."""
    if data.encryption.scheme != _SCHEME:
        raise Invalid(f"The only scheme here is {_SCHEME}.", code="ENCRYPTION_SCHEME_UNKNOWN")
    _for_machine(data.encryption.public_key, b"")  # a key that does not do shall start nothing
    started = await actions.start(*request.acting, assistant_id)
    sealed = _for_machine(data.encryption.public_key, msgspec.json.encode(_plain(request, started)))
    return StartAnswer(AnswerEncryption(iv=sealed.iv, atag=sealed.tag, encrypted_key=sealed.key), sealed.content)


@post(f"{_RUN}/heartbeat")
async def beat(request: Asking, run_id: Path[AssistantRunId], data: Body[Beat]) -> Nothing:
    """Tell that the run goes on."""
    await actions.beat(*request.acting, run_id, data.seq)
    return Nothing()


@put(f"{_RUN}/complete", status_code=200)
async def complete(request: Asking, run_id: Path[AssistantRunId], data: Body[Completion]) -> Nothing:
    """Tell that the run has ended, and how."""
    await actions.complete(*request.acting, run_id, _error(data))
    return Nothing()


@post("/{token:str}")
async def announce_file(request: Asking, token: Path[str], data: Body[FileRequest]) -> FileAnswer:
    """Announce a file that a run leaves; the address carries the right to do so."""
    run = await tokens.run_of_posting(request.engine, token)
    upload = await artifacts.promise(request.engine, run, name=data.file_name, size=_size(data.file_size))
    return FileAnswer(PostResponse(upload.id, Form.of(request, upload)))


def _for_machine(public_key: str, plaintext: bytes) -> Envelope:
    """Encrypt for the key of a machine (PEM). Raises EnvelopeInvalid if it is not such a key."""
    return enclosed(plaintext, public_key.encode(), form="PEM", iv_bytes=12)


_show = shown_as(RunnableAssistant, model.Assistant, task=task_of)


def _plain(request: Asking, started: model.Started) -> Plain:
    origin, run, token = request.origin, started.run, tokens.runtime_token(request.engine, started.run)
    environment = {
        "RC_WORKSPACE_ID": str(run.workspace_id),
        "RC_API_SECRET_HOST": origin,
        "RC_API_SECRET_TOKEN": token,
        "RC_API_URL_V1": f"{origin}/api/v1",
        "RC_API_TOKEN_V1": token,
    }
    post_url = f"{origin}/assistant-v1/artifacts/{tokens.posting_token(request.engine, run)}"
    return Plain(
        run.id,
        Config(environment=environment, artifact_post_url=post_url),
        RobotToRun(started.package_id, started.task_name, started.sha256, started.folder),
    )


def _error(told: Completion) -> model.AssistantError | None:
    """What went wrong; a word that we do not know is as good as none."""
    if told.result == "OK":
        return None
    try:
        return model.AssistantError(told.error)
    except ValueError:
        return model.AssistantError.UNKNOWN


def _size(text: str | int) -> int:
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):  # noqa: PLR2004 - beyond a bigint
        raise Invalid("fileSize must be digits", code="INVALID_BODY")
    return int(digits)


by_token = [list_assistants, start_run, beat, complete]
"""What a token opens; the address of files opens itself."""

"""A prompt to a model, and what it answers: by the one client for requests that leave the room."""

from collections.abc import Mapping
from typing import Final

from controlroom.engine.access.model import Actor
from controlroom.engine.engine import Engine
from controlroom.engine.model_connections import actions
from controlroom.engine.model_connections.errors import ModelRefused
from controlroom.engine.model_connections.model import Told
from controlroom.engine.model_connections.rules import told_by
from controlroom.ids import ModelConnectionId
from controlroom.outgoing import Outgoing

_SECONDS: Final = 60.0
"""For an answer. Why longer than others': models think."""
_ANSWER_BYTES: Final = 1 << 20


async def ask(
    engine: Engine, actor: Actor, model: ModelConnectionId, prompt: str, given: Mapping[str, str], *, outgoing: Outgoing
) -> Told:
    """Ask a model something. Raises ModelNotFound, PromptInvalid, KeyMissing, ModelRefused, and as `outgoing`."""
    call, asked = await actions.prepare(engine, actor, model, prompt, given)
    answer = await outgoing.request(
        call.method,
        call.url,
        headers=call.headers,
        content=call.body,
        seconds=_SECONDS,
        answer_bytes=_ANSWER_BYTES,
    )
    if not answer.is_success:
        raise ModelRefused(answer.status)
    return told_by(asked.definition, answer.body)

"""What a deploy's callback is told when one of its executions ends (§2.22.2).

The vendor's own text names what is in it; the shape is that of the one receiver that is known. Signatures are ours, by
the Standard Webhooks, where a secret was agreed on: this grammar has no place for one, so that none is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from controlroom.border.standard_webhooks import standard_headers
from controlroom.dialects.automation360.executions import STATUSES, execution_id
from controlroom.dialects.automation360.people import ROLE_NAMES
from controlroom.dialects.automation360.values import values_of
from controlroom.engine.messages import Message, Occurrence
from controlroom.engine.runs.callbacks import CallbackEvent
from controlroom.engine.runs.model import Result
from controlroom.engine.runs.stages import Stage, failure_of
from controlroom.protocol import ErrorCode

GRAMMAR: Final = "automation360"
"""By what name it is stored with those that are told in it."""

ENDS: Final = (CallbackEvent.STEP_RUN_COMPLETED, CallbackEvent.STEP_RUN_FAILED)


class Automation360Grammar:
    """A `messages.Grammar`: one message of the end of an execution."""

    role_names: Final = tuple(ROLE_NAMES.values())
    wants_outputs: Final = tuple(event.value for event in ENDS)

    def messages(self, occurrence: Occurrence) -> list[Message]:
        """See `Grammar.messages`."""
        if occurrence.kind not in self.wants_outputs or occurrence.step_run_id is None:
            return []
        outputs = occurrence.outputs
        payload: dict[str, Any] = {} if outputs is None else msgspec.json.decode(outputs.values)
        stage = _stage(occurrence)
        body = {
            "deploymentId": str(occurrence.run_id),
            "status": STATUSES[stage],
            "deviceId": _number(occurrence.worker_number),
            "userId": _number(occurrence.run_as_number),
            "botOutput": values_of(payload),
            "executionId": execution_id(occurrence.step_run_id, occurrence.step_run_number or 0),
            "message": "" if stage is Stage.SUCCEEDED else occurrence.error_message or "",
        }
        return [Message(msgspec.json.encode(body))]

    def headers(self, body: bytes, *, message: UUID, secret: str | None, at: datetime) -> Mapping[str, str]:
        """See `Grammar.headers`."""
        return {} if secret is None else standard_headers(body, message=message, secret=secret, at=at)


def _stage(occurrence: Occurrence) -> Stage:
    if occurrence.kind == CallbackEvent.STEP_RUN_COMPLETED:
        return Stage.SUCCEEDED
    code = None if occurrence.error_code is None else ErrorCode(occurrence.error_code)
    return failure_of(Result(occurrence.data.get("result", Result.FAILED)), code)


def _number(number: int | None) -> str:
    return "" if number is None else str(number)

"""Tokens that carry what they mean: a robot's right to its own attempt.

Nothing of them is stored. They die because every statement that serves them names step run, attempt and the state
`in_progress`: a token of an ended or overtaken attempt finds no row.
"""

from functools import lru_cache

import msgspec

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import StepRunActor
from controlroom.keys import Keys

STEP_RUN_PREFIX = "crr_"

_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(StepRunActor)


def mint_step_run_token(keys: Keys, actor: StepRunActor) -> str:
    """The token of one attempt of one step run: about 190 characters, safe in headers and variables."""
    return keys.pack_token(STEP_RUN_PREFIX, _encoder.encode(actor))


@lru_cache(maxsize=4096)  # Why: a robot shows the same token with every call; what it says never changes
def read_step_run_token(keys: Keys, token: str) -> StepRunActor:
    """Whose token it is. Whether the attempt still lives is for the statements to say. Raises Unauthenticated."""
    payload = keys.unpack_token(STEP_RUN_PREFIX, token)
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as foreign:  # signed by a release with another form
        raise WrongCredential("token") from foreign

"""Starts that are repeated because their answer was lost: a key that the caller chose makes two of them one run.

The key is the run's, and unique among those of its process: it is kept as long as the run is. A start that has it again
is answered with the run, whatever has become of the process meanwhile, if it asks for the same; asking for something
else, it is a Conflict. Of several at once one makes the run, and the others wait for its commit. A start that made no
run, because nothing waited or it was refused, leaves no key.
"""

import hashlib
from typing import ClassVar

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.runs import store
from controlroom.engine.runs.model import Inputs, Run
from controlroom.engine.runs.parameters import RunParameters
from controlroom.errors import Conflict
from controlroom.ids import ProcessId, RunId


class KeyReused(Conflict):
    """The key was given by another start, which asked for something else."""

    code: ClassVar[str] = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self, key: str, run: RunId) -> None:
        super().__init__(f"the key {key!r} has started another run, which was asked for differently", run_id=str(run))


def fingerprint(engine: Engine, asked: tuple[Inputs, RunParameters]) -> str | None:
    """What tells whether a start is the first one again: a hash of all that it asks for; None without a key.

    Payloads count as they are written: a caller that repeats a request sends the same bytes.
    """
    return None if asked[1].idempotency_key is None else fingerprint_of(engine, asked)


def fingerprint_of(engine: Engine, asked: object) -> str:
    """The same of anything that is asked for, by whatever verb."""
    digest = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
    return engine.keys.lookup(f"start:{digest}").hex()  # keyed: a callback's secret is part of it


class _First(Struct, frozen=True):
    id: RunId
    fingerprint: str


async def first_of(
    tx: ScopedTx, scope: Scope, process: ProcessId, key: str | None, fingerprint: str | None
) -> Run | None:
    """The run that the first start with the key has made; raises KeyReused if it asked for something else."""
    if key is None:
        return None
    found = await tx.one_or_none(
        _First,
        f"""
        select id, parameters ->> 'fingerprint' as fingerprint from run
         where process_id = %(process)s and parameters ->> 'idempotency_key' = %(key)s
           and parameters ? 'idempotency_key' and workspace_id = {SEEN}
        """,
        process=process,
        key=key,
        **scope.params,
    )
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused(key, found.id)
    return await store.get(tx, scope, found.id)

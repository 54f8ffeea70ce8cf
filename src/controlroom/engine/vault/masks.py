"""What a step run has read of the vault, remembered (sealed) so that it does not show in the console.

`step_run.mask_count` rises with every reading, in its transaction: whoever appends console lines says how many readings
they know of, and is refused if there are more. So a value that was read is masked in every line printed after it, and a
step run that reads nothing pays for one comparison of numbers.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.aside.pool import Aside, Bounds, TooCostly
from controlroom.engine.access.scope import EACH, Scope, ScopedTx
from controlroom.engine.vault.masking import MASK, masked, pattern_of
from controlroom.ids import SecretId, StepRunId, WorkspaceId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

_CHEAP: Final = 50_000_000
"""Bytes of a text times bytes of the values. Why: the worst we have made took 100 ms for it."""
_MOST_LIGHT: Final = 200
_MOST_BYTES: Final = 8 << 20
"""Of all that a step run has read. Why: more are no secrets, and reading them anew takes the loop's time."""
_SECONDS: Final = 5.0
SHORTEST: Final = 4
"""Characters. Why: masking `1` or `no` would hide no secret and spoil every line."""

_strings = msgspec.json.Decoder(list[str]).decode


class Masks(Struct, frozen=True):
    """The values to mask, and how many readings they are of."""

    count: int
    pattern: "re.Pattern[bytes] | None"
    """None where there are none, or where they are too many to be looked for in the loop."""
    values: tuple[str, ...] = ()
    hides_all: bool = False
    """They are too many to be looked for at all."""
    workspace: WorkspaceId | None = None
    """Whose they are, where there are any."""

    def are_light_for(self, body: bytes) -> bool:
        """Whether they may be looked for in the loop: by a product, at each place of the text all may begin."""
        if self.pattern is None:
            return not self.values and not self.hides_all
        return len(body) * sum(map(len, self.values)) <= _CHEAP

    def applied_to(self, body: bytes) -> bytes:
        """Lines with every value replaced. Values of several lines are masked line by line: lines stay as many."""
        return body if self.pattern is None else self.pattern.sub(MASK, body)

    def applied_to_unfinished(self, text: bytes) -> bytes:
        """A text that goes on, with every value replaced; what may be the beginning of one at its end is left out."""
        if not self.are_light_for(text):
            return b""  # it is shown when it is whole
        masked = self.applied_to(text)
        return masked[: len(masked) - max((_begun(masked, value.encode()) for value in self.values), default=0)]


NOTHING: Final = Masks(0, None)


async def remember(tx: ScopedTx, keys: Keys, step_run: StepRunId, secret: SecretId, values: Mapping[str, Any]) -> None:
    """Write that a step run reads a secret, in the transaction that gives it."""
    shown = sorted(set(_shown(values)))
    await tx.execute(
        """
        with read as (
            update step_run set mask_count = mask_count + 1 where id = %(step_run)s
        )
        insert into secret_mask (step_run_id, secret_id, sealed) values (%(step_run)s, %(secret)s, %(sealed)s)
            on conflict (step_run_id, secret_id) do update set sealed = excluded.sealed
        """,
        step_run=step_run,
        secret=secret,
        sealed=keys.seal(msgspec.json.encode(shown), place=_place(step_run)),
    )


class _Sealed(Struct, frozen=True):
    count: int
    sealed: list[bytes]


class _Weight(Struct, frozen=True):
    count: int
    bytes: int
    workspace_id: WorkspaceId


async def masks_of(db: Statements, scope: Scope, keys: Keys, step_run: StepRunId) -> Masks:
    """The values that a step run has read until now."""
    weighed = await db.one_or_none(
        _Weight,
        f"""
        select mask_count as count,
               (select coalesce(sum(octet_length(sealed)), 0) from secret_mask where step_run_id = step_run.id)
                   as bytes, workspace_id
          from step_run where id = %(reader)s and workspace_id in {EACH}
        """,
        reader=step_run,
        **scope.each,
    )
    if weighed is None:
        return NOTHING
    if weighed.bytes > _MOST_BYTES:
        return Masks(weighed.count, None, hides_all=True)
    found = await db.one(
        _Sealed,
        f"""
        select mask_count as count,
               array(select sealed from secret_mask where step_run_id = step_run.id) as sealed
          from step_run where id = %(reader)s and workspace_id in {EACH}
        """,
        reader=step_run,
        **scope.each,
    )
    values = {value for sealed in found.sealed for value in _strings(keys.unseal(sealed, place=_place(step_run)))}
    is_light = len(values) <= _MOST_LIGHT and sum(map(len, values)) <= _CHEAP // 1024
    pattern = pattern_of(values) if is_light else None
    return Masks(found.count, pattern, tuple(sorted(values)), workspace=weighed.workspace_id)


async def hide(aside: Aside, masks: Masks, body: bytes) -> bytes:
    """Lines with every value replaced; all of every line, where that takes too long."""
    if masks.are_light_for(body):
        return masks.applied_to(body)
    if not masks.hides_all:
        with contextlib.suppress(TooCostly):
            bounds = Bounds("The console", seconds=_SECONDS, asker=masks.workspace)
            return await aside.call(bounds, masked, body, masks.values)
    return (MASK + b"\n") * body.count(b"\n")


def _begun(text: bytes, value: bytes) -> int:
    """How many bytes at the end of a text are the beginning of a value."""
    longest = min(len(value) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(value[:length])), 0)


def _shown(value: Any) -> Iterator[str]:
    """The texts by which a value would show: each line of strings, and numbers as they are written."""
    match value:
        case str():
            yield from (line for line in (part.strip() for part in value.splitlines()) if len(line) >= SHORTEST)
        case bool() | None:
            return
        case int() | float():
            yield from _shown(str(value))
        case list():
            for each in value:
                yield from _shown(each)
        case dict():
            for each in value.values():
                yield from _shown(each)


def _place(step_run: StepRunId) -> str:
    return f"secret_mask/{step_run}"

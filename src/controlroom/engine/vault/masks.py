"""What a step run has read of the vault, remembered (sealed) so that it does not show in the console.

`step_run.mask_count` rises with every reading, in its transaction: whoever appends console lines says how many readings
they know of, and is refused if there are more. So a value that was read is masked in every line printed after it, and a
step run that reads nothing pays for one comparison of numbers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.ids import SecretId, StepRunId
from controlroom.keys import Keys
from controlroom.postgres.database import Statements

MASK: Final = b"***"
SHORTEST: Final = 4
"""Characters. Why: masking `1` or `no` would hide no secret and spoil every line."""

_strings = msgspec.json.Decoder(list[str]).decode


class Masks(Struct, frozen=True):
    """The values to mask, and how many readings they are of."""

    count: int
    pattern: "re.Pattern[bytes] | None"
    values: tuple[bytes, ...] = ()

    def applied_to(self, body: bytes) -> bytes:
        """Lines with every value replaced. Values of several lines are masked line by line: lines stay as many."""
        return body if self.pattern is None else self.pattern.sub(MASK, body)

    def applied_to_unfinished(self, text: bytes) -> bytes:
        """A text that goes on, with every value replaced; what may be the beginning of one at its end is left out."""
        masked = self.applied_to(text)
        return masked[: len(masked) - max((_begun(masked, value) for value in self.values), default=0)]


NOTHING: Final = Masks(0, None)


async def remember(
    tx: Statements, keys: Keys, step_run: StepRunId, secret: SecretId, values: Mapping[str, Any]
) -> None:
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


async def masks_of(db: Statements, keys: Keys, step_run: StepRunId) -> Masks:
    """The values that a step run has read until now."""
    found = await db.one_or_none(
        _Sealed,
        """
        select mask_count as count,
               array(select sealed from secret_mask where step_run_id = step_run.id) as sealed
          from step_run where id = %(step_run)s
        """,
        step_run=step_run,
    )
    if found is None:
        return NOTHING
    values = {value for sealed in found.sealed for value in _strings(keys.unseal(sealed, place=_place(step_run)))}
    return Masks(found.count, pattern_of(values), tuple(value.encode() for value in values))


def _begun(text: bytes, value: bytes) -> int:
    """How many bytes at the end of a text are the beginning of a value."""
    longest = min(len(value) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(value[:length])), 0)


def pattern_of(values: "set[str] | list[str]") -> "re.Pattern[bytes] | None":
    """What finds the values in lines; the longest of several that begin alike."""
    if not values:
        return None
    texts = sorted((value.encode() for value in values), key=lambda text: (-len(text), text))
    return re.compile(b"|".join(re.escape(text) for text in texts))


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

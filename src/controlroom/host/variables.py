"""Variables that look like settings and are none: said when a part starts, for a misspelt limit is no limit."""

import re
import sys
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from controlroom.settings import Limits, Settings
from controlroom.worker.settings import WorkerSettings, names_of

_PREFIX: Final = "CONTROLROOM_"

_OTHER_PARTS: Final = (
    *("CONFIG", "HANDOVER"),
    *("URL", "WORKSPACE", "API_KEY", "CREDENTIALS", "ROOMS"),  # commands that speak to a room
)

_NOT_OURS: Final = re.compile(
    r"""(BENCH|FAULT|SOAK|TEST)_                        # the project's own measurements and tests
      | SERVICE_(HOST|PORT) | \w*PORT_\d+_ | PORT_\d+   # Kubernetes, of a service that is called `controlroom`
    """,
    re.VERBOSE,
)


class UnknownVariable(Struct, frozen=True):
    """A variable that nothing reads."""

    name: str
    nearest: str | None
    """The one that was probably meant."""

    @property
    def warning(self) -> str:
        """What its author should know."""
        meant = f"; {self.nearest} is one" if self.nearest else ""
        return f"{self.name} is set, but there is no such setting{meant}"


def unknown_variables(environment: Mapping[str, str]) -> list[UnknownVariable]:
    """Those that begin like a setting and that no part of the project knows."""
    known = {
        *_OTHER_PARTS,
        *(field.upper() for field in Settings.__struct_fields__ if field != "limits"),
        *(f"LIMITS_{field.upper()}" for field in Limits.__struct_fields__),
        *(name.removeprefix(_PREFIX) for field in WorkerSettings.__struct_fields__ for name in names_of(field)),
    }
    rests = sorted(name.removeprefix(_PREFIX) for name in environment if name.startswith(_PREFIX))
    return [
        UnknownVariable(_PREFIX + rest, _nearest(rest, known))
        for rest in rests
        if rest not in known and not _NOT_OURS.match(rest)
    ]


def warn_of_unknown_variables(environment: Mapping[str, str]) -> None:
    """Say on standard error which variables change nothing."""
    for each in unknown_variables(environment):
        print(f"warning: {each.warning}", file=sys.stderr, flush=True)


def _nearest(rest: str, known: set[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - hardly ever needed

    found = get_close_matches(rest.upper(), known, n=1, cutoff=0.6)
    return _PREFIX + found[0] if found else None

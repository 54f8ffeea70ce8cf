"""The engine has one vocabulary, which is no vendor's."""

import re
from collections.abc import Iterator
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "src/controlroom/engine"

_OF_VENDORS = re.compile(
    r"""robocorp | robocloud | sema4 | \brcc\b | \bRC[-_] | \bx-rc\b | automation.?360 | automation.?anywhere
      | \bdbt[ -]?cloud\b | PROCESS_RUN_ | TASK_PACKAGE_ | CAPABILIT | \btask[ _-]package | \bprocess[ _-]run\b""",
    re.VERBOSE | re.IGNORECASE,
)
_OURS = re.compile(r"PROCESS_RUNNING|Process run {end\.run}")
"""A process of which a run is under way, and a line of mails that people read, not programs."""


def test_no_word_of_a_vendor_stands_in_the_engine():
    """Neither in a name, a code, a statement nor a comment: whoever translates does so in a dialect."""
    assert list(_found()) == []


def _found() -> Iterator[str]:
    for file in sorted(ENGINE.rglob("*.py")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if _OF_VENDORS.search(_OURS.sub("", line)):
                yield f"{file.relative_to(ENGINE)}:{number}: {line.strip()}"

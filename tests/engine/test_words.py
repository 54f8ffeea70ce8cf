"""The engine has one vocabulary, which is no vendor's."""

import re
from collections.abc import Iterator
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "src/controlroom/engine"

_OF_VENDORS = re.compile(
    r"""robocorp | robocloud | sema4 | \brcc\b | \bRC[-_] | \bx-rc\b | automation.?360 | automation.?anywhere | \bdbt\b
      | PROCESS_RUN_ | TASK_PACKAGE_ | CAPABILIT | \btask.package | \bprocess.run\b""",
    re.VERBOSE | re.IGNORECASE,
)
_OURS = re.compile(r"\btask\.package_id|PROCESS_RUNNING")
"""A column of a table, and a process of which a run is under way."""

_YET = {
    "notifications/rules.py",
    "provisioners/rules.py",
    "runs/actions.py",
    "runs/model.py",
    "webhooks/model.py",
    "webhooks/recipients.py",
}
"""Where messages to the world still have a vendor's form."""


def test_no_word_of_a_vendor_stands_in_the_engine():
    """Neither in a name, a code, a statement nor a comment: whoever translates does so in a dialect."""
    assert list(_found()) == []


def _found() -> Iterator[str]:
    for file in sorted(set(ENGINE.rglob("*.py")) - {ENGINE / name for name in _YET}):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if _OF_VENDORS.search(_OURS.sub("", line)):
                yield f"{file.relative_to(ENGINE)}:{number}: {line.strip()}"

"""Lines for the room's console, which knows errors and warnings by their levels."""

from __future__ import annotations

import logging
import os
import sys


class _Console(logging.Handler):
    """Prints where the robot prints, so that lines stand in their order; the console has their times."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:  # noqa: BLE001 - as all handlers of `logging`
            self.handleError(record)


def _made() -> logging.Logger:
    made = logging.getLogger("controlroom_robot")
    handler = _Console()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    made.addHandler(handler)
    made.setLevel(os.getenv("CONTROLROOM_LOG_LEVEL", "INFO").upper())
    made.propagate = False
    return made


log = _made()

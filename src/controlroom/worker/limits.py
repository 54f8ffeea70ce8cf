"""What one robot may use of the machine."""

import shlex
from collections.abc import Sequence

from msgspec import Struct

from controlroom.worker.memory_groups import MemoryGroup

_BLOCK_BYTES = 512
"""The unit of `ulimit -f` in POSIX."""


class Limits(Struct, frozen=True):
    """The limits of one robot; what starts it and all its processes stand under them."""

    memory: MemoryGroup | None = None
    """The group that bounds its memory; None without a limit."""
    file_bytes: int = 0
    """How large each file that it writes may become; 0 without a limit."""

    def wrap(self, argv: Sequence[str]) -> list[str]:
        """The command line that starts a command under them, in the process that it would have had anyway."""
        steps = []
        if self.memory is not None:
            steps.append(f"echo $$ > {shlex.quote(str(self.memory.processes))}")
        if self.file_bytes:
            steps.append(f"ulimit -f {max(1, self.file_bytes // _BLOCK_BYTES)}")
        return ["/bin/sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh", *argv] if steps else list(argv)

    @property
    def overrun(self) -> str:
        """What the robot has used too much of, a sentence; empty if nothing is known."""
        if self.memory is not None and self.memory.has_overrun:
            return " It used more memory than the worker allows (robot_memory_bytes)."
        return ""

    def lift(self) -> None:
        """Give back what they needed, after the robot's last process."""
        if self.memory is not None:
            self.memory.remove()

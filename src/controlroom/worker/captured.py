"""Programs whose output is read here and that are over when we leave them, with everything that they have started.

They are not waited for by their pipes, as asyncio's own subprocesses are: a process that escaped may hold those for
ever.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from controlroom.worker.processes import ProcessTree

_PATIENCE_SECONDS = 5.0
"""How long what a program has printed is still read after its end, should somebody who escaped keep its pipes open."""


class Captured:
    """A running program in its enclosure."""

    def __init__(self, tree: ProcessTree, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self.tree = tree
        self.stdout = stdout
        self.stderr = stderr

    async def communicate(self) -> tuple[int, bytes, bytes]:
        """Its exit code (128 + n if signal n ended it), and all that it printed on both streams."""
        code, said, complained = await asyncio.gather(self.tree.wait(), self.stdout.read(), self.stderr.read())
        return code, said, complained


@asynccontextmanager
async def captured(
    argv: Sequence[str], variables: Mapping[str, str], *, layers: int, cwd: Path, umask: int = -1
) -> AsyncIterator[Captured]:
    """Start a program that stands below `layers` processes of its enclosure; raises OSError where it can't be started.

    Leaving the block ends it, if it has not ended by itself.
    """
    async with _pipe() as stdout, _pipe() as stderr:
        tree = ProcessTree.start(
            argv, variables, layers=layers, cwd=cwd, stdout=stdout.writing_end, stderr=stderr.writing_end, umask=umask
        )
        try:
            for pipe in (stdout, stderr):
                pipe.program_has_it()
                tree.when_ended(pipe.close_late)
            yield Captured(tree, stdout.reader, stderr.reader)
        finally:
            await tree.kill()


class _Pipe:
    """One stream of a program."""

    def __init__(self, writing_end: int, reader: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        self.writing_end = writing_end
        self.reader = reader
        self._transport = transport

    def program_has_it(self) -> None:
        """Forget the writing end: only then does the stream end when the program does."""
        if self.writing_end >= 0:
            os.close(self.writing_end)
            self.writing_end = -1

    def close_late(self) -> None:
        """Read for a moment, then no more: the reader is at its end in any case."""
        asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._transport.close)

    def close(self) -> None:
        """Read no more."""
        self.program_has_it()
        self._transport.close()


@asynccontextmanager
async def _pipe() -> AsyncIterator[_Pipe]:
    reading_end, writing_end = os.pipe2(os.O_CLOEXEC)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading_end, "rb", 0)
    )
    pipe = _Pipe(writing_end, reader, transport)
    try:
        yield pipe
    finally:
        pipe.close()

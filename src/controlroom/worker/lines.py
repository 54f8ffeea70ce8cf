"""From the bytes that a robot writes to the lines that a console shows."""

from msgspec import Struct

from controlroom.protocol import MAX_LINE_BYTES


class Lines(Struct, frozen=True):
    """Whole lines: UTF-8 without NUL, each ended by LF, none longer than `MAX_LINE_BYTES`."""

    text: bytes
    count: int


NO_LINES = Lines(b"", 0)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class LineSplitter:
    """Cuts one stream into lines as it comes.

    It works on whole chunks, because a robot may print a hundred thousand lines a second: a chunk is only taken apart
    when a line in it is too long. What is over length is dropped here; the raw log keeps it.
    """

    def __init__(self) -> None:
        self._tail = bytearray()

    def feed(self, chunk: bytes) -> Lines:
        """The lines that this chunk completes."""
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._keep(chunk)
            return NO_LINES
        whole = bytes(self._tail) + chunk[:end]
        self._tail.clear()
        self._keep(chunk[end:])
        return clean(whole)

    def finish(self) -> Lines:
        """The last line, if it lacked its LF."""
        if not self._tail:
            return NO_LINES
        whole = bytes(self._tail) + b"\n"
        self._tail.clear()
        return clean(whole)

    def _keep(self, rest: bytes) -> None:
        # Why one byte more than a line may have: so that `clean` sees that it is to be cut, and does it at a character
        self._tail += rest[: MAX_LINE_BYTES + 1 - len(self._tail)]


def clean(whole: bytes) -> Lines:
    """Lines that all end with LF, made fit to be stored: NUL and what is no UTF-8 become U+FFFD, CR LF becomes LF."""
    if b"\r\n" in whole:
        whole = whole.replace(b"\r\n", b"\n")
    if b"\0" in whole:
        whole = whole.replace(b"\0", _REPLACEMENT)
    if not whole.isascii():
        whole = whole.decode("utf-8", "replace").encode()
    if len(whole) > MAX_LINE_BYTES:
        lines = whole.split(b"\n")
        if max(map(len, lines)) > MAX_LINE_BYTES:
            whole = b"\n".join(map(_cut, lines))
    return Lines(whole, whole.count(b"\n"))


def _cut(line: bytes) -> bytes:
    if len(line) <= MAX_LINE_BYTES:
        return line
    return line[:MAX_LINE_BYTES].decode("utf-8", "ignore").encode()

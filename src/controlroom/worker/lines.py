"""From the bytes that a robot writes to the lines that a console shows."""

from msgspec import Struct

from controlroom.protocol import MAX_LINE_BYTES, MAX_UNFINISHED_BYTES


class Lines(Struct, frozen=True):
    """Whole lines: UTF-8 without NUL, each ended by LF, none longer than `MAX_LINE_BYTES`."""

    text: bytes
    count: int


NO_LINES = Lines(b"", 0)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


class LineSplitter:
    """Cuts one stream into lines as it comes.

    It works on whole chunks, because a robot may print a hundred thousand lines a second: a chunk is only taken apart
    when a line in it is too long, or was written over. What is over length is dropped here; the raw log keeps it.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self.lines = 0
        """How many lines were completed: the number, in this stream, of the one that is not."""

    def feed(self, chunk: bytes) -> Lines:
        """The lines that this chunk completes."""
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._keep(chunk)
            return NO_LINES
        whole = bytes(self._tail) + chunk[:end]
        self._tail.clear()
        self._keep(chunk[end:])
        return self._completed(whole)

    def finish(self) -> Lines:
        """The last line, if it lacked its LF."""
        if not self._tail:
            return NO_LINES
        whole = bytes(self._tail) + b"\n"
        self._tail.clear()
        return self._completed(whole)

    @property
    def unfinished(self) -> bytes:
        """What stands in the line that has no end yet: as `clean` would have it, without LF, its first 4 KiB."""
        if not self._tail:
            return b""
        text = clean(bytes(self._tail[:MAX_LINE_BYTES]) + b"\n").text[:-1]
        return cut(text, MAX_UNFINISHED_BYTES)

    def _completed(self, whole: bytes) -> Lines:
        lines = clean(whole)
        self.lines += lines.count
        return lines

    def _keep(self, rest: bytes) -> None:
        if b"\r" in rest:  # what is written over is forgotten at once: a bar that moves for hours stays one line long
            written = last_state(bytes(self._tail) + rest)
            self._tail.clear()
            rest = written + b"\r" if rest.endswith(b"\r") else written
        elif self._tail.endswith(b"\r") and rest:
            self._tail.clear()
        # Why one byte more than a line may have: so that `clean` sees that it is to be cut, and does it at a character
        self._tail += rest[: MAX_LINE_BYTES + 1 - len(self._tail)]


def clean(whole: bytes) -> Lines:
    """Lines that all end with LF, made fit to be stored.

    NUL and what is no UTF-8 become U+FFFD, CR LF becomes LF, and of a line that CR led back to its beginning the last
    state is left.
    """
    if b"\r" in whole:
        whole = whole.replace(b"\r\n", b"\n")
        if b"\r" in whole:
            whole = b"\n".join(map(last_state, whole.split(b"\n")))
    if b"\0" in whole:
        whole = whole.replace(b"\0", _REPLACEMENT)
    if not whole.isascii():
        whole = whole.decode("utf-8", "replace").encode()
    if len(whole) > MAX_LINE_BYTES:
        lines = whole.split(b"\n")
        if max(map(len, lines)) > MAX_LINE_BYTES:
            whole = b"\n".join(cut(line, MAX_LINE_BYTES) for line in lines)
    return Lines(whole, whole.count(b"\n"))


def last_state(line: bytes) -> bytes:
    """What the last CR that something was written after leaves of a line: the last state of a progress bar."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def cut(line: bytes, most: int) -> bytes:
    """The line up to `most` bytes, cut at a character."""
    if len(line) <= most:
        return line
    return line[:most].decode("utf-8", "ignore").encode()

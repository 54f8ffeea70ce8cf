"""What a batch may be, and how the table of contents of an archived console is kept short. Pure."""

from controlroom.engine.console.errors import BatchInvalid
from controlroom.engine.console.model import ArchivedChunk
from controlroom.protocol import MAX_UNFINISHED_BYTES

MOST_ENTRIES = 10_000
"""Why: about 400 KiB as JSON, which a read looks through in a few milliseconds."""

MOST_LINES = 1 << 53
"""As many as any number in JSON can tell apart."""


def check_batch(body: bytes, *, first: int, count: int, unfinished: bytes = b"", limit: int) -> None:
    """Raise BatchInvalid unless the body is `count` whole lines of UTF-8, at most `limit` bytes long.

    There may be none where a line without end (UTF-8, `MAX_UNFINISHED_BYTES` at most) is told.
    """
    if len(unfinished) > MAX_UNFINISHED_BYTES or b"\n" in unfinished:
        raise BatchInvalid(f"has at most {MAX_UNFINISHED_BYTES:,} bytes of one line without end")
    if len(body) > limit:
        raise BatchInvalid(f"has at most {limit:,} bytes, not {len(body):,}")
    if not 0 <= first < MOST_LINES:
        raise BatchInvalid("begins with a line from 0 on")
    is_empty = count == 0 and not body and unfinished
    if not is_empty and (count < 1 or not body.endswith(b"\n")):
        raise BatchInvalid("has at least one line, and each ends with a line feed")
    lines = body.count(b"\n")
    if lines != count:
        raise BatchInvalid(f"was announced with {count:,} lines and has {lines:,}")
    try:
        body.decode()
        unfinished.decode()
    except UnicodeDecodeError as broken:
        raise BatchInvalid(f"is UTF-8, which byte {broken.start} is not") from broken


class Contents:
    """The table of contents of a console while it is archived.

    Each batch keeps its time, until there are too many of them: then neighbours that came within a second of each other
    become one entry with the time of the first; then within two seconds, four, and so on.
    """

    def __init__(self, most_entries: int = MOST_ENTRIES) -> None:
        self._entries: list[ArchivedChunk] = []
        self._most = most_entries
        self._window = 0.5
        self.lines = 0
        self.bytes = 0

    def add(self, *, line_count: int, at: float, length: int) -> None:
        """The next batch."""
        self._entries.append(ArchivedChunk(self.lines, line_count, at, self.bytes, length))
        self.lines += line_count
        self.bytes += length
        while len(self._entries) > self._most:
            self._window *= 2
            self._entries = _merged(self._entries, self._window)

    @property
    def entries(self) -> list[ArchivedChunk]:
        """Every line once, in order."""
        return self._entries


def _merged(entries: list[ArchivedChunk], window: float) -> list[ArchivedChunk]:
    merged = entries[:1]
    for entry in entries[1:]:
        last = merged[-1]
        if abs(entry.at - last.at) < window:
            merged[-1] = ArchivedChunk(
                last.first_line, last.line_count + entry.line_count, last.at, last.offset, last.length + entry.length
            )
        else:
            merged.append(entry)
    return merged

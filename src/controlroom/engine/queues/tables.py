"""Tables as people send them: CSV in the encoding and with the separators of whatever program has written it. Pure."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from controlroom.errors import Invalid
from controlroom.spreadsheets import inert

LONGEST_FIELD: Final = 1 << 20
_LONGEST_HEADER: Final = 64 * 1024
_SEPARATORS: Final = ",;\t|"
_PIECE: Final = 1 << 20


class TableWrong(Invalid):
    """The file is no table that can be read."""

    code = "TABLE_INVALID"


class Table:
    """A table in a file: its columns, and its rows from any place on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoding = _encoding(path)
        with self._open() as file:
            line = file.readline(_LONGEST_HEADER)
        if not line.strip():
            raise TableWrong("the file has no header")
        self._separator = max(_SEPARATORS, key=line.count)
        self.columns = [name.strip() for name in next(self._rows())]

    def rows(self, *, after: int) -> Iterator[list[str]]:
        """The rows behind so many, without those that are empty; those count."""
        return islice(self._rows(), after + 1, None)

    def _rows(self) -> Iterator[list[str]]:
        csv.field_size_limit(LONGEST_FIELD)
        with self._open() as file:
            try:
                yield from csv.reader(file, delimiter=self._separator)
            except csv.Error as broken:
                raise TableWrong(f"the file is no table: {broken}") from broken

    def _open(self) -> io.TextIOWrapper:
        return self._path.open(encoding=self._encoding, newline="")


def _encoding(path: Path) -> str:
    """UTF-8 if it is, UTF-16 if it says so; else what Windows programs write."""
    with path.open("rb") as file:
        begin = file.read(2)
        if begin in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        piece = begin
        try:
            while piece:
                decoder.decode(piece)
                piece = file.read(_PIECE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """A table as CSV, in pieces; what a spreadsheet would take for a formula is told as text."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([inert(column) for column in columns])
    for row in rows:
        writer.writerow([inert(cell) for cell in row])
        if buffer.tell() > _PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()

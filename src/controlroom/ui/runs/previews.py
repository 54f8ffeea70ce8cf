"""What is seen of a file that a run left without fetching it: a page in a frame, an image, a table, a tree, a text."""

import csv
import io
from typing import Final

from msgspec import Raw, Struct

from controlroom.objects.store import Blob
from controlroom.ui.asking import Asking
from controlroom.ui.items.tree import LARGEST, Tree, tree_of

_SHOWN_BYTES: Final = 64 * 1024
_MOST_ROWS: Final = 200
_MOST_CELLS: Final = 40
_KINDS: Final = {
    **dict.fromkeys(("html", "htm"), "page"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp"), "image"),
    **dict.fromkeys(("json",), "json"),
    **dict.fromkeys(("csv", "tsv"), "table"),
    **dict.fromkeys(("txt", "log", "md", "yaml", "yml", "xml", "py", "robot", "sql", "ini", "toml"), "text"),
}
_FIRST: Final = {"page": 0, "image": 1, "table": 2, "json": 3, "text": 4}
ICONS: Final = {"page": "code", "image": "image", "json": "json", "table": "csv", "text": "text", "other": "assets"}


class Preview(Struct, frozen=True):
    """What is seen of an artifact without fetching it."""

    kind: str
    href: str
    text: str = ""
    rows: list[list[str]] | None = None
    tree: Tree | None = None
    is_cut: bool = False


def kind_of(name: str) -> str:
    """How a file of this name is shown: as a page, an image, a table, JSON or text; else it is fetched."""
    return _KINDS.get(name.rpartition(".")[2].lower(), "other")


def rank_of(name: str) -> tuple[bool, int]:
    """Which of several files is shown first: the log, then what is seen best."""
    return name != "log.html", _FIRST.get(kind_of(name), len(_FIRST))


async def preview_of(request: Asking, name: str, blob: Blob, href: str) -> Preview:
    """What is seen of a file: fetched from `href`, or the beginning of its content."""
    kind = kind_of(name)
    if kind in {"page", "image", "other"}:
        return Preview(kind, href)
    most = LARGEST if kind == "json" else _SHOWN_BYTES
    parts = request.engine.objects.stream(blob.hash, start=0, end=min(most, blob.size))
    body = b"".join([part async for part in parts]) if blob.size else b""
    is_cut = blob.size > most
    if kind == "json" and not is_cut:
        try:
            return Preview(kind, href, tree=tree_of(Raw(body)))
        except ValueError:
            kind = "text"
    text = body.decode(errors="replace")
    if kind == "table":
        rows, was_cut = _rows(text, "\t" if name.lower().endswith(".tsv") else "", is_cut=is_cut)
        return Preview(kind, href, rows=rows, is_cut=was_cut)
    return Preview("text", href, text=text, is_cut=is_cut)


def _rows(text: str, separator: str, *, is_cut: bool) -> tuple[list[list[str]], bool]:
    """The first rows of a table, by the separator that stands in its first line most often."""
    if is_cut:  # the last line may be half of one
        text = text.rpartition("\n")[0]
    head = text.partition("\n")[0]
    separator = separator or max(",;\t|", key=head.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            if len(rows) > _MOST_ROWS:
                return rows, True
            rows.append(row[:_MOST_CELLS])
    except csv.Error:
        return rows, True
    return rows, is_cut

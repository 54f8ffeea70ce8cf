"""Reads the files that runs have left, and makes rows of them: what `run_artifact_get` and its parts are loaded from.

Files are fetched several at a time to a disk, and unpacked one after the other. Of a run's manifests only the last is
read: each step writes the project down anew. Run results are read of every step, because each step has its own.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from controlroom.sources import resources
from controlroom.sources.columns import Table
from controlroom.sources.contracts import check
from controlroom.sources.dbt_cloud.artifact_tables import RUN_ARTIFACT_GET, RUN_ARTIFACTS
from controlroom.sources.dbt_cloud.artifacts import FILES, BrokenJsonError, unpacked
from controlroom.sources.dbt_cloud.files import Fetched, Shelf, fetch
from controlroom.sources.reading import Reader
from controlroom.sources.rows import Shaper

Row = dict[str, Any]
_AT_ONCE: Final = 500
"""So many rows of files are made into tables together."""
_FETCHING: Final = 4
"""Files that are fetched at a time: each lies on the disk until it is its turn."""
_MANIFEST: Final = "manifest.json"
_log = logging.getLogger("controlroom.sources")


@dataclass(slots=True, kw_only=True)
class ArtifactReading:
    """Which files are read, and how."""

    reader: Reader
    runs: str
    """The path of the runs."""
    unpacks: frozenset[str] = frozenset(FILES)
    """Those of FILES that become rows."""
    code: bool = False
    """Whether code is kept, as written and as run."""
    shelf: Shelf | None = None
    """Where files are put as they are."""
    _shapers: dict[str, Shaper] = field(default_factory=dict)

    def resource(self, parent: DltResource, kept: resources.Kept) -> DltResource:
        """What is read of each file that the parent tells of."""
        is_open = False

        def items(told: pa.Table) -> Iterator[resources.Item]:
            nonlocal is_open
            if not is_open:
                is_open = True
                yield from resources.opened(RUN_ARTIFACT_GET, kept)
            if not isinstance(told, pa.Table) or resources.table_of(told) != RUN_ARTIFACTS.name or not told.num_rows:
                return
            yield from self._read(told.to_pylist())
            for shaper in self._shapers.values():
                resources.tell_surprises(shaper)

        table = RUN_ARTIFACT_GET
        hints: Any = {"columns": table.hints(), "primary_key": list(table.key), "write_disposition": kept.value}
        made = dlt.transformer(items, data_from=parent, name=table.name, **hints)
        return resources.with_children(made, table, kept)

    def _read(self, files: Sequence[Row]) -> Iterator[resources.Item]:
        for file, fetched in self.reader.each(self._wanted(files), self._fetched, workers=_FETCHING):
            try:
                yield from self._unpacked(file, fetched)
            finally:
                fetched.close()

    def _wanted(self, files: Sequence[Row]) -> list[Row]:
        """The files that are read; of manifests the last of a run."""
        last: dict[int, int] = {}
        for file in files:
            if file["path"] == _MANIFEST:
                last[file["run_id"]] = max(file["step"], last.get(file["run_id"], 0))
        return [
            file
            for file in files
            if (self.shelf is not None and self.shelf.wants(file["path"]))
            or (file["path"] in self.unpacks and (file["path"] != _MANIFEST or file["step"] == last[file["run_id"]]))
        ]

    def _fetched(self, file: Row) -> Fetched:
        path = f"{self.runs}/{file['run_id']}/artifacts/{quote(file['path'])}"
        return fetch(self.reader, path, step=file["step"] or None)

    def _unpacked(self, file: Row, fetched: Fetched) -> Iterator[resources.Item]:
        told: Row = {**file, "size": fetched.size, "sha256": fetched.sha256}
        if file["path"] in self.unpacks:
            yield from self._parts(file, fetched, told)
        if self.shelf is not None and self.shelf.wants(file["path"]):
            told["stored_at"] = self.shelf.put(f"runs/{file['run_id']}/{file['step']}/{file['path']}", fetched)
        yield from self._tables(RUN_ARTIFACT_GET, [told])

    def _parts(self, file: Row, fetched: Fetched, told: Row) -> Iterator[resources.Item]:
        """The rows that a file is made of; `told` gets what it says of itself, or why it cannot be read."""
        gathered: dict[str, tuple[Table, list[Row]]] = {}
        count = 0
        try:
            artifact, parts = unpacked(file["path"], fetched.pieces, file, code=self.code)
            for table, row in parts:
                gathered.setdefault(table.name, (table, []))[1].append(row)
                count += 1
                if not count % _AT_ONCE:
                    yield from self._flushed(gathered)
            yield from self._flushed(gathered)
        except BrokenJsonError as broken:
            told["error"] = str(broken)
            _log.warning("run %s, step %s, %s: %s", file["run_id"], file["step"], file["path"], broken)
        else:
            told |= {**artifact.told(), "part_count": count}

    def _flushed(self, gathered: dict[str, tuple[Table, list[Row]]]) -> Iterator[resources.Item]:
        for table, rows in gathered.values():
            yield from self._tables(table, rows)
        gathered.clear()

    def _tables(self, table: Table, rows: Sequence[Row]) -> Iterator[resources.Item]:
        known = table if table is RUN_ARTIFACT_GET else _OF_PARTS[table.name]
        shaper = self._shapers.setdefault(table.name, Shaper(replace(known, children=())))
        made_of = list(shaper.tables(rows, removing=False))
        check(shaper)
        for _, made in made_of:
            yield made if table is RUN_ARTIFACT_GET else dlt.mark.with_table_name(made, table.name)


_OF_PARTS: Final[Mapping[str, Table]] = {child.table.name: child.table for child in RUN_ARTIFACT_GET.children}
"""By name, the parts as children of a file."""

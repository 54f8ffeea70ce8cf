"""Runs a source into a destination as it should be done, and tells what came of it.

A pipeline has a folder of its own and runs once at a time; DuckDB is loaded by Parquet; nothing is told to anybody
(dlt's telemetry is off). What a killed load left is finished first. A source that was cut into windows is run until
none of its resources has more. The report tells rows per table, and what the API told that nobody expected.
"""

import contextlib
import fcntl
import gc
import hashlib
import json
import logging
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

# Before dlt is imported: a self-hosted product tells nobody what it loads.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
from dlt.common.destination import Destination
from dlt.common.destination.client import WithStateSync
from dlt.common.exceptions import DltException
from dlt.common.pipeline import LoadInfo
from dlt.common.runtime.collector_base import Collector
from dlt.common.schema import Schema
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration, DuckDbCredentials
from dlt.extract import DltSource

from controlroom import sources
from controlroom.sources.contracts import Contract, columns_of, grown
from controlroom.sources.endings import end
from controlroom.sources.onward import reading_on
from controlroom.sources.resources import MARKS

Tell = Callable[[str, str, int], None]
"""Told while a load works: the step (`extract`, `normalize`, `load`), the table or job, and by how much it grew."""
Make = Callable[[], DltSource]
_log: Final = logging.getLogger("controlroom.sources")
_OURS: Final = "_dlt"
_TURN: Final = 0.0005
"""Seconds until a thread lets another one go on. Why not less: with 0.1 ms the threads are in each other's way."""
_NEW_OBJECTS: Final = 100_000
"""After so many new objects circles are looked for; a page of a thousand rows has some thousands."""


class AlreadyRunning(Exception):  # noqa: N818
    """Another load of this name is under way."""


class AnothersTables(Exception):  # noqa: N818
    """The dataset has tables of another source that are called like some of this one."""


class AmbiguousName(Exception):  # noqa: N818
    """A DuckDB file is a catalog of its name, and DuckDB takes no schema that is called like it."""


class CannotOpen(Exception):  # noqa: N818
    """The destination is not there, or lets nobody in by this name."""


@dataclass(slots=True)
class LoadReport:
    """What came of a load."""

    pipeline: str
    destination: str
    dataset: str
    rows: dict[str, int] = field(default_factory=dict)
    """Rows that were written, by table."""
    packages: int = 0
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)
    """What was told and nobody declared, values of other types."""


def load(
    make: Make,
    destination: "str | Destination[Any, Any]" = "duckdb",
    *,
    name: str,
    dataset: str | None = None,
    folder: str | Path | None = None,
    resources: Sequence[str] = (),
    anew: bool = False,
    tell: Tell | None = None,
    schema_contract: Contract | None = None,
) -> LoadReport:
    """Load what `make` makes, until it has no more.

    Raises AlreadyRunning, AnothersTables, AmbiguousName, CannotOpen, and dlt's PipelineStepFailed.
    `make` makes the source anew for each window; `name` is the pipeline's, and keeps what was loaded; `folder` is where
    its files lie meanwhile; `resources` are the only ones that are wanted. What a load before this one has read and not
    loaded is loaded first, or let go, if all is read `anew`. `schema_contract` is dlt's (`contracts`).
    """
    begun = time.monotonic()
    home = Path(folder) if folder is not None else default_folder()
    with _alone(home, name), _busy(), reading_on(), _remarks() as remarks, _quiet():
        pipeline = dlt.pipeline(
            name,
            destination=destination_of(destination),
            dataset_name=dataset or name,
            pipelines_dir=str(home),
            progress=_Progress(tell or (lambda _step, _what, _count: None)),
        )
        report = LoadReport(name, str(pipeline.destination.destination_name), pipeline.dataset_name)
        rows: Counter[str] = Counter()
        source = _wanted(make, resources)
        _among_its_own(pipeline, source)
        _settle(pipeline)
        if anew:
            _let_go(pipeline)
        elif pipeline.has_pending_data:  # of a load that was killed
            _run(pipeline, None, rows, report, schema_contract)
            source = _wanted(make, resources)
        while True:
            read = _read_by(source)
            _run(pipeline, source, rows, report, schema_contract)
            if not _has_more(pipeline, source.name, read):
                break
            source = _wanted(make, resources)
        report.rows = dict(sorted(rows.items()))
        report.remarks = remarks()
        report.seconds = time.monotonic() - begun
        return report


def destination_of(named: "str | Destination[Any, Any]") -> "Destination[Any, Any]":  # noqa: PLR0911 - a table
    """The destination by its dlt name, or `duckdb:FILE`, `filesystem:FOLDER`; each with the format that suits it.

    A file of DuckDB is merged by one thread: each more holds its own part of the rows (80 MB of 250,000 for the second)
    and costs a third more processor time, for a step that is shorter than the reading.
    """
    if not isinstance(named, str):
        return named
    kind, _, where = named.partition(":")
    match kind:
        case "duckdb" if where:
            file = DuckDbCredentials(where, global_config={"threads": 1})
            return dlt.destinations.duckdb(file, preferred_loader_file_format="parquet")
        case "duckdb":
            return dlt.destinations.duckdb(preferred_loader_file_format="parquet")
        case "filesystem" if where:
            at = where if "://" in where else Path(where).absolute().as_uri()
            return dlt.destinations.filesystem(at, preferred_loader_file_format="parquet")
        case "filesystem":
            return dlt.destinations.filesystem(preferred_loader_file_format="parquet")
        case "postgres":
            return dlt.destinations.postgres(preferred_loader_file_format="csv")
    found: Destination[Any, Any] = Destination.from_reference(named)  # type: ignore[assignment]
    return found


def source_called(name: str) -> Callable[..., DltSource]:
    """The source of a grammar: `robocorp`, `automation360`, `dbt_cloud`."""
    found: Callable[..., DltSource] = getattr(sources, f"{name}_source")
    return found


def name_of(source: str, destination: str, dataset: str) -> str:
    """A pipeline's name: another place is another pipeline, which begins at the beginning."""
    kind, _, where = destination.partition(":")
    if where and "://" not in where:
        where = str(Path(where).absolute())
    return f"{source}_{hashlib.sha256(f'{kind}:{where}:{dataset}'.encode()).hexdigest()[:8]}"


def default_folder() -> Path:
    """Where pipelines keep their files if nothing is said: with this user's state of programs."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "controlroom" / "pipelines"


def _run(
    pipeline: "dlt.Pipeline",
    source: DltSource | None,
    rows: Counter[str],
    report: LoadReport,
    contract: Contract | None,
) -> None:
    before = columns_of(_schema(pipeline, source))
    allowed: Any = contract
    try:
        info = cast("LoadInfo | None", pipeline.run(source, schema_contract=allowed))  # None: there is nothing to load
    finally:
        end()
    for growth in grown(before, _schema(pipeline, source)):
        _log.warning("%s", growth)
    if info is None:
        return
    info.raise_on_failed_jobs()
    report.packages += len(info.loads_ids)
    trace = pipeline.last_trace
    if trace is not None and trace.last_normalize_info is not None:
        counts = trace.last_normalize_info.row_counts
        marks = {table: MARKS.pop((pipeline.pipeline_name, table), 0) for table in counts}
        rows.update({table: count - marks[table] for table, count in counts.items() if not table.startswith(_OURS)})


def _schema(pipeline: "dlt.Pipeline", source: DltSource | None) -> Schema | None:
    """What the pipeline knows of the source's tables, once it does."""
    return None if source is None else pipeline.schemas.get(source.name)


def _let_go(pipeline: "dlt.Pipeline") -> None:
    with warnings.catch_warnings():  # what takes its place since dlt 1.30 opens the destination, to note it there
        warnings.simplefilter("ignore", DeprecationWarning)
        pipeline.drop_pending_packages()


def _wanted(make: Make, resources: Sequence[str]) -> DltSource:
    made = make()
    return made.with_resources(*resources) if resources else made


def _among_its_own(pipeline: "dlt.Pipeline", source: DltSource) -> None:
    """Raises AnothersTables, because rows of two sources in one table would replace each other.

    Also AmbiguousName, and CannotOpen.
    """
    client = pipeline._get_destination_clients(source.schema)[0]  # noqa: SLF001 - dlt tells no other pipeline's schemas
    if isinstance(client.config, DuckDbClientConfiguration):
        file = Path(str(client.config.credentials.database))
        if file.stem.lower() == pipeline.dataset_name.lower():
            raise AmbiguousName(
                f"the DuckDB file {file.name} and the dataset {pipeline.dataset_name} cannot have one name:"
                " DuckDB would not know which is meant. Name another file, or another dataset (`--dataset`)"
            )
    if not isinstance(client, WithStateSync):
        return
    with _opened(client):
        if not client.is_storage_initialized():
            return
        for other in sorted({"robocorp", "automation360", "dbt_cloud"} - {source.name}):
            stored = client.get_stored_schema(other)
            theirs = json.loads(stored.schema)["tables"] if stored is not None else {}
            both = sorted(source.selected_resources.keys() & theirs)
            if both:
                raise AnothersTables(
                    f"dataset {pipeline.dataset_name} holds what {other} has loaded, with tables of the same names"
                    f" ({', '.join(both)}): name another one (`--dataset`)"
                )


@contextlib.contextmanager
def _opened(client: Any) -> Iterator[None]:
    """The destination, open. Raises CannotOpen."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(client)
        except DltException:
            raise
        except Exception as unopened:  # whatever its driver has; dlt has a word for some of them alone
            raise CannotOpen(f"the destination cannot be opened: {' '.join(str(unopened).split())}") from unopened
        yield


def _settle(pipeline: "dlt.Pipeline") -> None:
    """Take away what a kill has left of packages that were on their way already: dlt would never get past them.

    It renames the package that is ready to be loaded, and then deletes that of which it was made; between the two both
    are there, and the second would be made ready once more, into a folder that is not empty.
    """
    ready = frozenset(pipeline.list_normalized_load_packages())
    extracted = pipeline._get_normalize_storage().extracted_packages  # noqa: SLF001 - dlt does so nowhere
    for package in pipeline.list_extracted_load_packages():
        if package in ready:
            extracted.delete_package(package)


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    """What the interpreter does otherwise while a load makes rows of a page and fetches the next.

    Rows are freed as they are let go: looking for circles among them costs a fifth of a load. And who fetches needs the
    interpreter for an instant, some ten times a page: of its usual 5 ms for each, a page took a third longer.
    """
    before, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(max(_NEW_OBJECTS, before[0]), *before[1:])
    sys.setswitchinterval(min(_TURN, turn))
    try:
        yield
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(turn)


def _read_by(source: DltSource) -> frozenset[str]:
    """The resources that a load of this source reads: what is asked for, and that of whose rows it is made."""
    names = set()
    for each in source.selected_resources.values():
        pipe = each._pipe  # noqa: SLF001 - dlt says it nowhere else
        while pipe is not None:
            names.add(pipe.name)
            pipe = pipe.parent
    return frozenset(names)


def _has_more(pipeline: "dlt.Pipeline", source: str, read: frozenset[str]) -> bool:
    """Whether one of these has more; what an earlier load of others has left is no concern of this one."""
    resources = pipeline.state.get("sources", {}).get(source, {}).get("resources", {})
    return any(isinstance(kept, dict) and kept.get("more") for name, kept in resources.items() if name in read)


@contextlib.contextmanager
def _alone(home: Path, name: str) -> Iterator[None]:
    """Only one load of a name at a time: two would take each other's packages."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"a load called {name!r} is under way in {home}") from None
        yield


class _Heard(logging.Handler):
    """What a load's own log says, once each."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.said[record.getMessage()] = None


@contextlib.contextmanager
def _remarks() -> Iterator[Callable[[], list[str]]]:
    """What `controlroom.sources` remarks meanwhile."""
    heard = _Heard()
    log = logging.getLogger("controlroom.sources")
    log.addHandler(heard)
    try:
        yield lambda: list(heard.said)
    finally:
        log.removeHandler(heard)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Falling back to `append`")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps dlt from saying of each table, each time, that files are not merged: our page does."""
    log = logging.getLogger("dlt")
    log.addFilter(_is_news)
    try:
        yield
    finally:
        log.removeFilter(_is_news)


class _Progress(Collector):
    """dlt's progress, told on."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def update(self, name: str, inc: int = 1, *_: Any, **__: Any) -> None:
        """See Collector."""
        self._tell(getattr(self, "step", ""), name, inc)

    def _start(self, step: str) -> None:
        self.step = step

    def _stop(self) -> None:
        pass

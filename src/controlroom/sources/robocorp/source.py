"""`robocorp_source`: a workspace of a Robocorp control room, the vendor's or ours, as tables."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import dlt
from dlt.extract import DltResource

from controlroom.sources import resources
from controlroom.sources.reading import Headers, Reader, Request, by_link
from controlroom.sources.robocorp import tables
from controlroom.sources.sweeping import Sweep

VENDOR: Final = "https://cloud.robocorp.com"
_PAGE: Final = 1_000
_OPEN_RUNS: Final = frozenset({"new", "in_progress", "stopping"})


@dlt.source(name="robocorp", section="robocorp", max_table_nesting=0)
def robocorp_source(
    workspace_id: str = dlt.config.value,
    api_key: str = dlt.secrets.value,
    base_url: str = VENDOR,
    look_back: dt.timedelta = dt.timedelta(days=1),
    since: dt.datetime | None = None,
    full: bool = False,  # noqa: FBT001, FBT002 - dlt fills arguments by their names
    window: int | None = None,
    workers: int = 8,
) -> Iterable[DltResource]:
    """A workspace: its processes, runs, work items and what robots left."""
    reader = Reader(
        f"{base_url.rstrip('/')}/api/v1/workspaces/{workspace_id}",
        Headers({"Authorization": f"RC-WSKEY {api_key}"}),
        workers=workers,
    )
    kept = resources.Kept.REPLACED if full else resources.Kept.MERGED

    def process_runs() -> Iterator[Sequence[Any]]:
        sweep = Sweep(
            reader=reader,
            first=Request("process-runs", {"limit": _PAGE}),
            following=by_link(),
            one=lambda id_: Request(f"process-runs/{id_}"),
            is_open=lambda row: row["state"] in _OPEN_RUNS,
            look_back=look_back,
            since=since,
            window=None if full else window,
            full=full,
        )
        yield from sweep.pages(resources.state(), resources.selected() & {"process_runs"})

    yield resources.resource(tables.PROCESS_RUNS, process_runs, kept=kept)

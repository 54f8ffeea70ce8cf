"""`robocorp_source`: a workspace of a Robocorp control room, the vendor's or ours, as tables.

Small nouns are replaced. Runs, work items and runs of assistants are swept (`sweeping`): new ones, those that were
open, and those of the look-back that have changed; with a run come its step runs, and with these what they left.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, get_args

import dlt
from dlt.extract import DltResource

from controlroom.sources import resources
from controlroom.sources.arguments import OnlyGiven, configured, needed
from controlroom.sources.declared import Declared, Reading
from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Headers, Reader
from controlroom.sources.resources import Kept, dependent, resource
from controlroom.sources.robocorp import tables
from controlroom.sources.robocorp.step_runs import StepRuns
from controlroom.sources.robocorp.work_items import Payload, WorkItems, with_details, with_payload, without_links
from controlroom.sources.sweeping import Sweep

VENDOR: Final = "https://cloud.robocorp.com"
_NAME: Final = "robocorp"
_PAGE: Final = 1_000
_OPEN: Final = frozenset({"new", "pending", "in_progress", "stopping"})
_ID: Final = ("id",)
_RUNS_OF_WINDOW: Final = 20
"""A run brings so many rows along that its windows are this much shorter."""
Pages = Callable[[], Iterable[Sequence[Any]]]


@dlt.source(name=_NAME, section=_NAME, spec=OnlyGiven)
def robocorp_source(
    workspace_id: str | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    payload: Payload = "json",
    artifact_files: str | None = None,
    look_back: dt.timedelta = dt.timedelta(days=1),
    since: dt.datetime | None = None,
    full: bool = False,  # noqa: FBT001, FBT002 - arguments have names here
    window: int | None = None,
    workers: int = 8,
    verify: bool | str = True,  # noqa: FBT001, FBT002
) -> Iterable[DltResource]:
    """A workspace: its processes, runs, work items and what robots left.

    What of the first three is not given stands in the configuration of `sources.robocorp`, and nowhere else.

    Args:
        workspace_id: Its id.
        api_key: A key of the workspace, with the reading permissions.
        base_url: The room; the vendor's if nothing is said.
        payload: `json`: payloads are a column of JSON; `nested`: tables of their own, by dlt's inference; `none`.
        artifact_files: A folder or the address of a bucket into which the contents of artifacts are put.
        look_back: Rows that were made so long before the newest one are looked at again for late changes.
        since: Nothing that was made earlier is read.
        full: Read all, and let what is gone go.
        window: After so many rows a load is committed (`controlroom.sources.running.load` goes on then).
        workers: So many requests at a time.
        verify: Whether certificates are checked, or the file of the authority that they are checked by.
    """
    if payload not in get_args(Payload):
        raise ValueError(f"payload is one of {', '.join(get_args(Payload))}, not {payload!r}")
    root = (configured(_NAME, "base_url", base_url) or VENDOR).rstrip("/")
    reader = Reader(
        f"{root}/api/v1/workspaces/{needed(_NAME, 'workspace_id', workspace_id)}",
        Headers({"Authorization": f"RC-WSKEY {needed(_NAME, 'api_key', api_key)}"}),
        workers=workers,
        verify=verify,
    )
    lists = _Lists(reader, look_back=look_back, since=since, full=full)
    kept = Kept.REPLACED if full else Kept.MERGED
    yield from _nouns(lists)
    yield from _runs(lists, kept, StepRuns(reader, artifact_files), payload, window)
    items = WorkItems(reader, payload)
    swept = lists.swept(
        "work-items",
        ("work_items",),
        window=window,
        params=items.params,
        same=without_links,
        declared=Reading(tables.WORK_ITEMS, needed=items.needed),
    )
    yield with_payload(
        tables.WORK_ITEMS,
        payload,
        kept,
        lambda table, beside: resource(
            table, items.with_data(swept), kept=kept, beside=beside, removing=_again, distinct=True
        ),
    )
    of_assistants = lists.swept("assistant-runs", ("assistant_runs",), window=window, created="started_at")
    yield resource(tables.ASSISTANT_RUNS, of_assistants, kept=kept)


def _nouns(lists: "_Lists") -> Iterator[DltResource]:
    reader = lists.reader
    for table, pages in (
        (tables.WORKSPACE, lambda: ([reader.get("")],)),
        (tables.PROCESSES, lists.detailed("processes", lambda row: reader.get(f"processes/{row['id']}"))),
        (tables.ASSETS, lists.detailed("assets", lambda row: reader.get(f"assets/{row['id']}"))),
        (tables.WORKERS, lists.whole("workers")),
        (tables.WORKER_GROUPS, lists.detailed("worker-groups", lambda row: _with_members(reader, row))),
        (tables.WEBHOOKS, lists.whole("webhooks")),
        (tables.ASSISTANTS, lists.whole("assistants")),
    ):
        yield resource(table, pages, kept=Kept.REPLACED, quiet=not lists.full)


def _runs(
    lists: "_Lists", kept: Kept, of_runs: StepRuns, payload: Payload, window: int | None
) -> Iterator[DltResource]:
    below = (
        (tables.STEP_RUN_EVENTS, of_runs.events),
        (tables.STEP_RUN_PHASES, of_runs.phases),
        (tables.CONSOLE_MESSAGES, of_runs.console),
        (tables.STEP_RUN_ARTIFACTS, of_runs.artifacts),
    )
    asked = ("process_runs", "step_runs", "outputs", *(table.name for table, _ in below))
    few = window and max(1, window // _RUNS_OF_WINDOW)
    swept = lists.swept("process-runs", asked, window=few, declared=Reading(tables.PROCESS_RUNS))
    runs = resource(tables.PROCESS_RUNS, swept, kept=kept)
    step_runs = dependent(runs, tables.PROCESS_RUNS, tables.STEP_RUNS, of_runs.step_runs, wanting=_ID, kept=kept)
    yield runs
    yield step_runs
    for table, pages in below:
        yield dependent(step_runs, tables.STEP_RUNS, table, pages, wanting=_ID, kept=kept)
    yield with_payload(
        tables.OUTPUTS,
        payload,
        kept,
        lambda table, beside: dependent(
            runs, tables.PROCESS_RUNS, table, of_runs.outputs, wanting=_ID, kept=kept, beside=beside
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """How the lists of a workspace are read."""

    reader: Reader = field(kw_only=False)
    look_back: dt.timedelta
    since: dt.datetime | None
    full: bool

    def whole(self, path: str) -> Pages:
        """All rows."""
        return lambda: (page.rows for page in self.reader.pages(Request(path, {"limit": _PAGE}), by_link()))

    def detailed(self, path: str, detail: Callable[[Any], Any]) -> Pages:
        """All rows, as each is told by itself."""
        return lambda: (with_details(self.reader, page, detail) for page in self.whole(path)())

    def swept(
        self,
        path: str,
        asked: Sequence[str],
        *,
        window: int | None,
        created: str = "created_at",
        params: Mapping[str, Any] = MappingProxyType({}),
        same: Callable[[dict[str, Any]], Any] = lambda row: row,
        declared: Reading | None = None,
    ) -> Pages:
        """What is new or has changed; `asked` are the resources that are made of it."""
        sweep = Sweep(
            reader=self.reader,
            first=Request(path, {"limit": _PAGE, **params}),
            following=by_link(),
            one=lambda id_: Request(f"{path}/{id_}"),
            is_open=_is_open,
            declared=declared,
            look_back=self.look_back,
            since=self.since,
            window=None if self.full else window,
            created=created,
            full=self.full,
            same=same,
            carries=len(asked) > 1,
        )
        return lambda: sweep.pages(resources.state(), resources.selected() & set(asked))


def _is_open(row: Any) -> bool:
    state: str = row.state if isinstance(row, Declared) else row["state"]  # type: ignore[attr-defined]
    return state in _OPEN


def _with_members(reader: Reader, group: dict[str, Any]) -> dict[str, Any]:
    members = reader.rows(Request(f"worker-groups/{group['id']}/workers", {"limit": _PAGE}), by_link())
    return {**group, "workers": list(members)}


def _again() -> bool:
    """Whether rows that are loaded may have been loaded before."""
    return not resources.state().get("first")

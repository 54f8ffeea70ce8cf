"""`dbt_cloud_source`: an account of dbt Cloud, the vendor's or ours, as tables.

Jobs and runs exist in version 2 of the API only; accounts, projects, environments, connections and users are asked of
version 3, which the vendor goes on with; repositories of version 2, where they are the account's. Lists go by offset
and limit, by the limit that the server applied. What was deleted comes with `state=all`, as long as the API tells of
it.

Resources hang one below the other: `run` below `runs`, `run_artifacts` below `run`, `run_artifact_get` below that. Who
asks for the last one only gets that only, and the others are read for it.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import dlt
import orjson
from dlt.extract import DltResource

from controlroom.sources import resources
from controlroom.sources.arguments import OnlyGiven, configured, needed
from controlroom.sources.columns import Table
from controlroom.sources.dbt_cloud import tables
from controlroom.sources.dbt_cloud.artifact_reading import ArtifactReading
from controlroom.sources.dbt_cloud.artifact_tables import RUN_ARTIFACTS
from controlroom.sources.dbt_cloud.artifacts import FILES
from controlroom.sources.dbt_cloud.files import shelf
from controlroom.sources.dbt_cloud.runs import Runs, by_offset
from controlroom.sources.paging import Request
from controlroom.sources.reading import Headers, Reader
from controlroom.sources.rows import moment

Row = dict[str, Any]
_NAME: Final = "dbt_cloud"
VENDOR: Final = "https://cloud.getdbt.com"
_PAGE: Final = 1_000
_TOGETHER: Final = 100
"""So many runs are told on together, with all that they have."""
_ACTIVE: Final = 1
_SKIPPED: Final = "skipped"
_RUNS_OF_WINDOW: Final = 20
"""A run brings so many rows along that its windows are this much shorter."""
Pages = Callable[[], Iterable[Sequence[Row]]]
Below = Callable[[list[Row]], Iterable[Sequence[Row]]]
"""What is read of rows above, page by page."""
_CHAIN: Final = frozenset({"runs", "run", "run_artifacts", "run_artifact_get"})
_OF_ONE_RUN: Final = '["run_steps", "run_retries", "audit", "used_repo_cache"]'
_OF_ONE_JOB: Final = '["most_recent_run", "most_recent_completed_run"]'


@dlt.source(name="dbt_cloud", section="dbt_cloud", spec=OnlyGiven, max_table_nesting=0)
def dbt_cloud_source(
    account_id: int | str | None = None,
    api_token: str | None = None,
    base_url: str | None = None,
    *,
    look_back: dt.timedelta = dt.timedelta(hours=1),
    since: dt.datetime | None = None,
    full: bool = False,
    window: int | None = None,
    workers: int = 8,
    page_size: int = _PAGE,
    artifacts: Sequence[str] = FILES,
    with_code: bool = False,
    with_logs: bool = False,
    raw_files: Sequence[str] = (),
    raw_files_url: str | None = None,
    verify: bool | str = True,
) -> Iterable[DltResource]:
    """An account: people, projects, environments, jobs, runs with their steps, and what dbt left.

    What of the first three is not given stands in the configuration of `sources.dbt_cloud`, and nowhere else.

    Args:
        account_id: Its id.
        api_token: A service token or a personal one.
        base_url: The room; the vendor's if nothing is said. With `/api/v2` behind it, or without.
        look_back: Runs that ended so long before the newest one are looked at again for what was committed late.
        since: Runs that ended earlier are not read.
        full: Read all, and let what is gone go.
        window: After so many rows a load is committed (`controlroom.sources.running.load` goes on then).
        workers: So many requests at a time.
        page_size: So many rows of a list are asked for; the vendor gives 100 at most.
        artifacts: Those of dbt's files that become rows.
        with_code: Keep SQL, as written and as run.
        with_logs: Keep what steps have printed.
        raw_files: Patterns of files that are put as they are into `raw_files_url`; `*` for all.
        raw_files_url: A folder, or the address of a bucket.
        verify: Whether certificates are checked, or the file of the authority that they are checked by.
    """
    root = root_of(configured(_NAME, "base_url", base_url) or VENDOR)
    number = needed(_NAME, "account_id", None if account_id is None else str(account_id))
    token = needed(_NAME, "api_token", api_token)
    reader = Reader(f"{root}/api", Headers({"Authorization": f"Token {token}"}), workers=workers, verify=verify)
    account = Account(reader, int(number), page_size)
    merged = resources.Kept.REPLACED if full else resources.Kept.MERGED
    replaced = resources.Kept.REPLACED

    def listed(table: Table, path: str, *, state: str | None = "all") -> DltResource:
        return resources.resource(table, lambda: account.listed(path, state=state), kept=replaced, quiet=not full)

    yield resources.resource(tables.ACCOUNT, lambda: [[account.one("v2", "")]], kept=replaced, quiet=not full)
    yield listed(tables.ACCOUNTS, "v3/accounts/", state=None)
    yield listed(tables.USERS, account.at("v3", "users/"), state=None)
    projects = Once(lambda: account.listed(account.at("v3", "projects/")))
    yield resources.resource(tables.PROJECTS, projects, kept=replaced, quiet=not full)
    for table, noun in ((tables.ENVIRONMENTS, "environments"), (tables.CONNECTIONS, "connections")):
        of_projects = partial(account.of_projects, noun, projects)
        yield resources.resource(table, of_projects, kept=replaced, quiet=not full)
    yield listed(tables.REPOSITORIES, account.at("v2", "repositories/"))
    jobs = Once(lambda: account.listed(account.at("v2", "jobs/")))
    yield resources.resource(tables.JOBS, jobs, kept=replaced, quiet=not full)
    yield resources.resource(tables.JOB, partial(account.jobs_one_by_one, jobs), kept=replaced, quiet=not full)

    # ------------------------------------------------------------------------------------------ what runs have left
    listing = Runs(
        reader=reader,
        path=account.at("v2", "runs/"),
        size=page_size,
        look_back=look_back,
        since=since,
        window=None if full or not window else max(1, window // _RUNS_OF_WINDOW),
        full=full,
    )
    files = frozenset(artifacts) & frozenset(FILES)
    if unknown := frozenset(artifacts) - files:
        raise ValueError(f"no such artifacts: {', '.join(sorted(unknown))}; they are {', '.join(FILES)}")
    asked_for = files | {f"raw {pattern}" for pattern in raw_files}

    def runs_told() -> Iterator[Sequence[Row]]:
        chosen = resources.selected() & _CHAIN
        wanted = chosen | (asked_for if "run_artifact_get" in chosen else frozenset())
        for page in listing.pages(resources.state(), sorted(wanted)):
            yield [_with_parts(run) for run in page]

    runs = resources.resource(tables.RUNS, runs_told, kept=merged)
    yield runs
    run = resources.dependent(runs, tables.RUNS, tables.RUN, account.runs_one_by_one(with_logs=with_logs), kept=merged)
    yield run
    left = resources.dependent(run, tables.RUN, RUN_ARTIFACTS, account.artifacts_of_runs, kept=merged)
    yield left
    reading = ArtifactReading(
        reader=reader,
        runs=account.at("v2", "runs"),
        unpacks=files,
        code=with_code,
        shelf=shelf(raw_files_url, raw_files) if raw_files_url and raw_files else None,
    )
    yield reading.resource(left, merged)


def root_of(address: str) -> str:
    """The address of the room, of whatever part of it somebody has, be it `https://cloud.getdbt.com/api/v2/`."""
    root = address.strip().rstrip("/")
    for ending in ("/v2", "/v3", "/api"):
        root = root.removesuffix(ending).rstrip("/")
    return root if "://" in root else f"https://{root}"


class Once:
    """The pages of a small list, which several resources go through and one of them reads."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._read: list[Sequence[Row]] | None = None

    def __call__(self) -> Iterable[Sequence[Row]]:
        """Them. Raises ReadFailed."""
        if self._read is None:
            self._read = list(self._pages())
        return self._read


class Account:
    """Reads what one account has."""

    def __init__(self, reader: Reader, account: int, size: int) -> None:
        self._reader = reader
        self._account = account
        self._size = size

    def at(self, version: str, path: str) -> str:
        """A path below the account, in a version of the API."""
        return f"{version}/accounts/{self._account}/{path}"

    def one(self, version: str, path: str, **params: Any) -> Row:
        """The thing at a path. Raises ReadFailed, Gone."""
        found: Row = self._reader.get(self.at(version, path), **params)["data"]
        return found

    def listed(self, path: str, *, state: str | None = "all") -> Iterator[Sequence[Row]]:
        """The pages of a list, with what was deleted. Raises ReadFailed."""
        params = {"limit": self._size, "offset": 0} | ({"state": state} if state else {})
        for page in self._reader.pages(Request(path, params), by_offset):
            yield page.rows

    def of_projects(self, noun: str, projects: Pages) -> Iterator[Sequence[Row]]:
        """What each project that is there has of a noun. Raises ReadFailed."""

        def listed(project: Row) -> list[Row]:
            path = self.at("v3", f"projects/{project['id']}/{noun}/")
            rows = [row for page in self.listed(path) for row in page]
            return [{**row, "project_id": row.get("project_id") or project["id"]} for row in rows]

        active = (project for page in projects() for project in page if project["state"] == _ACTIVE)
        for _, rows in self._reader.each(active, listed):
            yield rows

    def jobs_one_by_one(self, jobs: Pages) -> Iterator[Sequence[Row]]:
        """Jobs that are there, each with its latest runs. Raises ReadFailed."""

        def told(job: Row) -> Row:
            found = self.one("v2", f"jobs/{job['id']}/", include_related=_OF_ONE_JOB)
            for key in ("most_recent_run", "most_recent_completed_run"):
                run = found.pop(key, None) or {}
                found |= {f"{key}_id": run.get("id"), f"{key}_status": run.get("status")}
            return found

        active = [job for page in jobs() for job in page if job["state"] == _ACTIVE]
        for some in _cut(active):
            yield [job for _, job in self._reader.each(some, told)]

    def runs_one_by_one(self, *, with_logs: bool) -> Below:
        """Runs with their steps. Raises ReadFailed."""

        def told(run: Row) -> Row:
            found = self.one("v2", f"runs/{run['id']}/", include_related=_OF_ONE_RUN)
            retries, steps = found.pop("run_retries", None) or (), found.get("run_steps") or ()
            found["retried_by"] = [each["id"] for each in retries if isinstance(each, dict)] or None
            found["steps"] = [
                {
                    "index": step.get("index"),
                    "name": step.get("name"),
                    "status": step.get("status_humanized"),
                    "is_command": bool(step.get("run_step_command")) or "`" in (step.get("name") or ""),
                }
                for step in steps
            ]
            for step in () if with_logs else steps:
                step["logs"] = None
            return found

        def pages(runs: list[Row]) -> Iterator[Sequence[Row]]:
            for some in _cut(runs):
                yield [run for _, run in self._reader.each(some, told)]

        return pages

    def artifacts_of_runs(self, runs: list[Row]) -> Iterator[Sequence[Row]]:
        """The files that runs have left which have ended, step by step. Raises ReadFailed."""

        def listed(asked: tuple[Row, int]) -> list[Row]:
            run, step = asked
            params = {"step": step} if step else {}
            found = self._reader.get(self.at("v2", f"runs/{run['id']}/artifacts/"), **params)["data"]
            of = {key: run[key] for key in ("job_definition_id", "project_id", "environment_id")}
            told = {**of, "run_id": run["id"], "step": step, "finished_at": run["finished_at"]}
            return [{**told, "path": path} for path in found or () if isinstance(path, str)]

        asked = [(run, step) for run in runs if run["is_complete"] and run["artifacts_saved"] for step in _steps(run)]
        rows = [row for _, found in self._reader.each(asked, listed) for row in found]
        if rows:
            yield rows


def _steps(run: Row) -> list[int]:
    """The steps of a run that may have left files; 0, for the last one, of a run that tells of none."""
    steps = orjson.loads(run["steps"]) if run["steps"] else []
    ran = [step for step in steps if (step["status"] or "").casefold() != _SKIPPED and step["is_command"]]
    return [step["index"] for step in ran] if steps else [0]


def _cut(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[start : start + _TOGETHER] for start in range(0, len(rows), _TOGETHER))


# ------------------------------------------------------------------------------------------------ what a run is made of
def _with_parts(run: Row) -> Row:
    """A run, with its trigger and the parts of its time as lists."""
    run["triggers"] = [run["trigger"]] if isinstance(run.get("trigger"), dict) else []
    run["timings"] = list(_timings(run))
    return run


def _timings(run: Row) -> Iterator[Row]:
    """The parts of a run's time that have begun; one that was cancelled while it waited has only been queued."""
    taken, began, ended = (run.get(key) for key in ("dequeued_at", "started_at", "finished_at"))
    for part, start, end in (
        ("queued", run.get("created_at"), taken or began or ended),
        ("starting", taken, began or ended),
        ("running", began, ended),
    ):
        if start is not None:
            yield {"part": part, "started_at": start, "ended_at": end, "seconds": _between(start, end)}


def _between(began: str, ended: str | None) -> float | None:
    first, last = moment(began), moment(ended)
    return None if first is None or last is None else max(0.0, (last - first).total_seconds())

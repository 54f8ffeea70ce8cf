"""`controlroom dbt runs …` and `controlroom dbt logs`: runs of jobs, and what their steps print."""

import sys
import time
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.dbt.cloud import Cloud, cloud
from controlroom.cli.display import Column, moment, show_fields, show_json, show_table
from controlroom.cli.errors import FAILED, CommandFailed
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.screen import harmless
from controlroom.cli.verbs import show_rows, tell

app = App(name="runs", help="Runs of jobs: list, show, start, cancel, retry.")

_PAUSE_SECONDS = 0.5
_STATUSES = {"queued": 1, "starting": 2, "running": 3, "success": 10, "error": 20, "cancelled": 30}
_SUCCESS = 10

Status = Literal["queued", "starting", "running", "success", "error", "cancelled"]

_STEPS: list[Column] = [
    ("step", lambda row: row["index"]),
    ("name", lambda row: row["name"]),
    ("status", lambda row: row["status_humanized"]),
    ("started", lambda row: moment(row["started_at"])),
    ("took", lambda row: row["duration"]),
]


@app.command(name="list")
def list_(*, job: int | None = None, status: Status | None = None, limit: int = 50, room: RoomOptions = HERE) -> None:
    """List runs, the newest first.

    Parameters
    ----------
    job
        Only those of a job, by its id.
    status
        Only those in a status.
    limit
        At most so many.
    """
    asked = {"job_definition_id": job, "status": None if status is None else _STATUSES[status]}
    with cloud(room) as client:
        rows = client.rows("runs/", at_most=limit, order_by="-id", include_related="trigger,job", **asked)
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("job", lambda row: (row["job"] or {}).get("name") or row["job_id"]),
            ("status", lambda row: row["status_humanized"]),
            ("cause", lambda row: row["trigger"]["cause"]),
            ("created", lambda row: moment(row["created_at"])),
            ("took", lambda row: row["run_duration"]),
        ],
        empty="There is no such run.",
    )


@app.command
def show(run: int, /, *, room: RoomOptions = HERE) -> None:
    """Show a run and its steps.

    Parameters
    ----------
    run
        Id of the run.
    """
    with cloud(room) as client:
        _show(room, client.told(f"runs/{run}/", include_related="trigger,job,audit"))


@app.command
def start(
    job: int,
    /,
    *,
    cause: str = "Started at the prompt",
    step: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    branch: str | None = None,
    commit: str | None = None,
    follow: bool = False,
    room: RoomOptions = HERE,
) -> int:
    """Let a job run; with --follow, print what its steps print, and succeed only if it does.

    Parameters
    ----------
    job
        Id of the job.
    cause
        Why.
    step
        A command in place of the job's own; may be given several times, in their order.
    branch
        The branch that is built.
    commit
        The commit that is built.
    follow
        Watch it to its end.
    """
    body = {"cause": cause, "steps_override": list(step) or None, "git_branch": branch, "git_sha": commit}
    with cloud(room) as client:
        run = client.done(f"jobs/{job}/run/", body)
        if follow:
            return _follow(room, client, run["id"], None)
    tell(room, run, "id")
    return 0


@app.command
def cancel(run: int, /, *, room: RoomOptions = HERE) -> None:
    """End a run, wherever it is.

    Parameters
    ----------
    run
        Id of the run.
    """
    with cloud(room) as client:
        tell(room, client.done(f"runs/{run}/cancel/"))


@app.command
def retry(run: int, /, *, follow: bool = False, room: RoomOptions = HERE) -> int:
    """Go on where a run failed; print the id of the new run.

    Parameters
    ----------
    run
        Id of the run that failed.
    follow
        Watch the new one to its end.
    """
    with cloud(room) as client:
        started = client.done(f"runs/{run}/retry/")
        if follow:
            return _follow(room, client, started["id"], None)
    tell(room, started, "id")
    return 0


def logs(
    run: int, /, *, step: int | None = None, debug: bool = False, follow: bool = False, room: RoomOptions = HERE
) -> int:
    """Print what the steps of a run have printed.

    Parameters
    ----------
    run
        Id of the run.
    step
        Only this step, counted from 1.
    debug
        The debug logs in their place.
    follow
        Go on until the run has ended; succeed only if it does.
    """
    with cloud(room) as client:
        if follow and not debug:
            return _follow(room, client, run, step)
        found = client.told(f"runs/{run}/", include_related="run_steps,debug_logs")
    steps = _wanted(found, step)
    if room.json:
        show_json(steps)
        return 0
    for each in steps:
        text = (each["debug_logs"] or "") if debug else each["logs"]
        _print(each, text, heading=step is None)
    return 0


def _wanted(run: Any, step: int | None) -> list[Any]:
    steps = [each for each in run["run_steps"] if step in {None, each["index"]}]
    if step is not None and not steps:
        raise CommandFailed(f"the run has no step {step}", hint="`controlroom dbt runs show` lists them.")
    return steps


def _print(step: Any, text: str, *, heading: bool) -> None:
    if heading and text:
        print(f"── {step['index']}. {harmless(step['name'])}")
    if text:
        print(harmless(text.rstrip("\n")))


def _follow(room: RoomOptions, client: Cloud, run: int, step: int | None) -> int:
    """Print logs as they grow, until the run has ended."""
    told: dict[int, int] = {}
    while True:
        found = client.told(f"runs/{run}/", include_related="run_steps,trigger,job")
        for each in found["run_steps"]:
            if room.json or step not in {None, each["index"]}:
                continue
            seen = told.get(each["index"], 0)
            _print(each, each["logs"][seen:], heading=step is None and seen == 0)
            told[each["index"]] = len(each["logs"])
        if found["is_complete"]:
            break
        sys.stdout.flush()
        time.sleep(_PAUSE_SECONDS)
    if room.json:
        show_json(found)
    else:
        print(f"run {run} {found['status_humanized'].lower()} in {found['run_duration']}", file=sys.stderr)
        if found["status_message"]:
            print(harmless(found["status_message"]), file=sys.stderr)
    return 0 if found["status"] == _SUCCESS else FAILED


def _show(room: RoomOptions, run: Any) -> None:
    if room.json:
        show_json(run)
        return
    fields = {
        "id": run["id"],
        "job": (run["job"] or {}).get("name") or run["job_id"],
        "status": run["status_humanized"],
        "message": run["status_message"],
        "cause": run["trigger"]["cause"],
        "created": moment(run["created_at"]),
        "started": moment(run["started_at"]),
        "finished": moment(run["finished_at"]),
        "took": run["run_duration"],
        "waits for": ", ".join(map(str, run["blocked_by"])),
        "retry": "possible" if run["can_retry"] else run["retry_not_supported_reason"],
    }
    show_fields(fields)
    print()
    show_table(run["run_steps"], _STEPS, empty="It has no steps yet.")

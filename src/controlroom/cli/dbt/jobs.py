"""`controlroom dbt jobs …`: what is run of a dbt project, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter

from controlroom.cli.calling import Client
from controlroom.cli.dbt.places import Project, meant, one, projects
from controlroom.cli.display import Column, Row, moment, moments, show_fields, show_json
from controlroom.cli.errors import FAILED
from controlroom.cli.following import Called, follow
from controlroom.cli.governing import governing
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="jobs", help="Jobs of dbt projects: list, show, create, run, delete.")

Kind = Literal["ci", "merge", "scheduled", "other"]
_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def _due(row: Row) -> str:
    if row["follows"] is not None:
        return f"after {', '.join(row['follows']['after'])} of another"
    return f"{row['cron']}" if row["scheduled"] else ""


_COLUMNS: list[Column] = [
    ("id", lambda row: row["number"]),
    ("name", lambda row: row["name"]),
    ("project", lambda row: row["project"]["name"]),
    ("environment", lambda row: row["target"]["name"]),
    ("kind", lambda row: row["kind"]),
    ("due", _due),
    ("next", lambda row: moment(row["next_due"])),
    ("failures", lambda row: row["failures"]),
]


@app.command(name="list")
def list_(*, project: Project = None, room: RoomOptions = HERE) -> None:
    """List the jobs of all projects that you see, or of one.

    Parameters
    ----------
    project
        Name, number or id of the project.
    """
    with governing(room) as client:
        rows = list(_jobs(client, project))
    show_rows(room, rows, _COLUMNS, empty="There is no job yet: controlroom dbt jobs create NAME --command 'dbt build'")


@app.command
def show(job: str, /, *, project: Project = None, room: RoomOptions = HERE) -> None:
    """Show a job.

    Parameters
    ----------
    job
        Name, number or id of the job.
    project
        Name, number or id of its project; only needed where several have a job of the name.
    """
    with governing(room) as client:
        found = _find(client, job, project)
    if room.json:
        show_json(found)
        return
    readable = {
        "id": found["number"],
        "process": found["id"],
        "project": f"{found['project']['name']} ({found['project']['number']})",
        "target": f"{found['target']['name']} ({found['target']['number']})",
        "commands": "; ".join(found["commands"]),
        "cron": f"{found['cron']} ({found['cron_in_words']}, UTC)",
    }
    shown = {**found, **moments(found, "created_at", "updated_at", "next_due"), **readable}
    hidden = {"number", "cron_in_words", "defer_to_job", "defer_to_target", "follows"}
    show_fields({name: value for name, value in shown.items() if name not in hidden or value is not None})


@app.command
def create(
    name: str,
    /,
    *,
    command: Annotated[tuple[str, ...], Parameter(alias="-c", negative=(), show_default=False)] = (),
    project: Project = None,
    environment: str | None = None,
    cron: str | None = None,
    kind: Kind | None = None,
    description: str = "",
    threads: int | None = None,
    timeout: float | None = None,
    docs: _Flag = False,
    freshness: _Flag = False,
    after: str | None = None,
    after_end: Many = (),
    defer_to: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Make a job; prints its id.

    Parameters
    ----------
    name
        What to call it.
    command
        What it runs, as `dbt build --select tag:nightly`; once for each command, in their order.
    project
        Name, number or id of the project; only needed where there are several.
    environment
        On what it works: name, number or id of an environment; only needed where the project has several.
    cron
        When it is due, as a cron expression of UTC (`0 3 * * *`; `L` is the last day of a month). Without, it is
        started by hand, by programs, or after another job.
    kind
        What it is for; by what starts it if not given.
    description
        For people.
    threads
        How many models are built at once.
    timeout
        Seconds after which a run is ended.
    docs
        Make the documentation at last.
    freshness
        Look at how fresh the sources are at first.
    after
        Start it when a run of this job ends: name, number or id, of any project.
    after_end
        Which ends of that count: completed (if nothing is said), failed, timed_out, stopped.
    defer_to
        The job whose last good run stands for what this one does not build.
    """
    body = {
        "name": name,
        "commands": list(command),
        "description": description,
        "generates_docs": docs,
        "checks_freshness": freshness,
        "scheduled": cron is not None,
    }
    said = {
        "target": environment,
        "cron": cron,
        "kind": kind,
        "threads": threads,
        "timeout_seconds": timeout,
        "defer_to_job": defer_to,
        "follows": after and {"job": after, "after": list(after_end) or ["completed"]},
    }
    with governing(room) as client:
        place = meant(client, project)
        made = client.post(f"{_path(client, place)}/jobs", body | {key: value for key, value in said.items() if value})
    tell(room, {**made, "project": _told(place)}, "number")


@Parameter(name="*", group=Group("This run"))
@dataclass(frozen=True, kw_only=True, slots=True)
class Otherwise:
    """What one run has in place of what its job says."""

    cause: str | None = None
    """Why it is started, in words."""
    command: Annotated[tuple[str, ...], Parameter(alias="-c", negative=(), show_default=False)] = ()
    """What it runs instead; once for each command, in their order."""
    branch: str | None = None
    """The branch that it runs."""
    commit: str | None = None
    """The commit that it runs."""
    pull_request: int | None = None
    """The number of the change that it tries out, in a schema of its own."""
    schema: str | None = None
    """In which its tables are made."""
    threads: int | None = None
    """How many models are built at once."""
    target_name: str | None = None
    """What dbt calls the target."""
    tool_version: Annotated[str | None, Parameter(name="--dbt-version")] = None
    """The version of dbt."""
    docs: Annotated[bool | None, Parameter(negative="--no-docs", show_default=False)] = None
    """Make the documentation at last, or do not."""
    timeout: float | None = None
    """Seconds after which it is ended."""


AS_IT_SAYS = Otherwise()


@app.command
def run(
    job: str,
    /,
    *,
    follow_run: Annotated[bool, Parameter(name=("--follow",), negative=())] = False,
    project: Project = None,
    otherwise: Otherwise = AS_IT_SAYS,
    room: RoomOptions = HERE,
) -> int:
    """Start a job, and print the run's id, by which `dbt runs`, `logs` and `artifacts` know it.

    With --follow its console is shown while it runs, and the command succeeds only if the run does.

    Parameters
    ----------
    job
        Name, number or id of the job.
    follow_run
        Show the console until the run ends.
    project
        Name, number or id of its project; only needed where several have a job of the name.
    """
    said = {
        "cause": otherwise.cause,
        "commands": list(otherwise.command) or None,
        "git_branch": otherwise.branch,
        "git_sha": otherwise.commit,
        "pull_request": otherwise.pull_request,
        "schema": otherwise.schema,
        "threads": otherwise.threads,
        "target_name": otherwise.target_name,
        "tool_version": otherwise.tool_version,
        "generates_docs": otherwise.docs,
        "timeout_seconds": otherwise.timeout,
    }
    with governing(room) as client:
        found = _find(client, job, project)
        path = f"{_path(client, found['project'])}/jobs/{found['id']}/process-runs"
        started = client.post(path, {key: value for key, value in said.items() if value is not None})
        if follow_run:
            return _follow(client, found["project"], started, as_json=room.json)
    tell(room, started, "number")
    return 0


@app.command
def delete(job: str, /, *, project: Project = None, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a job. Its runs that are under way are stopped; all stay readable.

    Parameters
    ----------
    job
        Name, number or id of the job.
    project
        Name, number or id of its project; only needed where several have a job of the name.
    """
    with governing(room) as client:
        found = _find(client, job, project)
        confirmed(f"Delete the job {found['name']!r} of {found['project']['name']}?", yes=yes)
        answer = client.delete(f"{_path(client, found['project'])}/jobs/{found['id']}")
    tell(room, answer)


def _follow(client: Client, project: dict[str, Any], run: dict[str, Any], *, as_json: bool) -> int:
    """Show the console until the run ends; 0 only if what it ran has succeeded, and it was not stopped before."""
    with Client(client.address._replace(workspace=project["id"])) as place:
        called = Called(str(run["number"]), f"controlroom dbt artifacts list {run['number']}")
        code = follow(place, run["id"], as_json=as_json, called=called)
        ended = [each["state"] for each in place.each("/step-runs", process_run_id=run["id"])]
    return code or (0 if ended and set(ended) == {"completed"} else FAILED)


# ---------------------------------------------------------------------------------------------------- finding
def job_docs(client: Client, job: str, project: str | None) -> dict[str, Any]:
    """Where the documentation is that a job has made, and which run of it."""
    found = _find(client, job, project)
    answer: dict[str, Any] = client.get(f"{_path(client, found['project'])}/jobs/{found['id']}/docs")
    return answer


def _path(client: Client, project: dict[str, Any]) -> str:
    return f"{client.address.url}/api/v1/workspaces/{project['id']}"


def _told(project: dict[str, Any]) -> dict[str, Any]:
    return {name: project[name] for name in ("id", "number", "name")}


def _jobs(client: Client, project: str | None) -> Iterator[dict[str, Any]]:
    known = projects(client)
    for place in known if project is None else [one(known, project, "project")]:
        for job in client.each(f"{_path(client, place)}/jobs"):
            yield {**job, "project": _told(place)}


def _find(client: Client, job: str, project: str | None) -> dict[str, Any]:
    return one(list(_jobs(client, project)), job, "job")

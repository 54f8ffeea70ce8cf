"""`controlroom queues consumers …`: what opens runs of a task for the due items of a queue."""

import re
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import among, find_id, find_queue, find_task
from controlroom.cli.options import HERE, Many, RoomOptions, Yes
from controlroom.cli.places import placement_of
from controlroom.cli.values import changes, confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(
    name="consumers",
    help="What opens runs of a task for the due items of a queue: list, create, edit, pause, resume, delete.",
)

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WINDOW = re.compile(r"(?P<days>\S+) +(?P<begins>[\d:]+)-(?P<ends>[\d:]+)")
_FORM = "DAYS HH:MM-HH:MM, with days like mon-fri, sat,sun or daily"

CONSUMER_COLUMNS: list[Column] = [
    ("id", lambda row: row["id"]),
    ("task", lambda row: f"{row['task']['package_name']}:{row['task']['name']}"),
    ("hours", lambda row: _told(row["windows"], row["time_zone"])),
    ("priority", lambda row: row["priority"]),
    ("max runs", lambda row: row["max_runs"]),
    ("batch", lambda row: row["batch"]),
    ("paused", lambda row: row["paused"]),
]


@app.command(name="list")
def list_(queue: str, /, *, room: RoomOptions = HERE) -> None:
    """List the consumers of a queue, by its name or id."""
    with Client(address(room)) as client:
        rows = list(client.each(_path(client, queue)))
    show_rows(
        room,
        rows,
        CONSUMER_COLUMNS,
        empty="Nobody works on the queue yet: controlroom queues consumers create QUEUE PACKAGE:TASK",
    )


@app.command
def create(
    queue: str,
    task: Annotated[str, Parameter(name="PACKAGE:TASK")],
    /,
    *,
    workers: Many = (),
    groups: Many = (),
    provisioner: str | None = None,
    place: Many = (),
    run_as: str | None = None,
    hours: Many = (),
    zone: str = "UTC",
    priority: int = 0,
    max_runs: int = 1,
    batch: int = 100,
    paused: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Open runs of a task for the due items of a queue while workers are free, and print the consumer's id.

    Parameters
    ----------
    queue
        Name or id of a queue that stands alone.
    task
        PACKAGE:TASK: a task of a package, the latter by id or name.
    workers
        Only on this worker, by id or name; may be given several times.
    groups
        Only on workers of this group; may be given several times, and a later group helps while nobody of an earlier
        is idle.
    provisioner
        On workers of their own, which this provisioner is asked to start.
    place
        In place of these three: worker:NAME, group:NAME or on-demand:PROVISIONER; several in their order.
    run_as
        The user as whom its robots run, by name or id.
    hours
        Only then: 'DAYS HH:MM-HH:MM', as 'mon-fri 22:00-06:00'; may be given several times.
    zone
        Time zone of the hours, for example Europe/Helsinki.
    priority
        Of several consumers the one with the higher priority is served first.
    max_runs
        How many of its runs may be under way at once.
    batch
        How many items one run takes at most.
    paused
        It opens nothing until it is resumed.
    """
    with Client(address(room)) as client:
        body = {
            "task": {"id": find_task(client, task)},
            "placement": _placement(client, workers, groups, provisioner, place, run_as) or {},
            "windows": _windows(hours),
            "time_zone": zone,
            "priority": priority,
            "max_runs": max_runs,
            "batch": batch,
            "paused": paused,
        }
        made = client.post(_path(client, queue), body)
    tell(room, made, "id")


@app.command
def edit(
    queue: str,
    consumer: str,
    /,
    *,
    task: str | None = None,
    workers: Many = (),
    groups: Many = (),
    provisioner: str | None = None,
    place: Many = (),
    run_as: str | None = None,
    anywhere: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    hours: Many = (),
    zone: str | None = None,
    priority: int | None = None,
    max_runs: int | None = None,
    batch: int | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change a consumer; its runs under way go on as they are.

    Parameters
    ----------
    queue
        Name or id of the queue.
    consumer
        Id of the consumer, or its PACKAGE:TASK.
    task
        The new PACKAGE:TASK.
    workers
        All workers on which it may run.
    groups
        All groups on whose workers it may run.
    provisioner
        The provisioner that is asked to start workers.
    place
        All places in their order: worker:NAME, group:NAME or on-demand:PROVISIONER.
    run_as
        The user as whom its robots run, by name or id; said together with where.
    anywhere
        On every worker again.
    hours
        All hours: 'DAYS HH:MM-HH:MM'; or `always`.
    zone
        Time zone of the hours.
    priority
        The new priority.
    max_runs
        How many of its runs may be under way at once.
    batch
        How many items one run takes at most.
    """
    with Client(address(room)) as client:
        placement = {} if anywhere else _placement(client, workers, groups, provisioner, place, run_as)
        body = changes(
            "--task, --workers (or others), --hours, --zone, --priority, --max-runs or --batch",
            task=None if task is None else {"id": find_task(client, task)},
            placement=placement,
            windows=_windows(hours) if hours else None,
            time_zone=zone,
            priority=priority,
            max_runs=max_runs,
            batch=batch,
        )
        answer = client.post(_find(client, queue, consumer), body)
    tell(room, answer)


@app.command
def pause(queue: str, consumer: str, /, *, room: RoomOptions = HERE) -> None:
    """Open no more runs; those under way go on.

    Parameters
    ----------
    queue
        Name or id of the queue.
    consumer
        Id of the consumer, or its PACKAGE:TASK.
    """
    _set_paused(room, queue, consumer, is_paused=True)


@app.command
def resume(queue: str, consumer: str, /, *, room: RoomOptions = HERE) -> None:
    """Open runs again for what is due.

    Parameters
    ----------
    queue
        Name or id of the queue.
    consumer
        Id of the consumer, or its PACKAGE:TASK.
    """
    _set_paused(room, queue, consumer, is_paused=False)


@app.command
def delete(queue: str, consumer: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a consumer; runs that it opened go on.

    Parameters
    ----------
    queue
        Name or id of the queue.
    consumer
        Id of the consumer, or its PACKAGE:TASK.
    """
    with Client(address(room)) as client:
        path = _find(client, queue, consumer)
        confirmed(f"Delete the consumer {consumer!r} of {queue!r}?", yes=yes)
        answer = client.delete(path)
    tell(room, answer)


def _set_paused(room: RoomOptions, queue: str, consumer: str, *, is_paused: bool) -> None:
    with Client(address(room)) as client:
        answer = client.post(_find(client, queue, consumer), {"paused": is_paused})
    tell(room, answer)


def _path(client: Client, queue: str) -> str:
    return f"/queues/{find_queue(client, queue)['id']}/consumers"


def _find(client: Client, queue: str, consumer: str) -> str:
    """The path of the one consumer of the queue with this id or task."""
    path = _path(client, queue)
    found = among(
        client.each(path),
        consumer,
        noun="consumer",
        name=lambda row: f"{row['task']['package_name']}:{row['task']['name']}",
        place=f"of the queue {queue!r}",
    )
    return f"{path}/{found['id']}"


def _placement(
    client: Client,
    workers: tuple[str, ...],
    groups: tuple[str, ...],
    provisioner: str | None,
    places: tuple[str, ...],
    run_as: str | None,
) -> dict[str, Any] | None:
    """On whom it may run, and as whom, if that is said. Raises Misused."""
    given: dict[str, Any] = {}
    if workers:
        given["workers"] = [find_id(client, "workers", each) for each in workers]
    if groups:
        given["groups"] = [find_id(client, "worker-groups", each) for each in groups]
    if provisioner is not None:
        given["provisioner"] = find_id(client, "provisioners", provisioner)
    if len(given) + bool(places) > 1:
        raise Misused("say on whom in one way: --place, --workers, --groups or --provisioner")
    return {**given, **placement_of(client, places, run_as)} or None


def _windows(texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Hours as the API takes them; none at all for `always`. Raises Misused."""
    return [] if texts == ("always",) else [_window(text) for text in texts]


def _window(text: str) -> dict[str, Any]:
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise Misused(f"--hours: {text!r} is not of the form {_FORM}")
    days = [day for part in match["days"].lower().split(",") for day in _days(part)]
    return {"days": sorted(set(days), key=_DAYS.index), "begins": match["begins"], "ends": match["ends"]}


def _days(text: str) -> tuple[str, ...]:
    """The days of `daily`, of one day or of a range, which may go over the end of the week. Raises Misused."""
    if text == "daily":
        return _DAYS
    first, dash, last = text.partition("-")
    begin, end = _day(first), _day(last if dash else first)
    return _DAYS[begin : end + 1] if begin <= end else _DAYS[begin:] + _DAYS[: end + 1]


def _day(text: str) -> int:
    found = [index for index, day in enumerate(_DAYS) if text and day.startswith(text)]
    if len(found) != 1:
        raise Misused(f"--hours: {text!r} is no day of the week", hint=f"Written as {_FORM}.")
    return found[0]


def _told(windows: list[dict[str, Any]], zone: str) -> str:
    """Hours in a few words."""
    if not windows:
        return "always"
    told = [f"{','.join(day[:3] for day in each['days'])} {each['begins']}-{each['ends']}" for each in windows]
    return f"{'; '.join(told)} {zone}"

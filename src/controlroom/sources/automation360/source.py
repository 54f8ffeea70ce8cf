"""`automation360_source`: a Control Room of Automation 360, the vendor's or ours, as tables.

Lists are the real ones (`POST …/list`); nothing that starts work or gives a token away is a resource, and values of
credentials are never asked for. Small nouns are replaced whole; executions, work items and the audit log are merged by
what is new or has changed (`changes.py`).
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import dlt
from dlt.extract import DltResource

from controlroom.sources import resources
from controlroom.sources.arguments import OnlyGiven, configured, needed
from controlroom.sources.automation360 import figures, lists, tables
from controlroom.sources.automation360.changes import Changes, Sweep
from controlroom.sources.automation360.deployments import OPEN, put_together
from controlroom.sources.automation360.lists import BY_CREATION, Condition, Row, all_of, any_of, asked, eq, ge
from controlroom.sources.automation360.login import LogIn, address_of
from controlroom.sources.automation360.values import outputs_of
from controlroom.sources.columns import Table
from controlroom.sources.reading import Gone, Reader, ReadFailed
from controlroom.sources.resources import Kept

log = logging.getLogger("controlroom.sources.automation360")

_AUDIT_PAGE: Final = 400
"""No more are told at once, whatever is asked for."""
_ASKED_AT_ONCE: Final = 50
"""So many deploys are named in one filter."""
_FORBIDDEN: Final = 403
_FINAL_WITH_OUTPUTS: Final = frozenset({"COMPLETED", "RUN_FAILED", "RUN_ABORTED", "RUN_TIMED_OUT"})


@dlt.source(name="automation360", section="automation360", spec=OnlyGiven, max_table_nesting=0)
def automation360_source(
    base_url: str | None = None,
    *,
    username: str | None = None,
    api_key: str | None = None,
    password: str | None = None,
    token: str | None = None,
    look_back: dt.timedelta = dt.timedelta(hours=1),
    since: dt.datetime | None = None,
    full: bool = False,
    window: int | None = None,
    workers: int = 4,
    figures_range: str = "LAST30DAYS",
    verify: bool | str = True,
) -> Iterable[DltResource]:
    """A Control Room: bots, executions and their outputs, devices, queues, users, schedules, vault, audit, key figures.

    `base_url` is the Control Room's address, `username` with `api_key` or `password` who asks; a ready `token` does as
    well, for as long as it lives. `look_back` is for how long a change may be committed late; `since` leaves out what
    is older; `full` reads all anew and sweeps what is gone; `window` ends a load after so many rows, to be gone on;
    `workers` is how many requests are made side by side for things of which each is asked for by itself;
    `figures_range` is of which time the key figures are, in the words of the API; `verify` is a file of certificates to
    trust, or False.
    """
    address = address_of(needed("automation360", "base_url", base_url))
    log_in = LogIn(
        address,
        username=configured("automation360", "username", username),
        api_key=configured("automation360", "api_key", api_key),
        password=configured("automation360", "password", password),
        token=configured("automation360", "token", token),
        verify=verify,
    )
    room = _ControlRoom(Reader(address, log_in, workers=workers, verify=verify), figures_range)
    changes = Changes(now=log_in.now, look_back=look_back, since=since, window=window, full=full)
    kept = Kept.REPLACED if full else Kept.MERGED

    for table, pages in room.small():
        yield resources.resource(table, pages, kept=Kept.REPLACED, quiet=True)

    def executions() -> Iterator[Sequence[Any]]:
        wanted = resources.selected() & {"executions", "deployments", "execution_outputs"}
        yield from room.executions(changes.begin(resources.state(), wanted), since)

    def work_items() -> Iterator[Sequence[Any]]:
        wanted = resources.selected() & {"work_items", "work_item_payloads"}
        yield from room.work_items(changes.begin(resources.state(), wanted), resources.state())

    def audit() -> Iterator[Sequence[Any]]:
        yield from room.audit(changes.begin(resources.state(), frozenset({"audit"})), since)

    runs = resources.resource(tables.EXECUTIONS, executions, kept=kept)
    items = resources.resource(tables.WORK_ITEMS, work_items, kept=kept)
    yield runs
    yield resources.dependent(
        runs, tables.EXECUTIONS, tables.DEPLOYMENTS, room.deployments(), wanting=("deployment_id",), kept=kept
    )
    yield resources.dependent(
        runs, tables.EXECUTIONS, tables.EXECUTION_OUTPUTS, room.outputs, wanting=("id", "status"), kept=kept
    )
    yield items
    payloads = resources.dependent(
        items, tables.WORK_ITEMS, tables.WORK_ITEM_PAYLOADS, room.payloads, wanting=("id", "queue_id"), kept=kept
    )
    payloads.selected = False  # a request an item: for who asks for it
    yield payloads
    yield resources.resource(tables.AUDIT, audit, kept=kept)


class _ControlRoom:
    """What is asked of a Control Room, table by table."""

    def __init__(self, reader: Reader, figures_range: str) -> None:
        self._reader = reader
        self._range = figures_range
        self._remarked: set[str] = set()

    # ---------------------------------------------------------------------------------------------------- small nouns
    def small(self) -> Iterator[tuple[Table, Callable[[], Iterator[list[Row]]]]]:
        """The nouns that are read whole."""
        yield tables.AUTOMATIONS, self._list("v2/repository/workspaces/public/files/list", _BOTS)
        yield tables.AUTOMATION_DETAILS, self._automation_details
        yield tables.FOLDERS, self._list("v2/repository/workspaces/public/files/list", eq("type", tables.FOLDER))
        yield tables.USERS, self._list("v2/usermanagement/users/list")
        yield tables.ROLES, self._detailed("v2/usermanagement/roles/list", "v2/usermanagement/roles/{}")
        yield tables.ROBOTS, self._list("v2/devices/list")
        yield tables.RUN_AS_USERS, self._list("v1/devices/runasusers/list")
        yield tables.POOLS, self._detailed("v2/devices/pools/list", "v2/devices/pools/{}")
        yield tables.QUEUES, self._list("v3/wlm/queues/list")
        yield tables.WORK_ITEM_MODELS, self._list("v3/wlm/workitemmodels/list")
        yield tables.QUEUE_AUTOMATIONS, self._list("v3/wlm/automations/list")
        yield tables.SCHEDULES, self._list("v2/schedule/automations/list")
        yield tables.CREDENTIALS, self._list("v2/credentialvault/credentials/list")
        yield tables.LOCKERS, self._list("v2/credentialvault/lockers/list")
        for table, taken in figures.FIGURES:
            yield table, self._figures(taken)

    def _figures(self, taken: figures.Taken) -> Callable[[], Iterator[list[Row]]]:
        return lambda: iter([taken(self._reader, self._range)])

    def _list(self, path: str, condition: Condition = None) -> Callable[[], Iterator[list[Row]]]:
        return lambda: lists.pages(self._reader, asked(path, condition))

    def _detailed(self, path: str, one: str) -> Callable[[], Iterator[list[Row]]]:
        """The rows of a list, each with what is told of it alone."""

        def detailed() -> Iterator[list[Row]]:
            for page in lists.pages(self._reader, asked(path)):
                told = self._reader.each(page, lambda row: self._reader.get(one.format(row["id"])))
                yield [{**row, **more} for row, more in told]

        return detailed

    def _automation_details(self) -> Iterator[list[Row]]:
        for page in lists.pages(self._reader, asked("v2/repository/workspaces/public/files/list", _BOTS)):
            yield [details for _, details in self._reader.each(page, self._details)]

    def _details(self, bot: Row) -> Row:
        """What is known of a bot; what this user may not see of it, or this Control Room does not tell, is left out."""
        number = bot["id"]
        about = self._if_told(f"v1/acc/automation/{number}/about") or {"botName": bot.get("name")}
        interface = self._if_told(f"v1/filecontent/{number}/interface") or {}
        needed = self._if_told(f"v2/repository/files/{number}/dependencies") or {}
        return {
            **about,
            "botId": number,
            "variables": interface.get("variables"),
            "dependencies": needed.get("dependencies"),
        }

    def _if_told(self, path: str) -> Any:
        try:
            return self._reader.get(path)
        except Gone:
            return None
        except ReadFailed as failed:
            if failed.status != _FORBIDDEN:
                raise
            kind = path.rpartition("/")[2]
            if kind not in self._remarked:
                self._remarked.add(kind)
                log.warning("automation_details: `%s` is not told to this user: %s", kind, failed.said)
            return None

    # ----------------------------------------------------------------------------------------------------- executions
    def executions(self, sweep: Sweep, since: dt.datetime | None) -> Iterator[list[Row]]:
        """Executions: all; or what has begun since, what has ended since, and what has not ended yet.

        Three lists and not one with an `or`, because an index serves each of these alone.
        """
        parts: list[Condition] = [None]
        if sweep.changed_since is not None:
            still_open = any_of(*(eq("status", status) for status in OPEN))
            parts = [ge("startDateTime", sweep.changed_since), ge("endDateTime", sweep.changed_since), still_open]
        told: dict[str, str] = {}
        for part, changed in enumerate(parts):
            if part < sweep.at.get("part", 0):
                continue
            first = asked("v3/activity/list", _from(sweep.reached(part=part), since, changed), sort=BY_CREATION)
            for page in lists.pages(self._reader, first):
                new = [row for row in page if told.get(row["id"]) != row["status"]]
                told.update({row["id"]: row["status"] for row in new} if len(parts) > 1 else {})
                if new:
                    yield new
                if page and sweep.is_cut(page, part=part):
                    return
        sweep.end()

    def deployments(self) -> Callable[[list[Row]], Iterator[list[Row]]]:
        """Deploys, of a page of executions: whole, so all executions of each are asked for."""
        known: set[str] = set()

        def deployments(executions: list[Row]) -> Iterator[list[Row]]:
            new = {each["deployment_id"]: None for each in executions if each["deployment_id"]}.keys() - known
            known.update(new)
            several = sorted(new)
            for begin in range(0, len(several), _ASKED_AT_ONCE):
                named = any_of(*(eq("deploymentId", each) for each in several[begin : begin + _ASKED_AT_ONCE]))
                yield put_together(lists.rows(self._reader, asked("v3/activity/list", named, sort=BY_CREATION)))

        return deployments

    def outputs(self, executions: list[Row]) -> Iterator[list[Row]]:
        """What executions put out that have ended."""
        ended = [each["id"] for each in executions if each["status"] in _FINAL_WITH_OUTPUTS]
        told = self._reader.each(ended, lambda each: self._reader.get(f"v3/activity/execution/{each}"))
        yield [output for _, execution in told for output in outputs_of(execution)]

    # ---------------------------------------------------------------------------------------------------------- items
    def work_items(self, sweep: Sweep, state: dict[str, Any]) -> Iterator[list[Row]]:
        """The items of all queues, one queue after another: all of a queue that is new, else what has changed since."""
        known = set(state.get("queues", ()))
        at = sweep.at.get("queue")
        queues = [each["id"] for each in lists.rows(self._reader, asked("v3/wlm/queues/list"))]
        for queue in queues:
            if at is not None and int(queue) < int(at):
                continue
            changed = sweep.changed_since if int(queue) in known else None
            reached = sweep.reached(queue=queue)
            condition = all_of(
                None if changed is None else ge("updatedOn", changed),
                None if reached is None else ge("createdOn", reached),
            )
            for page in self._items_of(queue, condition):
                if page:
                    yield page
                if page and sweep.is_cut(page, queue=queue):
                    return
        state["queues"] = sorted(int(queue) for queue in queues)
        sweep.end()

    def _items_of(self, queue: Any, condition: Condition) -> Iterator[list[Row]]:
        try:
            yield from lists.pages(self._reader, asked(f"v3/wlm/queues/{queue}/workitems/list", condition))
        except Gone:  # it was deleted since queues were listed
            return

    def payloads(self, items: list[Row]) -> Iterator[list[Row]]:
        """The payloads of items."""
        told = self._reader.each(
            items, lambda item: self._reader.get(f"v3/wlm/queues/{item['queue_id']}/workitems/{item['id']}")
        )
        yield [{key: row.get(key) for key in ("id", "queueId", "version", "json")} for _, row in told]

    # ---------------------------------------------------------------------------------------------------------- audit
    def audit(self, sweep: Sweep, since: dt.datetime | None) -> Iterator[list[Row]]:
        """The audit log: all, or what was written since."""
        changed = None if sweep.changed_since is None else ge("createdOn", sweep.changed_since)
        condition = _from(sweep.reached(), since, changed)
        first = asked("v1/audit/messages/list", condition, sort=BY_CREATION, length=_AUDIT_PAGE)
        yield from sweep.pages(lists.pages(self._reader, first))


def _from(reached: dt.datetime | None, since: dt.datetime | None, changed: Condition) -> Condition:
    """What is asked of a list that is read by when its rows were made, and has come to somewhere."""
    return all_of(
        None if since is None else ge("createdOn", since),
        None if reached is None else ge("createdOn", reached),
        changed,
    )


_BOTS: Final = any_of(eq("type", tables.BOT), eq("type", tables.HEADLESS))

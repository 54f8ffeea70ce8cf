"""What needs somebody is said in one line, with why, and the verb beside it."""

from datetime import UTC, datetime, timedelta

import pytest

from controlroom.engine.runs.occupation import Counted, Occupied
from controlroom.engine.statistics.failing import FailedGroup
from controlroom.engine.statistics.flows import Flow
from controlroom.engine.statistics.model import QueueHour
from controlroom.engine.statistics.overview import Trouble, TroubleKind
from controlroom.engine.statistics.rules import hour_of
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.workers.model import WorkerState
from controlroom.ids import QueueId, WorkerId, WorkspaceId, uuid7
from controlroom.ui.overview.attention import (
    Health,
    May,
    of_failed,
    of_health,
    of_no_workers,
    of_queue,
    of_queues,
    of_resolved,
    of_trouble,
    of_worker,
    of_workers,
    ranked,
    shortened,
)

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
ALL, NOTHING = May(items=True, starts=True), May()


def group(**given) -> FailedGroup:
    """37 items with one cause."""
    usual = {"fingerprint": "ab12", "count": 37, "last_at": NOW, "type": ExceptionType.APPLICATION, "code": "TIMEOUT"}
    return FailedGroup(**(usual | {"message": "no answer\nafter 30 s", "hours": []} | given))


def test_failed_items_are_retried_or_marked():
    """By the verb that fits their kind: what is wrong with the data is not mended by trying again."""
    entry = of_failed(group(), "/w/x", ALL)
    assert (entry.what, entry.code, entry.why) == ("37 items failed with", "TIMEOUT", ["application", "no answer"])
    assert [act.label for act in entry.acts] == ["Show", "Retry 37"]
    assert entry.acts[1].href == "/w/x/items/bulk?tab=failed&failure=ab12&all=1&operation=retry"
    business = of_failed(group(type=ExceptionType.BUSINESS, count=1, code=""), "/w/x", ALL)
    assert (business.what, business.acts[1].label) == ("1 item failed", "Mark as done")


def test_who_may_not_is_offered_no_verb():
    """Only to look."""
    assert [act.label for act in of_failed(group(), "", NOTHING).acts] == ["Show"]
    assert [act.label for act in of_trouble(trouble(), "", NOTHING).acts] == ["Show"]


def trouble(kind: TroubleKind = TroubleKind.STEP_RUNS, **given) -> Trouble:
    """Something that happened twelve times."""
    usual = {
        "kind": kind,
        "id": uuid7(),
        "number": 7,
        "name": "Invoices",
        "code": "ENVIRONMENT_FAILED",
        "detail": "",
        "count": 12,
        "since": NOW,
        "last_at": NOW,
        "last_id": None,
        "is_over": False,
    }
    return Trouble(**(usual | given))


@pytest.mark.parametrize(
    ("kind", "code", "what", "href"),
    [
        (TroubleKind.STEP_RUNS, "ENVIRONMENT_FAILED", "The environment of Invoices cannot be made", "/processes/7"),
        (TroubleKind.STEP_RUNS, "OTHER", "Invoices cannot begin", "/processes/7"),
        (TroubleKind.DELIVERIES, "503", "Webhook Invoices has given up 12 deliveries", "/webhooks/7"),
        (TroubleKind.NOTICES, "", "A notification of Invoices does not come through", "/processes/7/triggers#notices"),
        (TroubleKind.OCCURRENCES, "missed", "Invoices: 12 starts missed", "/schedules/7"),
    ],
)
def test_each_trouble_leads_to_where_it_is_mended(kind, code, what, href):
    """In words of the field."""
    entry = of_trouble(trouble(kind, code=code), "", ALL)
    assert (entry.what, entry.acts[0].href) == (what, href)


@pytest.mark.parametrize(
    ("kind", "verb"), [(TroubleKind.OCCURRENCES, "/schedules/7/fire"), (TroubleKind.STEP_RUNS, "/processes/7/start")]
)
def test_what_did_not_start_is_started_by_one_button(kind, verb):
    """It posts: a schedule is fired, with its own input; a process is started, or leads to its form."""
    start = of_trouble(trouble(kind, code="missed"), "/w/x", ALL).acts[-1]
    assert (start.href, start.is_verb) == (f"/w/x{verb}", True)


def flow(waiting: int, arrived: int, gone: int, **given) -> Flow:
    """A queue in which so much came and went in each of the last hours."""
    hours = [
        QueueHour(hour=hour_of(NOW) - timedelta(hours=n), depth=1, deepest=1, arrived=arrived, gone=gone)
        for n in range(3)
    ]
    usual = {
        "id": QueueId(uuid7()),
        "number": 3,
        "workspace_id": WorkspaceId(uuid7()),
        "name": "claims",
        "is_standing": False,
        "is_draft": False,
        "process_number": None,
        "process_name": None,
        "step_name": None,
        "step_position": None,
        "waiting": waiting,
        "oldest_at": NOW,
        "consumers": 0,
        "paused_consumers": 0,
        "hours": hours,
    }
    return Flow(**(usual | given))


def test_a_queue_is_told_only_if_it_grows_or_is_forgotten():
    """What is drained, empties, or has a consumer that somebody paused, is as it should be."""
    grows = of_queue(flow(1000, 95, 40), NOW, "")
    assert grows is not None
    assert grows.what == "Queue claims grows faster than it drains"
    assert grows.why[0] == "1,000 wait"
    assert of_queue(flow(10, 5, 40), NOW, "") is None
    assert of_queue(flow(0, 0, 0), NOW, "") is None
    forgotten = of_queue(flow(1, 0, 0, is_standing=True), NOW, "")
    assert forgotten is not None
    assert forgotten.why == ["1 waits", "it has no consumer"]
    assert of_queue(flow(1, 0, 0, is_standing=True, consumers=1, paused_consumers=1), NOW, "") is None


def test_many_queues_that_grow_are_one_matter():
    """Up to three stand each by itself; what nobody takes from still does."""
    grow = [flow(1000, 95, 40, number=n, name=f"q{n}") for n in range(5)]
    alone = flow(1, 0, 0, is_standing=True, number=9)
    assert [entry.key for entry in of_queues([*grow[:2], alone], NOW, "")] == ["queue-0", "queue-1", "queue-9"]
    together, forgotten = of_queues([*grow, alone], NOW, "/w/x")
    assert (together.what, together.why) == (
        "5 queues grow faster than they drain",
        ["5,000 wait", "q0, q1, q2 and others"],
    )
    assert forgotten.key == "queue-9"


def worker(**given) -> Occupied:
    """A worker that is idle."""
    usual = {
        "id": WorkerId(uuid7()),
        "number": 5,
        "name": "win-03",
        "state": WorkerState.IDLE,
        "serves_all": True,
        "slots": 2,
        "busy": 0,
        "version": "",
        "platform": "",
        "sandbox": "",
        "trouble": "",
        "rests_since": None,
        "seen_at": NOW,
        "created_at": NOW,
        "has_session": True,
        "groups": [],
    }
    return Occupied(**(usual | given))


def test_a_worker_is_told_if_it_is_silent_or_takes_nothing():
    """Not if it has said good-bye."""
    assert of_worker(worker(), "") is None
    assert of_worker(worker(state=WorkerState.OFFLINE, has_session=False), "") is None
    silent, troubled = of_worker(worker(state=WorkerState.OFFLINE), ""), of_worker(worker(trouble="no sandbox"), "")
    assert silent is not None
    assert troubled is not None
    assert (silent.what, troubled.why) == ("Worker win-03 is silent", ["no sandbox"])


def alike(workers: int, *, is_silent: bool = False, is_troubled: bool = False) -> Counted:
    """So many workers in one state."""
    return Counted(
        of_all=True,
        group_id=None,
        state=WorkerState.OFFLINE if is_silent else WorkerState.IDLE,
        is_silent=is_silent,
        is_resting=False,
        is_troubled=is_troubled,
        workers=workers,
        slots=workers,
        busy=0,
        free=0,
    )


def test_many_silent_workers_are_one_entry_with_their_number():
    """However few of them are drawn; three stand in lines of their own."""
    drawn = [worker(state=WorkerState.OFFLINE, name=f"win-{n}") for n in range(3)]
    alone = of_workers(
        [*drawn, worker(trouble="no sandbox")], [alike(3, is_silent=True), alike(1, is_troubled=True)], ""
    )
    assert [entry.what for entry in alone] == [
        *(f"Worker win-{n} is silent" for n in range(3)),
        "Worker win-03 takes no work",
    ]
    [together] = of_workers(drawn, [alike(340, is_silent=True), alike(9)], "/w/x")
    assert (together.what, together.why) == ("340 workers are silent", ["win-0, win-1, win-2 and others"])


def test_work_without_any_worker_is_told():
    """Once, with the way to link one."""
    assert of_no_workers([], 0, "") is None
    assert of_no_workers([alike(1)], 3, "") is None
    assert of_no_workers([alike(1, is_silent=True)], 3, "") is None
    entry = of_no_workers([], 1, "/w/x")
    assert entry is not None
    assert (entry.what, entry.acts[0].href) == ("A run waits for a worker, and there is none", "/w/x/workers/link")


def test_what_is_broken_comes_first():
    """And nothing stands for what is none."""
    entries = ranked([of_queue(flow(1000, 95, 40), NOW, ""), None, of_failed(group(), "", ALL)])
    assert [entry.sign.tone for entry in entries] == ["bad", "warn"]


def test_messages_are_one_line():
    """Not a long one."""
    assert shortened("  a\nb ") == "a"
    assert len(shortened("x" * 999)) == 140


def test_a_delivery_that_was_given_up_is_sent_again_from_here():
    """By a form that posts, where the delivery is known."""
    last = uuid7()
    entry = of_trouble(trouble(TroubleKind.DELIVERIES, count=1, last_id=last), "/w/x", ALL)
    assert [(act.label, act.href, act.is_verb) for act in entry.acts] == [
        ("Show", "/w/x/webhooks/7", False),
        ("Send again", f"/w/x/webhooks/7/deliveries/{last}/redeliver", True),
    ]


def test_the_room_itself_says_what_it_lacks():
    """Loops that fail, a record that is read too slowly, a full disk, an old backup; a new room has none yet."""
    day = timedelta(days=1)
    assert of_health(Health(has_backups=True, is_new=True, free=0.4, behind_since=NOW), NOW) == []
    assert of_health(Health(has_backups=True, backup_at=NOW - 2 * day), NOW) == []
    wrong = Health(
        failing=["pruner", "mailer"], behind_since=NOW - day, free=0.02, has_backups=True, backup_at=NOW - 9 * day
    )
    assert [(each.key, each.what) for each in of_health(wrong, NOW)] == [
        ("health-loops", "2 loops fail"),
        ("health-lag", "The record is read too slowly"),
        ("health-disk", "The disk is nearly full"),
        ("health-backup", "The last backup is 9 days old"),
    ]
    [none] = of_health(Health(has_backups=True), NOW)
    assert (none.what, none.acts[-1].is_verb) == ("The room has no backup", True)
    [failed] = of_health(Health(has_backups=True, is_new=True, backup_failure="No space left"), NOW)
    assert failed.why == ["No space left"]


@pytest.mark.parametrize(
    ("kind", "code", "what"),
    [
        (TroubleKind.ITEMS, "TIMEOUT", "3 items had failed with"),
        (TroubleKind.ITEMS, "", "3 items had failed"),
        (TroubleKind.DELIVERIES, "", "Webhook Invoices is reached again"),
        (TroubleKind.STEP_RUNS, "ENVIRONMENT_FAILED", "Invoices runs again"),
    ],
)
def test_what_was_attended_to_is_told_until_midnight(kind, code, what):
    """In the past, with the way there."""
    entry = of_resolved(trouble(kind, code=code, count=3, is_over=True), "/w/x")
    assert (entry.what, len(entry.acts)) == (what, 1)

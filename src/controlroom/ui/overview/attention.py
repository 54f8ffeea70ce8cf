"""What needs somebody, as entries with their verbs: pure, from what is wrong to what is said of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never
from urllib.parse import urlencode

from msgspec import Struct

from controlroom.engine.runs.occupation import Counted, Occupied
from controlroom.engine.statistics.failing import FailedGroup
from controlroom.engine.statistics.flows import Flow
from controlroom.engine.statistics.overview import Trouble, TroubleKind
from controlroom.engine.statistics.rules import Grows, Unattended
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.operations import Operation
from controlroom.ui import words
from controlroom.ui.states import Sign

_BAD: Final = Sign("failed", "bad", "Failed")
_WARN: Final = Sign("unresolved", "warn", "Needs attention")
_WELL: Final = Sign("done", "ok", "Resolved")
_LOST: Final = Sign("lost", "bad", "Silent")
_LONG: Final = 140
_FEW: Final = 3
_BEHIND: Final = timedelta(minutes=5)
_LEAST_FREE: Final = 0.05
OLDEST_BACKUP: Final = timedelta(days=7)
"""So old a backup may be before somebody is told. A guess: a week's work is what most would do again."""
_HINDRANCES: Final = {
    "ENVIRONMENT_FAILED": "The environment of {} cannot be made",
    "PACKAGE_INVALID": "The package of {} is broken",
    "TASK_NOT_FOUND": "A task of {} is not in its package",
    "PRE_RUN_SCRIPT_FAILED": "A script before the tasks of {} fails",
}


class Act(Struct, frozen=True):
    """A button beside an entry: a link."""

    label: str
    href: str
    icon: str = ""
    is_question: bool = False
    """Whether it leads to a question, which script opens as a dialog."""
    is_verb: bool = False
    """Whether it does something at once: a form that posts, not a link."""


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that needs somebody."""

    key: str
    """Stays the same while it is the same thing."""
    sign: Sign
    what: str
    code: str = ""
    """Behind it, as code."""
    why: list[str]
    since: datetime | None = None
    last: datetime | None = None
    acts: list[Act]


class May(Struct, frozen=True):
    """What who looks may do."""

    items: bool = False
    starts: bool = False


# ---------------------------------------------------------------------------------------------------- each kind
def of_failed(group: FailedGroup, base: str, may: May) -> Entry:
    """Items that are failed now, for one cause."""
    asked = {"tab": "failed"} | ({"failure": group.fingerprint} if group.fingerprint else {})
    acts = [Act("Show", f"{base}/items?{urlencode(asked)}")]
    if may.items and group.fingerprint:
        is_business = group.type is ExceptionType.BUSINESS
        verb = Operation.MARK_DONE if is_business else Operation.RETRY
        label, icon = ("Mark as done", "tick") if is_business else (f"Retry {words.count(group.count)}", "retry")
        query = urlencode({**asked, "all": "1", "operation": verb.value})
        acts.append(Act(label, f"{base}/items/bulk?{query}", icon, is_question=True))
    items = "item" if group.count == 1 else "items"
    return Entry(
        key=f"failed-{(group.fingerprint or 'new')[:16]}",
        sign=_BAD,
        what=f"{words.count(group.count)} {items} failed" + (" with" if group.code else ""),
        code=group.code,
        why=[said for said in (group.type.value, shortened(group.message)) if said],
        last=group.last_at,
        acts=acts,
    )


def of_trouble(trouble: Trouble, base: str, may: May) -> Entry:
    """Whatever else is wrong."""
    times = f"{words.count(trouble.count)} time{'' if trouble.count == 1 else 's'}"
    acts = []
    match trouble.kind:
        case TroubleKind.STEP_RUNS:
            what = _HINDRANCES.get(trouble.code, "{} cannot begin").format(trouble.name)
            acts.append(Act("Show", f"{base}/processes/{trouble.number}"))
            if may.starts:
                label = "Build again" if trouble.code == "ENVIRONMENT_FAILED" else "Start again"
                acts.append(Act(label, f"{base}/processes/{trouble.number}/start", "start", is_verb=True))
            why = [shortened(trouble.detail), times]
        case TroubleKind.DELIVERIES:
            deliveries = "a delivery" if trouble.count == 1 else f"{words.count(trouble.count)} deliveries"
            what = f"Webhook {trouble.name} has given up {deliveries}"
            here = f"{base}/webhooks/{trouble.number}"
            acts.append(Act("Show", here))
            if trouble.last_id is not None:
                again = "Send again" if trouble.count == 1 else "Send the last again"
                acts.append(Act(again, f"{here}/deliveries/{trouble.last_id}/redeliver", "retry", is_verb=True))
            answer = f"it answers {trouble.code}" if trouble.code else ""
            why = [answer, shortened(trouble.detail)]
        case TroubleKind.NOTICES:
            what = f"A notification of {trouble.name} does not come through"
            acts.append(Act("Show", f"{base}/processes/{trouble.number}/triggers#notices"))
            why = [shortened(trouble.detail), times]
        case TroubleKind.OCCURRENCES:
            starts = "a start" if trouble.count == 1 else f"{words.count(trouble.count)} starts"
            verb = "missed" if trouble.code == "missed" else "failed"
            what = f"{trouble.name}: {starts} {verb}"
            acts.append(Act("Show", f"{base}/schedules/{trouble.number}"))
            if may.starts:
                acts.append(Act("Start now", f"{base}/schedules/{trouble.number}/fire", "start", is_verb=True))
            why = [shortened(trouble.detail)]
        case TroubleKind.ITEMS:
            what, why = f"{trouble.name}: items failed", [shortened(trouble.detail), times]
            acts.append(Act("Show", f"{base}/items?tab=failed"))
        case _:
            assert_never(trouble.kind)
    sign = _WARN if trouble.kind is TroubleKind.OCCURRENCES else _BAD
    return Entry(
        key=f"{trouble.kind.value}-{trouble.id}-{trouble.code}",
        sign=sign,
        what=what,
        why=[each for each in why if each],
        since=trouble.since,
        last=trouble.last_at if trouble.count > 1 else None,
        acts=acts,
    )


def of_queue(flow: Flow, now: datetime, base: str) -> Entry | None:
    """A queue that grows, or that nobody takes from; None for one that is as it should be."""
    outlook = flow.outlook(now)
    show = [Act("Show", f"{base}/queues/{flow.number}")]
    waits = f"{words.count(flow.waiting)} wait{'s' if flow.waiting == 1 else ''}"
    match outlook:
        case Grows():
            rates = f"{words.count(flow.arrived(now))} come an hour, {words.count(flow.gone(now))} go"
            what, why = f"Queue {flow.name} grows faster than it drains", [waits, rates]
        case Unattended(is_paused=False) if flow.waiting and not flow.is_draft:
            what, why = f"Nobody takes from the queue {flow.name}", [waits, "it has no consumer"]
        case _:
            return None
    return Entry(key=f"queue-{flow.number}", sign=_WARN, what=what, why=why, since=flow.oldest_at, acts=show)


def of_queues(flows: Sequence[Flow], now: datetime, base: str) -> list[Entry]:
    """Queues that need somebody, each in a line; from four on all in one: then it is no matter of one queue."""
    found = [each for each in (of_queue(flow, now, base) for flow in flows) if each is not None]
    if len(found) <= _FEW:
        return found
    growing = [flow for flow in flows if isinstance(flow.outlook(now), Grows)]
    waits = f"{words.count(sum(flow.waiting for flow in growing))} wait"
    names = ", ".join(flow.name for flow in growing[:_FEW])
    oldest = min((flow.oldest_at for flow in growing if flow.oldest_at is not None), default=None)
    together = Entry(
        key="queues",
        sign=_WARN,
        what=f"{len(growing)} queues grow faster than they drain",
        why=[waits, f"{names} and others"],
        since=oldest,
        acts=[Act("Show", f"{base}/workers?show=queues")],
    )
    others = [each for each in found if not each.what.endswith("grows faster than it drains")]
    return [*([together] if len(growing) > _FEW else found[: len(growing)]), *others[:_FEW]]


def of_worker(worker: Occupied, base: str) -> Entry | None:
    """A worker that is gone without a word, or that takes no work though it is there."""
    show = [Act("Show", f"{base}/workers/{worker.number}")]
    if worker.is_silent:
        what, why, sign = f"Worker {worker.name} is silent", [], _LOST
    elif worker.trouble:
        what, why, sign = f"Worker {worker.name} takes no work", [shortened(worker.trouble)], _WARN
    else:
        return None
    return Entry(key=f"worker-{worker.number}", sign=sign, what=what, why=why, since=worker.seen_at, acts=show)


def of_workers(workers: Sequence[Occupied], counted: Sequence[Counted], base: str) -> list[Entry]:
    """Workers that need somebody, each in a line; from four on that are silent, or in trouble, all of these in one.

    `workers` has the first of them; `counted`, how many there are.
    """
    silent = [each for each in workers if each.is_silent]
    troubled = [each for each in workers if each.trouble and not each.is_silent]
    away = sum(each.workers for each in counted if each.is_silent)
    idle = sum(each.workers for each in counted if each.is_troubled and not each.is_silent)
    found: list[Entry] = []
    for some, count, key, said, sign in (
        (silent, away, "silent", "are silent", _LOST),
        (troubled, idle, "troubled", "take no work", _WARN),
    ):
        if count > _FEW:
            what, why = f"{words.count(count)} workers {said}", ", ".join(each.name for each in some[:_FEW])
            show = [Act("Show", f"{base}/workers/all")]
            found.append(Entry(key=f"workers-{key}", sign=sign, what=what, why=[f"{why} and others"], acts=show))
        else:
            found += [entry for each in some if (entry := of_worker(each, base)) is not None]
    return found


def of_no_workers(counted: Sequence[Counted], waiting: int, base: str) -> Entry | None:
    """Work that waits where nobody is who could take it; silent ones say so themselves."""
    is_taken = any(each.slots and not each.is_troubled and each.state.value != "offline" for each in counted)
    if is_taken or not waiting or any(each.is_silent for each in counted):
        return None
    runs = "A run waits" if waiting == 1 else f"{words.count(waiting)} runs wait"
    return Entry(
        key="no-workers",
        sign=_WARN,
        what=f"{runs} for a worker, and there is none",
        why=["a worker runs robots: on this machine, or on any other that reaches this room"],
        acts=[Act("Link a worker", f"{base}/workers/link", "add")],
    )


def of_resolved(trouble: Trouble, base: str) -> Entry:
    """What needed somebody today, and does no more."""
    times, code = words.count(trouble.count), ""
    match trouble.kind:
        case TroubleKind.ITEMS:
            code = trouble.code
            what = f"{times} item{'' if trouble.count == 1 else 's'} had failed" + (" with" if code else "")
            why, href = [trouble.name, shortened(trouble.detail)], f"{base}/processes/{trouble.number}"
        case TroubleKind.DELIVERIES:
            what, why, href = f"Webhook {trouble.name} is reached again", [], f"{base}/webhooks/{trouble.number}"
        case _:
            what, href = f"{trouble.name} runs again", f"{base}/processes/{trouble.number}"
            why = [shortened(trouble.detail)]
    return Entry(
        key=f"resolved-{trouble.kind.value}-{trouble.id}-{code}",
        sign=_WELL,
        what=what,
        code=code,
        why=[each for each in why if each],
        last=trouble.last_at,
        acts=[Act("Show", href)],
    )


class Health(Struct, frozen=True, kw_only=True):
    """How the room itself is, for who governs it."""

    failing: Sequence[str] = ()
    """Loops whose last tick failed."""
    behind_since: datetime | None = None
    """When the oldest event happened that a loop has not read."""
    free: float | None = None
    """Of the disk, from 0 to 1."""
    has_backups: bool = False
    """Whether this server makes any."""
    backup_at: datetime | None = None
    backup_failure: str = ""
    is_new: bool = False
    """The room is younger than a backup may be old."""


def of_health(health: Health, now: datetime) -> list[Entry]:
    """What is wrong with the room itself."""
    show, found = [Act("Show", "/admin/health")], []
    if health.failing:
        loops = "A loop fails" if len(health.failing) == 1 else f"{len(health.failing)} loops fail"
        found.append(
            Entry(key="health-loops", sign=_BAD, what=loops, why=[", ".join(health.failing[:_FEW])], acts=show)
        )
    if health.behind_since is not None and now - health.behind_since > _BEHIND:
        why = ["messages, figures and live pages come late"]
        what = "The record is read too slowly"
        found.append(Entry(key="health-lag", sign=_WARN, what=what, why=why, since=health.behind_since, acts=show))
    if health.free is not None and health.free < _LEAST_FREE:
        what, why = "The disk is nearly full", [f"{health.free:.0%} is free where the room keeps its things"]
        found.append(Entry(key="health-disk", sign=_BAD, what=what, why=why, acts=show))
    if health.has_backups and (wrong := _wrong_with_backup(health, now)):
        what, why = wrong
        act = Act("Back up now", "/admin/health/backup", "archive", is_verb=True)
        found.append(Entry(key="health-backup", sign=_WARN, what=what, why=why, acts=[*show, act]))
    return found


def _wrong_with_backup(health: Health, now: datetime) -> tuple[str, list[str]] | None:
    if health.backup_failure:
        return "The last backup was not made", [shortened(health.backup_failure)]
    if health.backup_at is None:
        return None if health.is_new else ("The room has no backup", ["what a disk takes along is gone for good"])
    age = now - health.backup_at
    return (f"The last backup is {age.days} days old", []) if age > OLDEST_BACKUP else None


def shortened(text: str) -> str:
    """The first line of a message, not too long."""
    line = text.strip().partition("\n")[0].strip()
    return line if len(line) <= _LONG else f"{line[: _LONG - 1].rstrip()}…"


def ranked(entries: Sequence[Entry | None]) -> list[Entry]:
    """What is broken before what may become so; else in their order."""
    found = [each for each in entries if each is not None]
    return sorted(found, key=lambda each: each.sign.tone != "bad")

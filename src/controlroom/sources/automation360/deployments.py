"""Deploys: the executions that one call began, put together. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from controlroom.sources.automation360.tables.parts import reference, when

Row = Mapping[str, Any]
OPEN: Final = ("QUEUED", "PENDING_EXECUTION", "DEPLOYED", "RUNNING", "UPDATE", "RUN_PAUSED", "UNKNOWN")
"""The statuses of executions that will change."""
_WAITING: Final = frozenset({"QUEUED", "PENDING_EXECUTION"})
_FAILED: Final = frozenset({"RUN_FAILED", "RUN_TIMED_OUT", "DEPLOY_FAILED"})
_ABORTED: Final = "RUN_ABORTED"
_COMPLETED: Final = "COMPLETED"


def put_together(executions: Iterable[Row]) -> list[dict[str, Any]]:
    """The deploys of executions, of which all that belong to one must be there."""
    of: dict[str, list[Row]] = {}
    for each in executions:
        if each.get("deploymentId"):
            of.setdefault(each["deploymentId"], []).append(each)
    return [_deployment(deployment, several) for deployment, several in of.items()]


def status_of(statuses: Counter[str]) -> str:
    """How a deploy stands whose executions stand so."""
    active = sum(statuses[each] for each in OPEN)
    if active:
        is_begun = any(count for status, count in statuses.items() if status not in _WAITING)
        return "RUNNING" if is_begun else "QUEUED"
    if any(statuses[each] for each in _FAILED):
        return "RUN_FAILED"
    return _ABORTED if statuses[_ABORTED] else _COMPLETED


def _deployment(deployment: str, executions: Sequence[Row]) -> dict[str, Any]:
    statuses = Counter(str(each.get("status")) for each in executions)
    active = sum(statuses[each] for each in OPEN)
    first = min(executions, key=lambda each: (each.get("createdOn") or "", each["id"]))
    begun = [when(each.get("startDateTime")) for each in executions if each.get("status") not in _WAITING]
    ended = [when(each.get("endDateTime")) for each in executions]
    return {
        "id": deployment,
        "automation_name": first.get("automationName"),
        "file_id": reference(first.get("fileId")),
        "file_name": first.get("fileName"),
        "initiation_type": first.get("initiationType"),
        "automation_id": reference(first.get("automationId")),
        "automation_priority": first.get("automationPriority"),
        "bot_label": first.get("botLabel"),
        "created_by": reference(first.get("createdBy")),
        "created_on": when(first.get("createdOn")),
        "started_on": min(filter(None, begun), default=None),
        "ended_on": None if active else max(filter(None, ended), default=None),
        "status": status_of(statuses),
        "execution_count": len(executions),
        "active_count": active,
        "completed_count": statuses[_COMPLETED],
        "failed_count": sum(statuses[each] for each in _FAILED),
        "aborted_count": statuses[_ABORTED],
    }

"""Policy Management API v1 and v2 (§2.7, §2.21): a worker reads the code of a bot, by the policy of its folder.

Our bots are Python: where the vendor names a command of a bot by its uid, we name a line of a file (`tasks.py:12:5`).
"""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from litestar import Response

from controlroom.border.long_polls import Hold
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.ids import Id, find
from controlroom.dialects.automation360.routing import Pair, get, post
from controlroom.engine.access.scope import Of, by
from controlroom.engine.analyses import actions, store
from controlroom.engine.analyses.errors import AnalysisNotFound, NotAnalysed
from controlroom.engine.analyses.model import Analysis, Content, Judged, Severity
from controlroom.engine.analyses.rules import counts, judged
from controlroom.engine.analyses.store import CODE_ANALYSIS
from controlroom.engine.packages import store as packages
from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import NodeKind
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.wakes import Watch
from controlroom.errors import Invalid
from controlroom.ids import PackageId
from controlroom.spreadsheets import inert

_SECONDS: Final = 60.0
"""So long a call waits for a worker."""
_FILE: Final = re.compile(r"code-analysis-([1-9][0-9]{0,18})\.csv", re.ASCII)
_VIEW: Final = Pair("repositorymanager", "view")


class AnalyseBot(Shape, frozen=True, kw_only=True):
    """Which bot."""

    file_id: str
    exclude_child_bots: bool = False
    """A bot's package is read whole; what other packages it needs is not."""


class Summary(Shape, frozen=True):
    """How many violations there are of each severity."""

    high_severity_count: int
    low_severity_count: int
    critical_severity_count: int


class AnalysisSummary(Shape, frozen=True):
    """What was found, in numbers; the report is had by its name."""

    download_file_name: str
    error_message: str
    rule_violation_summary: Summary


class Place(Shape, frozen=True):
    """Where in a bot: file, line and column."""

    uid: str


class Violation(Shape, frozen=True):
    """A rule that does not hold."""

    rule_name: str
    rule_label: str
    rule_severity: str
    rule_error_message: str


class Violations(Shape, frozen=True):
    """The rules that do not hold at one place."""

    command: Place
    rule_violations: list[Violation]


@post("/v2/policy/bot/analysis", pair=_VIEW)
async def analyse_bot(request: Asking, data: Body[AnalyseBot]) -> AnalysisSummary:
    """Have a bot's code read by the policy of its folder: how much was found."""
    try:
        found = await _analysed(request, data)
    except NotAnalysed as failed:
        return AnalysisSummary("", failed.message, Summary(0, 0, 0))
    counted = counts(judged(found.policy, found.findings))
    summary = Summary(counted[Severity.HIGH], counted[Severity.LOW], counted[Severity.CRITICAL])
    return AnalysisSummary(f"code-analysis-{found.number}.csv", "", summary)


@post("/v2/policy/bot/analysis/details", pair=_VIEW)
async def analyse_bot_in_detail(request: Asking, data: Body[AnalyseBot]) -> list[Violations]:
    """Have a bot's code read by the policy of its folder: what was found, the worst first."""
    found = await _analysed(request, data)
    by_place: dict[str, list[Violation]] = {}
    for each in judged(found.policy, found.findings):
        by_place.setdefault(_place(each), []).append(_violation(each))
    return [Violations(Place(place), violations) for place, violations in by_place.items()]


@get("/v1/policy/bot/analysis/download/{report:str}", needs=Permission.READ_PACKAGES, pair=_VIEW)
async def download_report(request: Asking, report: Id) -> Response[bytes]:
    """Download the report of an analysis by the name that its summary tells: comma-separated values."""
    named = _FILE.fullmatch(report)
    if named is None:
        raise AnalysisNotFound
    located = await find(request, CODE_ANALYSIS, named[1])
    found = await store.get(request.db, located.scope, located.id)
    return Response(
        _report(judged(found.policy, found.findings)),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{report}"'},
    )


async def _analysed(request: Asking, asked: AnalyseBot) -> Analysis:
    node = await nodes.get(request.db, await rights_of(request.db, request.actor), asked.file_id)
    if node.kind not in {NodeKind.TASK, NodeKind.PACKAGE} or node.workspace_id is None:
        raise Invalid(f"{node.name} is no bot of the public workspace: there is no code in it", code="NOT_A_BOT")
    scope = Of(node.organization_id, (node.workspace_id,))
    package = await packages.get(request.db, scope, PackageId(node.container_id))
    if package.latest is None:
        raise Invalid(f"{node.name} has no content yet", code="PACKAGE_EMPTY")
    latest = package.latest
    content = Content(name=package.name, hash=latest.hash, size=latest.size, folder=latest.folder)

    def waiting(watch: Watch, /) -> AbstractAsyncContextManager[Hold]:
        return request.holds.hold(request, watch, _SECONDS)

    return await actions.analyse(request.engine, scope, content, package.id, by(request.actor), waiting=waiting)


def _place(found: Judged) -> str:
    finding = found.finding
    return f"{finding.path}:{finding.line}:{finding.column}"


def _violation(found: Judged) -> Violation:
    finding = found.finding
    return Violation(finding.rule, finding.label, found.severity.value.upper(), actions.told(found))


_COLUMNS: Final = ("file", "line", "column", "ruleName", "ruleLabel", "ruleSeverity", "ruleErrorMessage")


def _report(found: Sequence[Judged]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for each in found:
        finding = each.finding
        place = (inert(finding.path), finding.line, finding.column)
        writer.writerow((*place, finding.rule, finding.label, each.severity.value.upper(), inert(finding.message)))
    return text.getvalue().encode()

"""Code policies, and what is found in the code of a package (our own management API)."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.long_polls import Hold
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access.scope import by
from controlroom.engine.analyses import actions, model, policies, rules, store
from controlroom.engine.packages import store as packages
from controlroom.engine.repository import nodes
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.wakes import Watch
from controlroom.errors import NotFound
from controlroom.ids import CodeAnalysisId, CodePolicyId, PackageId
from controlroom.protocol import Finding

_LONGEST_SECONDS: Final = 600.0
_USUAL_SECONDS: Final = 60.0


class PolicyAnswer(Shape, frozen=True, kw_only=True):
    """What is looked for in code, and what a workspace or folder that has it refuses."""

    id: CodePolicyId
    number: int
    name: str
    rules: list[str]
    high: list[str]
    critical: list[str]
    refuses: model.Severity | None
    created_at: datetime
    updated_at: datetime


class PolicyRequest(OwnBody, frozen=True, kw_only=True):
    """A policy: rules by code (`S602`) or by how several begin (`S6`); what is neither high nor critical is low."""

    name: str
    rules: list[str]
    high: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    refuses: model.Severity | None = None
    """A package with a finding that is so bad, or worse, is not taken; null: every one is."""


class GivePolicy(OwnBody, frozen=True):
    """Which policy a workspace or folder shall have; null: the usual one, or that of what is above the folder."""

    policy_id: CodePolicyId | None


class PolicyInForce(Shape, frozen=True, kw_only=True):
    """The rules that hold for a workspace or in a folder."""

    name: str
    rules: list[str]
    high: list[str]
    critical: list[str]
    refuses: model.Severity | None


class AnalyseRequest(OwnBody, frozen=True, kw_only=True):
    """How long to wait for a worker that reads the code."""

    wait_seconds: Annotated[float, Meta(ge=0, le=_LONGEST_SECONDS)] = _USUAL_SECONDS


class FindingAnswer(Shape, frozen=True, kw_only=True):
    """Something in the code that the policy minds."""

    severity: model.Severity
    rule: str
    label: str
    message: str
    path: str
    line: int
    column: int


class AnalysisAnswer(Shape, frozen=True, kw_only=True):
    """What was found, the worst first."""

    id: CodeAnalysisId
    number: int
    policy: str
    low: int
    high: int
    critical: int
    findings: list[FindingAnswer]


@get("/code-policies", needs=Permission.READ_PACKAGES)
async def list_code_policies(request: Asking, paging: Pages) -> Page[PolicyAnswer]:
    """List the code policies of the organization, oldest first."""
    organization = request.actor.organization_id
    return paging.page(await store.policies(request.db, organization, **paging.after(CodePolicyId)), _show)


@post("/code-policies", needs=Permission.READ_PACKAGES)
async def create_code_policy(request: Asking, data: Body[PolicyRequest]) -> PolicyAnswer:
    """Create a code policy, for who may make workspaces."""
    return _show(await policies.write(*request.governing, _rules(data)))


@get("/code-policies/{policy_id:uuid}", needs=Permission.READ_PACKAGES)
async def get_code_policy(request: Asking, policy_id: Path[CodePolicyId]) -> PolicyAnswer:
    """Get a code policy."""
    return _show(await store.policy(request.db, request.actor.organization_id, policy_id))


@update("/code-policies/{policy_id:uuid}", needs=Permission.READ_PACKAGES)
async def update_code_policy(request: Asking, policy_id: Path[CodePolicyId], data: Body[PolicyRequest]) -> PolicyAnswer:
    """Replace a code policy; packages that are there stay."""
    return _show(await policies.write(*request.governing, _rules(data), policy_id))


@delete("/code-policies/{policy_id:uuid}", needs=Permission.READ_PACKAGES)
async def delete_code_policy(request: Asking, policy_id: Path[CodePolicyId]) -> Deleted:
    """Delete a code policy that no workspace and no folder has."""
    return await Deleted.after(policy_id, policies.delete(*request.governing, policy_id))


@get("/code-policy", needs=Permission.READ_PACKAGES)
async def get_policy_in_force(request: Asking) -> PolicyInForce:
    """Get the rules by which packages of the workspace are read."""
    return _in_force(await actions.policy_of(request.engine, request.seen))


@update("/code-policy", needs=Permission.READ_PACKAGES)
async def give_code_policy(request: Asking, data: Body[GivePolicy]) -> PolicyInForce:
    """Give the workspace a code policy."""
    await policies.give(*request.acting, data.policy_id)
    found = (
        None
        if data.policy_id is None
        else await store.policy(request.db, request.actor.organization_id, data.policy_id)
    )
    return _in_force(found or rules.DEFAULT)


@get("/repository/{node_id:uuid}/code-policy", needs=Permission.READ_PACKAGES)
async def get_policy_of_folder(request: Asking, node_id: Path[UUID]) -> PolicyInForce:
    """Get the rules that hold in a folder or for a task package: of the nearest folder above that has some."""
    return _in_force(await actions.policy_of(request.engine, request.seen, await _place(request, node_id)))


@update("/repository/{node_id:uuid}/code-policy", needs=Permission.READ_PACKAGES)
async def give_folder_code_policy(request: Asking, node_id: Path[UUID], data: Body[GivePolicy]) -> PolicyInForce:
    """Give a folder a code policy, which holds below it until a nearer one; null: what is above decides."""
    await policies.give_folder(*request.acting, node_id, data.policy_id)
    return _in_force(await actions.policy_of(request.engine, request.seen, node_id))


async def _place(request: Asking, node: UUID) -> UUID:
    found = await nodes.get(request.db, await rights_of(request.db, request.actor), node)
    if found.workspace_id != request.workspace:
        raise NodeNotFound(node)
    return found.container_id


@post("/task-packages/{package_id:uuid}/code-analysis", needs=Permission.READ_PACKAGES)
async def analyse_task_package(
    request: Asking, package_id: Path[PackageId], data: Body[AnalyseRequest | None] = None
) -> AnalysisAnswer:
    """Have a worker read the code of the latest version of a package, and tell what the workspace's policy minds."""
    package = await packages.get(*request.reading, package_id)
    if package.latest is None:
        raise NotFound("the package has no content yet", code="PACKAGE_EMPTY")
    latest = package.latest
    content = model.Content(name=package.name, hash=latest.hash, size=latest.size, folder=latest.folder)
    seconds = (data or AnalyseRequest()).wait_seconds

    def waiting(watch: Watch, /) -> AbstractAsyncContextManager[Hold]:
        return request.holds.hold(request, watch, seconds)

    whole = request.engine, request.seen
    found = await actions.analyse(*whole, content, package_id, by(request.actor), waiting=waiting)
    judged = rules.judged(found.policy, found.findings)
    counted = rules.counts(judged)
    return AnalysisAnswer(
        id=found.id,
        number=found.number,
        policy=found.policy.name,
        low=counted[model.Severity.LOW],
        high=counted[model.Severity.HIGH],
        critical=counted[model.Severity.CRITICAL],
        findings=[_finding(each.finding, each.severity) for each in judged],
    )


def _rules(asked: PolicyRequest) -> model.Rules:
    return model.Rules(
        name=asked.name,
        rules=tuple(asked.rules),
        high=asked.high,
        critical=asked.critical,
        refuses=asked.refuses,
    )


def _in_force(found: model.Rules) -> PolicyInForce:
    return PolicyInForce(
        name=found.name,
        rules=[*found.rules],
        high=[*found.high],
        critical=[*found.critical],
        refuses=found.refuses,
    )


def _finding(found: Finding, severity: model.Severity) -> FindingAnswer:
    return FindingAnswer(
        severity=severity,
        rule=found.rule,
        label=found.label,
        message=found.message,
        path=found.path,
        line=found.line,
        column=found.column,
    )


_show = shown_as(
    PolicyAnswer,
    model.CodePolicy,
    rules=lambda policy: [*policy.rules],
    high=lambda policy: [*policy.high],
    critical=lambda policy: [*policy.critical],
)

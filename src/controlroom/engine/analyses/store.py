"""Statements on code policies and analyses."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from controlroom.engine.access.scope import EACH, SEEN, Of, Scope, ScopedTx
from controlroom.engine.analyses.errors import AnalysisNotFound, PolicyNameTaken, PolicyNotFound
from controlroom.engine.analyses.model import Analysis, CodePolicy, Content, Rules
from controlroom.engine.nouns import InOrganization, InWorkspace, Noun
from controlroom.ids import CodeAnalysisId, CodePolicyId, OrganizationId, WorkerId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first
from controlroom.protocol import Finding

CODE_POLICY: Final = Noun[CodePolicyId](
    "code policy",
    PolicyNotFound,
    "code_policy",
    InOrganization("code_policy.organization_id"),
    name="code_policy.name",
    folds=True,
)
CODE_ANALYSIS: Final = Noun[CodeAnalysisId](
    "code analysis", AnalysisNotFound, "code_analysis", InWorkspace("code_analysis.workspace_id")
)

_POLICY = """code_policy.id, code_policy.number, code_policy.organization_id, code_policy.name, code_policy.rules,
    code_policy.high, code_policy.critical, code_policy.refuses, code_policy.created_at, code_policy.updated_at"""
_ANALYSIS = """code_analysis.id, code_analysis.number, code_analysis.workspace_id, code_analysis.package_name,
    code_analysis.package_hash, code_analysis.policy, code_analysis.state, code_analysis.findings,
    code_analysis.message, code_analysis.asked_at, code_analysis.asked_by, code_analysis.ended_at"""

LEASE_SECONDS: Final = 90
"""So long a worker may take; then another one has it. Why: it is ended after 60 of them."""
MOST_ATTEMPTS: Final = 3


# ---------------------------------------------------------------------------------------------------- policies
async def policies(
    db: Statements, organization: OrganizationId, *, after: CodePolicyId | None = None, limit: int
) -> list[CodePolicy]:
    """The policies of an organization, oldest first."""
    return await db.all(
        CodePolicy,
        f"""select {_POLICY} from code_policy
             where organization_id = %(organization)s {oldest_first("code_policy.id")}""",
        organization=organization,
        after=after,
        limit=limit,
    )


async def policy(db: Statements, organization: OrganizationId, which: CodePolicyId) -> CodePolicy:
    """One policy; raises PolicyNotFound."""
    found = await db.one_or_none(
        CodePolicy,
        f"select {_POLICY} from code_policy where organization_id = %(organization)s and id = %(which)s",
        organization=organization,
        which=which,
    )
    if found is None:
        raise PolicyNotFound
    return found


async def write_policy(
    tx: ScopedTx, organization: OrganizationId, which: CodePolicyId, rules: Rules, by: UUID | None
) -> None:
    """Write a policy, new or not. Raises PolicyNameTaken, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            insert into code_policy (id, organization_id, name, rules, high, critical, refuses, created_by)
            values (%(which)s, %(organization)s, %(name)s, %(rules)s, %(high)s, %(critical)s, %(refuses)s, %(by)s)
            on conflict (id) do update
               set name = excluded.name, rules = excluded.rules, high = excluded.high, critical = excluded.critical,
                   refuses = excluded.refuses, updated_at = clock_now()
             where code_policy.organization_id = excluded.organization_id
            """,
            which=which,
            organization=organization,
            name=rules.name,
            rules=list(rules.rules),
            high=list(rules.high),
            critical=list(rules.critical),
            refuses=rules.refuses,
            by=by,
        )
    except UniqueViolation as taken:
        raise PolicyNameTaken(rules.name) from taken


async def delete_policy(tx: ScopedTx, organization: OrganizationId, which: CodePolicyId) -> bool:
    """Delete a policy; raises ForeignKeyViolation where workspaces have it."""
    return bool(
        await tx.execute(
            "delete from code_policy where organization_id = %(organization)s and id = %(which)s",
            organization=organization,
            which=which,
        )
    )


async def policy_of(db: Statements, scope: Scope) -> CodePolicy | None:
    """The policy that the workspace has; None: it has none."""
    return await db.one_or_none(
        CodePolicy,
        f"""
        select {_POLICY} from workspace join code_policy on code_policy.id = workspace.code_policy_id
         where workspace.id = {SEEN}
        """,
        **scope.params,
    )


async def give_policy(tx: ScopedTx, scope: Scope, which: CodePolicyId | None) -> bool:
    """Give a workspace a policy of its organization, or none; False if either is not there."""
    return bool(
        await tx.execute(
            f"""
            update workspace set code_policy_id = %(which)s
             where workspace.id = {SEEN}
               and (%(which)s::uuid is null or exists (
                       select from code_policy where id = %(which)s and organization_id = %(organization)s))
            """,
            which=which,
            **scope.params,
        )
    )


# ---------------------------------------------------------------------------------------------------- analyses
async def known(db: Statements, scope: Scope, content: Content, policy: Rules) -> Analysis | None:
    """What was found in the same content by the same rules, if that is known."""
    return await db.one_or_none(
        Analysis,
        f"""
        select {_ANALYSIS} from code_analysis
         where workspace_id = {SEEN} and package_hash = %(hash)s and state = 'done'
           and package_folder is not distinct from %(folder)s and policy -> 'rules' = %(rules)s::jsonb
         order by asked_at desc limit 1
        """,
        hash=content.hash,
        folder=content.folder,
        rules=list(policy.rules),
        **scope.params,
    )


async def get(db: Statements, scope: Scope, which: CodeAnalysisId) -> Analysis:
    """One analysis; raises AnalysisNotFound."""
    found = await db.one_or_none(
        Analysis,
        f"select {_ANALYSIS} from code_analysis where workspace_id = {SEEN} and id = %(which)s",
        which=which,
        **scope.params,
    )
    if found is None:
        raise AnalysisNotFound
    return found


async def ask(
    tx: ScopedTx, scope: Scope, which: CodeAnalysisId, content: Content, policy: Rules, by: UUID | None
) -> bool:
    """Write that a package is to be read; what was asked a month ago goes. False if the workspace is gone."""
    await tx.execute(
        f"delete from code_analysis where workspace_id = {SEEN} and asked_at < clock_now() - interval '30 days'",
        **scope.params,
    )
    return bool(
        await tx.execute(
            f"""
            insert into code_analysis (id, workspace_id, package_name, package_hash, package_size, package_folder,
                                       policy, asked_by)
            select %(which)s, seen.id, %(name)s, %(hash)s, %(size)s, %(folder)s, %(policy)s::jsonb, %(by)s
              from {SEEN} as seen
            """,
            which=which,
            name=content.name,
            hash=content.hash,
            size=content.size,
            folder=content.folder,
            policy=policy,
            by=by,
            **scope.params,
        )
    )


class Claimed(msgspec.Struct, frozen=True):
    """What a worker is to read."""

    id: CodeAnalysisId
    attempt: int
    package_name: str
    package_hash: str
    package_size: int
    package_folder: str | None
    policy: Rules


async def claim(tx: Statements, scope: Of, worker: WorkerId) -> Claimed | None:
    """Hand a worker what has waited longest; of what another one has not brought back in time, likewise."""
    return await tx.one_or_none(
        Claimed,
        f"""
        update code_analysis
           set state = 'claimed', attempt = attempt + 1, worker_id = %(worker)s,
               leased_until = clock_now() + make_interval(secs => %(seconds)s)
         where id = (
            select id from code_analysis
             where workspace_id in {EACH} and attempt < %(most)s
               and (state = 'waiting' or (state = 'claimed' and leased_until < clock_now()))
             order by asked_at, id limit 1
               for update skip locked)
        returning id, attempt, package_name, package_hash, package_size, package_folder, policy
        """,
        worker=worker,
        seconds=LEASE_SECONDS,
        most=MOST_ATTEMPTS,
        **scope.each,
    )


async def finish(
    tx: Statements,
    scope: Of,
    worker: WorkerId,
    which: CodeAnalysisId,
    attempt: int,
    findings: Sequence[Finding],
    message: str,
) -> bool:
    """Write what a worker has found, or why it has not; False if the attempt is not its any more."""
    return bool(
        await tx.execute(
            f"""
            update code_analysis
               set state = case when %(message)s = '' then 'done' else 'failed' end, findings = %(findings)s::jsonb,
                   message = %(message)s, ended_at = clock_now(), leased_until = null
             where id = %(which)s and workspace_id in {EACH} and worker_id = %(worker)s and attempt = %(nth)s
               and state = 'claimed'
            """,
            which=which,
            worker=worker,
            nth=attempt,
            findings=list(findings),
            message=message,
            **scope.each,
        )
    )


async def size_of(db: Statements, scope: Of, worker: WorkerId, digest: str) -> int | None:
    """How large a content is that a worker is to read; None for any other: nobody fetches what is not theirs."""
    found: int | None = await db.value(
        f"""
        select package_size from code_analysis
         where workspace_id in {EACH} and worker_id = %(worker)s and package_hash = %(digest)s and state = 'claimed'
         limit 1
        """,
        worker=worker,
        digest=digest,
        **scope.each,
    )
    return found

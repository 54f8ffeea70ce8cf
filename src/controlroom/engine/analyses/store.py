"""Statements on code policies and analyses."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import msgspec

from controlroom.engine.access.scope import EACH, SEEN, Of, Scope, ScopedTx
from controlroom.engine.analyses.errors import AnalysisNotFound, PolicyNameTaken, PolicyNotFound
from controlroom.engine.analyses.model import Analysis, CodePolicy, Content, PlaceOfPolicy, Result, Rules
from controlroom.engine.analyses.rules import DEFAULT
from controlroom.engine.nouns import InOrganization, InWorkspace, Noun
from controlroom.ids import CodeAnalysisId, CodePolicyId, OrganizationId, PackageId, WorkerId
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
    """Delete a policy; raises ForeignKeyViolation where workspaces or folders have it."""
    return bool(
        await tx.execute(
            "delete from code_policy where organization_id = %(organization)s and id = %(which)s",
            organization=organization,
            which=which,
        )
    )


_IN_FORCE: Final = """
          left join lateral (
               select above.code_policy_id from repository_file as above
                where above.id in (select unnest(folder.above) from repository_file as folder
                                    where folder.id = {folder} and folder.workspace_id = workspace.id)
                  and above.code_policy_id is not null
                order by cardinality(above.above) desc limit 1) as nearest on true
          {join} code_policy on code_policy.id = coalesce(nearest.code_policy_id, workspace.code_policy_id)"""
"""The policy of the nearest folder above that has one, else of the `workspace`."""


async def policy_of(db: Statements, scope: Scope, place: UUID | None = None) -> CodePolicy | None:
    """The policy that holds for a package or in a folder of the workspace: of the nearest above; None: none has one.

    Without a place it is the workspace's own.
    """
    folder = """coalesce((select package.folder_id from package
                                 where package.id = %(place)s and package.workspace_id = workspace.id), %(place)s)"""
    return await db.one_or_none(
        CodePolicy,
        f"select {_POLICY} from workspace {_IN_FORCE.format(folder=folder, join='join')} where workspace.id = {SEEN}",
        place=place,
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


async def give_folder_policy(tx: ScopedTx, scope: Scope, folder: UUID, which: CodePolicyId | None) -> bool:
    """Likewise a folder of the workspace; without one, what is above decides again."""
    return bool(
        await tx.execute(
            f"""
            update repository_file set code_policy_id = %(which)s
             where id = %(folder)s and workspace_id = {SEEN} and is_folder and deleted_at is null
               and (%(which)s::uuid is null or exists (
                       select from code_policy where id = %(which)s and organization_id = %(organization)s))
            """,
            folder=folder,
            which=which,
            **scope.params,
        )
    )


async def folder_policy(db: Statements, scope: Scope, folder: UUID) -> CodePolicy | None:
    """The policy that a folder of the workspace has itself; None: what is above decides."""
    return await db.one_or_none(
        CodePolicy,
        f"""
        select {_POLICY} from repository_file as folder join code_policy on code_policy.id = folder.code_policy_id
         where folder.id = %(folder)s and folder.workspace_id = {SEEN} and folder.deleted_at is null
        """,
        folder=folder,
        **scope.params,
    )


async def places_of(db: Statements, scope: Of, which: CodePolicyId, *, limit: int) -> list[PlaceOfPolicy]:
    """Where a policy holds, of the workspaces that the asker sees: these themselves, then folders, by name."""
    return await db.all(
        PlaceOfPolicy,
        f"""
        select workspace.id as workspace_id, workspace.name as workspace_name, null::bigint as folder_number,
               '' as folder_name
          from workspace
         where workspace.code_policy_id = %(which)s and workspace.id in {EACH} and workspace.deleted_at is null
        union all
        select workspace.id, workspace.name, folder.number, folder.name
          from repository_file as folder join workspace on workspace.id = folder.workspace_id
         where folder.code_policy_id = %(which)s and folder.workspace_id in {EACH} and folder.deleted_at is null
         order by workspace_name, folder_name, folder_number
         limit %(limit)s
        """,
        which=which,
        limit=limit,
        **scope.each,
    )


async def is_folder(db: Statements, scope: Scope, folder: UUID) -> bool:
    """Whether something is a folder of the workspace."""
    return bool(
        await db.value(
            f"""
            select exists (select from repository_file
                            where id = %(folder)s and workspace_id = {SEEN} and is_folder and deleted_at is null)
            """,
            folder=folder,
            **scope.params,
        )
    )


# ---------------------------------------------------------------------------------------------------- analyses
async def results(db: Statements, scope: Of, packages: Collection[PackageId]) -> list[Result]:
    """What was found in the latest versions of packages by the rules that hold for them, of those that were read."""
    return await db.all(
        Result,
        f"""
        select package.id as package, coalesce(code_policy.rules, %(rules)s::text[]) as rules,
               coalesce(code_policy.high, %(high)s::text[]) as high,
               coalesce(code_policy.critical, %(critical)s::text[]) as critical, analysis.findings
          from package
          join workspace on workspace.id = package.workspace_id
               {_IN_FORCE.format(folder="package.folder_id", join="left join")}
         cross join lateral (select hash, folder from package_version where package_id = package.id
                              order by version desc limit 1) as latest
         cross join lateral (
               select findings from code_analysis
                where code_analysis.workspace_id = package.workspace_id and package_hash = latest.hash
                  and state = 'done' and package_folder is not distinct from latest.folder
                  and policy -> 'rules' = to_jsonb(coalesce(code_policy.rules, %(rules)s::text[]))
                order by asked_at desc limit 1) as analysis
         where package.id = any(%(packages)s::uuid[]) and package.workspace_id in {EACH}
        """,
        packages=list(packages),
        rules=list(DEFAULT.rules),
        high=list(DEFAULT.high),
        critical=list(DEFAULT.critical),
        **scope.each,
    )


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

"""The verbs of code policies, which belong to an organization: who may make its workspaces makes them."""

from uuid import UUID

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ensure_seen, scope_of, scoped
from controlroom.engine.analyses import store
from controlroom.engine.analyses.errors import FolderWithoutCode, PolicyInUse, PolicyInvalid, PolicyNotFound
from controlroom.engine.analyses.model import CodePolicy, Rules
from controlroom.engine.analyses.rules import DEFAULT, checked_codes
from controlroom.engine.engine import Engine
from controlroom.ids import CodePolicyId, WorkspaceId, uuid7
from controlroom.postgres.errors import ForeignKeyViolation


async def write(engine: Engine, actor: Actor, rules: Rules, which: CodePolicyId | None = None) -> CodePolicy:
    """Make a policy, or (`which`) change one. Raises PolicyInvalid, PolicyNameTaken, PolicyNotFound."""
    _ensure_may_write(actor)
    rules = _checked(rules)
    policy = which or CodePolicyId(uuid7())
    async with scoped(engine.database, actor.organization_id) as tx:
        if which is not None:
            await store.policy(tx, actor.organization_id, which)
        await store.write_policy(tx, actor.organization_id, policy, rules, actor.id)
        kind = "code_policy.created" if which is None else "code_policy.updated"
        await record(engine, tx, actor, actor.organization_id, kind, policy, name=rules.name)
        return await store.policy(tx, actor.organization_id, policy)


async def delete(engine: Engine, actor: Actor, which: CodePolicyId) -> None:
    """Delete a policy that no workspace and no folder has. Raises PolicyInUse, PolicyNotFound."""
    _ensure_may_write(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        gone = await store.policy(tx, actor.organization_id, which)
        try:
            await store.delete_policy(tx, actor.organization_id, which)
        except ForeignKeyViolation as used:
            raise PolicyInUse from used
        await record(engine, tx, actor, actor.organization_id, "code_policy.deleted", which, name=gone.name)


async def give(engine: Engine, actor: Actor, workspace: WorkspaceId, which: CodePolicyId | None) -> None:
    """Give a workspace a policy of its organization; None: the usual one. Raises PolicyNotFound."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        if not await store.give_policy(tx, scope, which):
            raise PolicyNotFound
        await record(engine, tx, actor, scope, "code_policy.given", which)


async def give_folder(
    engine: Engine, actor: Actor, workspace: WorkspaceId, folder: UUID, which: CodePolicyId | None
) -> None:
    """Give a folder of a workspace a policy, which holds below it until a nearer one; None: what is above decides.

    Raises FolderWithoutCode, PolicyNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        if not await store.is_folder(tx, scope, folder):
            raise FolderWithoutCode
        if not await store.give_folder_policy(tx, scope, folder, which):
            raise PolicyNotFound
        await record(engine, tx, actor, scope, "code_policy.given", which, folder=str(folder))


def _ensure_may_write(actor: Actor) -> None:
    if not actor.uses(Permission.WRITE_WORKSPACES, None):
        raise NotOfOrganization(Permission.WRITE_WORKSPACES)


def _checked(rules: Rules) -> Rules:
    name = checked_name(rules.name, what="policy's name")
    if name.casefold() == DEFAULT.name.casefold():
        raise PolicyInvalid(f"{DEFAULT.name} is what a workspace without a policy has")
    wanted = checked_codes(rules.rules, what="rules")
    if not wanted:
        raise PolicyInvalid("a policy names the rules that it minds")
    return Rules(
        name=name,
        rules=wanted,
        high=checked_codes(rules.high, what="high"),
        critical=checked_codes(rules.critical, what="critical"),
        refuses=rules.refuses,
    )

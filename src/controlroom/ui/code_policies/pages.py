"""Code policies: what a package's code must not do, where each holds, and what was found by them."""

from typing import Final

from controlroom.engine.access import history
from controlroom.engine.access.places import place_of
from controlroom.engine.analyses import policies, rules, store
from controlroom.engine.analyses.listings import CODE_POLICIES, ListedPolicy
from controlroom.engine.analyses.model import CodePolicy, Rules, Severity
from controlroom.engine.analyses.store import CODE_POLICY
from controlroom.engine.lists.model import Within
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import CodePolicyId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.filters import Choice
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import POLICIES
from controlroom.ui.pickers.picker import Offer
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="code-policies",
    name="Code policies",
    path="/code-policies",
    icon="code",
    needs=Permission.READ_PACKAGES,
    is_rare=True,
)
_READS: Final = Permission.READ_PACKAGES
_MOST: Final = 500
_WRITE: Final = in_organization(Permission.WRITE_WORKSPACES)
SEVERITIES: Final = {Severity.LOW: "low", Severity.HIGH: "high", Severity.CRITICAL: "critical"}
"""How bad a finding is, in words; the same order as the engine's."""
REFUSES: Final = (
    ("", "Nothing: it only tells"),
    (Severity.CRITICAL.value, "What is critical"),
    (Severity.HIGH.value, "What is high or critical"),
    (Severity.LOW.value, "Whatever it finds"),
)
_LIST: Final = ListPage(
    listing=CODE_POLICIES,
    row=ListedPolicy,
    path="/code-policies",
    noun="code policies",
    noun_of_one="code policy",
    topics="code_policy",
    filters=(Choice("refuses", "Refuses", "refuses", {key: said for key, said in REFUSES if key}),),
    columns=(
        Col("name", "Policy", sort="name", always=True),
        Col("rules", "Looks for", csv=lambda row: " ".join(row.rules)),
        Col("refuses", "Refuses", always=True),
        Col("places", "Holds in", is_number=True),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/code-policies", needs=_READS)
async def list_policies(request: Asking) -> Shown:
    """Those of the organization, and by which one packages of this workspace are read."""
    seen = Within.one("%(organization)s", organization=request.actor.organization_id)
    here = await store.policy_of(*request.reading)
    return await request.show(
        "code_policies/list.html",
        title="Code policies",
        at="code-policies",
        found=await _LIST.read(request, seen=seen),
        here=here,
        usual=rules.DEFAULT,
        offered=await offered(request, None if here is None else here.id),
        refuses=dict(REFUSES),
    )


@page("/code-policies/new", needs=_READS)
async def ask_for_policy(request: Asking) -> Shown:
    """What it looks for, and what it refuses."""
    usual = rules.DEFAULT
    pairs = [(name, ", ".join(getattr(usual, name))) for name in ("rules", "high", "critical")]
    return await _form(request, None, Fields(pairs))


@verb("/code-policies/new", may=_WRITE)
async def create_policy(request: Asking) -> Shown:
    """Make it; it holds nowhere until a workspace or folder has it."""
    fields = await request.fields()
    made, refused = await tried(_written(request, fields, None))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    here = f"{request.base}/code-policies/{made.number}"
    return request.done(here, f"The policy {made.name} is made. Give it to a workspace or a folder.")


@verb("/code-policies/give", may=Permission.WRITE_WORKSPACE)
async def give_policy(request: Asking) -> Shown:
    """Have the packages of this workspace read by a policy; by none: by the usual one."""
    fields = await request.fields()
    before = await store.policy_of(request.db, request.scope_for(Permission.WRITE_WORKSPACE))
    named = await POLICIES.chosen(request, fields.text("policy"))
    wanted = await policy_id(request, named) if named else None
    await policies.give(*request.acting, wanted)
    was = {"policy": "" if before is None else str(before.number)}
    said = "Packages that are brought from now on are read by it."
    here = f"{request.base}/code-policies"
    return request.done(here, said, undo=f"{here}/give", undo_with=was)


@page("/code-policies/{number:str}", needs=_READS)
async def show_policy(request: Asking, number: Path[str]) -> Shown:
    """What it looks for, how bad that is, and where it holds."""
    policy = await _policy(request, number)
    ensure_number(request, number, policy.number)
    return await request.show(
        "code_policies/policy.html",
        title=policy.name,
        at="code-policies",
        crumbs=_way(request, policy),
        policy=policy,
        here=f"{request.base}/code-policies/{policy.number}",
        judged=[(code, SEVERITIES[rules.severity_of(policy, code)]) for code in policy.rules],
        refuses=dict(REFUSES),
        places=await store.places_of(request.db, place_of(request.actor, _READS).scope, policy.id, limit=_MOST),
        most=_MOST,
        base_of=lambda workspace: f"/w/{found[0]}" if (found := request.workspaces.find(str(workspace))) else "",
        changes=await history.changes_of(*request.reading, policy.id),
    )


@page("/code-policies/{number:str}/edit", needs=_READS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name, what it looks for, and what it refuses."""
    policy = await _policy(request, number)
    pairs = [(name, ", ".join(getattr(policy, name))) for name in ("rules", "high", "critical")]
    refuses = "" if policy.refuses is None else policy.refuses.value
    return await _form(request, policy, Fields([*pairs, ("name", policy.name), ("refuses", refuses)]))


@verb("/code-policies/{number:str}/edit", may=_WRITE)
async def edit_policy(request: Asking, number: Path[str]) -> Shown:
    """Change it; packages that are there stay."""
    fields = await request.fields()
    before = await _policy(request, number)
    _, refused = await tried(_written(request, fields, before.id))
    if refused:
        return await _form(request, before, fields, refused=refused)
    here = f"{request.base}/code-policies/{before.number}"
    said = "It is changed. Packages that are there stay."
    return request.done(here, said, undo=f"{here}/edit", undo_with=_said(before))


@page("/code-policies/{number:str}/delete", needs=_READS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost, and whether it holds somewhere."""
    return await _question(request, await _policy(request, number))


@verb("/code-policies/{number:str}/delete", may=_WRITE)
async def delete_policy(request: Asking, number: Path[str]) -> Shown:
    """Delete it, if no workspace and no folder has it."""
    policy = await _policy(request, number)
    _, refused = await tried(policies.delete(*request.governing, policy.id))
    if refused:
        return await _question(request, policy, refused=refused)
    again = f"{request.base}/code-policies/new"
    said = f"The policy {policy.name} is deleted."
    return request.done(f"{request.base}/code-policies", said, undo=again, undo_with=_said(policy))


async def policy_id(request: Asking, named: str) -> CodePolicyId:
    """The policy of the organization of an id, number or name. Raises PolicyNotFound."""
    found: CodePolicyId = await resolve(request.db, request.scope_for(_READS), CODE_POLICY, named)
    return found


async def offered(request: Asking, now: CodePolicyId | None) -> Offer | None:
    """The policies that may be given, with the one that is given now; None for who gives none."""
    if not request.actor.may(Permission.WRITE_WORKSPACE, request.workspace):
        return None
    return await POLICIES.offered(request, str(now or ""))


def _said(policy: CodePolicy) -> dict[str, str]:
    """It as a form says it."""
    return {
        "name": policy.name,
        "rules": ", ".join(policy.rules),
        "high": ", ".join(policy.high),
        "critical": ", ".join(policy.critical),
        "refuses": "" if policy.refuses is None else policy.refuses.value,
    }


async def _written(request: Asking, fields: Fields, which: CodePolicyId | None) -> CodePolicy:
    """The policy that a form says. Raises Invalid, Conflict."""
    refuses = fields.text("refuses")
    if refuses not in dict(REFUSES):
        raise Invalid("there is no such severity", code="CODE_POLICY_INVALID")
    wanted = Rules(
        name=fields.text("name"),
        rules=tuple(fields.words("rules")),
        high=tuple(fields.words("high")),
        critical=tuple(fields.words("critical")),
        refuses=Severity(refuses) if refuses else None,
    )
    return await policies.write(*request.governing, wanted, which)


async def _policy(request: Asking, named: str) -> CodePolicy:
    return await store.policy(request.db, request.actor.organization_id, await policy_id(request, named))


def _way(request: Asking, policy: CodePolicy | None, last: str = "") -> list[Crumb]:
    its = None if policy is None else (policy.name, f"/code-policies/{policy.number}")
    return request.way(("Code policies", "/code-policies"), its, last)


async def _question(request: Asking, policy: CodePolicy, *, refused: str = "") -> Shown:
    return await request.show(
        "code_policies/delete.html",
        title=f"Delete {policy.name}",
        at="code-policies",
        crumbs=_way(request, policy, "Delete"),
        status=REFUSED if refused else 200,
        policy=policy,
        refused=refused,
    )


async def _form(request: Asking, policy: CodePolicy | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "code_policies/form.html",
        title="New code policy" if policy is None else f"Edit {policy.name}",
        at="code-policies",
        crumbs=_way(request, policy, "New policy" if policy is None else "Edit"),
        status=REFUSED if refused else 200,
        policy=policy,
        fields=fields,
        refuses=REFUSES,
        refused=refused,
    )

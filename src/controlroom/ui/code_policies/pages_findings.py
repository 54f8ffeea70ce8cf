"""What is found in the code of a package by the policy of its place; and which policy a folder has."""

from contextlib import AbstractAsyncContextManager
from typing import Final

from controlroom.border.long_polls import Hold
from controlroom.engine.access.scope import by
from controlroom.engine.analyses import actions, policies, rules, store
from controlroom.engine.analyses.errors import NotAnalysed
from controlroom.engine.analyses.model import Content, Rules, Severity
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.model import Package
from controlroom.engine.packages.store import PACKAGE
from controlroom.engine.references import resolve
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import NodeKind
from controlroom.engine.wakes import Watch
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.code_policies.pages import policy_id
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import POLICIES
from controlroom.ui.refusals import REFUSED, said
from controlroom.ui.repository.pages import node_of
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_PACKAGES
_SECONDS: Final = 10.0
"""How long the verb waits for a worker, who mostly takes one. Why so short: somebody looks at a page that loads."""
_MOST: Final = 500
"""Findings that are shown: a reading brings up to 2,000, the worst come first."""


@page("/packages/{number:str}/code", needs=_READS, is_read=True)
async def show_findings(request: Asking, number: Path[str]) -> Shown:
    """What was found in the latest version, as far as it was read by the rules that hold now."""
    package = await _package(request, number)
    ensure_number(request, number, package.number)
    return await _show(request, package)


@verb("/packages/{number:str}/code", may=Permission.WRITE_PACKAGES)
async def analyse(request: Asking, number: Path[str]) -> Shown:
    """Have a worker read it; nothing of it runs. The same content is read by the same rules once."""
    seen, package = request.scope_for(Permission.WRITE_PACKAGES), await _package(request, number)
    await request.body()

    def waiting(watch: Watch, /) -> AbstractAsyncContextManager[Hold]:
        return request.holds.hold(request, watch, _SECONDS)

    content = _content(package)
    if content is None:
        return await _show(request, package, refused="The package has no content yet")
    try:
        found = await actions.analyse(request.engine, seen, content, package.id, by(request.actor), waiting=waiting)
    except NotAnalysed as refused:
        return await _show(request, package, refused=said(refused))
    count = len(found.findings)
    told = f"{count:,} finding{'' if count == 1 else 's'}." if count else "It is read, and nothing was found."
    return request.done(f"{request.base}/packages/{package.number}/code", told)


@verb("/repository/{number:str}/code-policy", may=Permission.WRITE_WORKSPACE)
async def give_folder(request: Asking, number: Path[str]) -> Shown:
    """Have the packages in a folder read by a policy; by none: what is above it decides."""
    fields = await request.fields()
    _, node = await node_of(request, number)
    if node.kind is not NodeKind.FOLDER:
        raise NodeNotFound(number)
    seen = request.scope_for(Permission.WRITE_WORKSPACE)
    before = await store.folder_policy(request.db, seen, node.id)
    named = await POLICIES.chosen(request, fields.text("policy"))
    wanted = await policy_id(request, named) if named else None
    await policies.give_folder(*request.acting, node.id, wanted)
    here = f"{request.base}/repository/{node.number}"
    was = {"policy": "" if before is None else str(before.number)}
    told = "Packages that are brought into it from now on are read by it."
    return request.done(here, told, undo=f"{here}/code-policy", undo_with=was)


async def _package(request: Asking, named: str) -> Package:
    seen = request.scope_for(_READS)
    return await packages.get(request.db, seen, await resolve(request.db, seen, PACKAGE, named))


def _content(package: Package) -> Content | None:
    latest = package.latest
    if latest is None:
        return None
    return Content(name=package.name, hash=latest.hash, size=latest.size, folder=latest.folder)


async def _show(request: Asking, package: Package, *, refused: str = "") -> Shown:
    seen, content = request.scope_for(_READS), _content(package)
    policy: Rules = await actions.policy_of(request.engine, seen, package.id)
    known = None if content is None else await store.known(request.db, seen, content, policy)
    judged = [] if known is None else rules.judged(policy, known.findings)
    counted = rules.counts(judged)
    return await request.show(
        "code_policies/findings.html",
        title=f"Code of {package.name}",
        at="packages",
        crumbs=request.way(("Packages", "/packages"), (package.name, f"/packages/{package.number}"), "Code"),
        status=REFUSED if refused else 200,
        package=package,
        here=f"{request.base}/packages/{package.number}",
        policy=policy,
        policy_number=getattr(policy, "number", None),
        analysis=known,
        findings=judged[:_MOST],
        is_cut=len(judged) > _MOST,
        counts=[(each.value, counted[each]) for each in reversed(Severity) if counted[each]],
        refused_for=len(rules.refused_for(policy, known.findings)) if known else 0,
        refused=refused,
    )

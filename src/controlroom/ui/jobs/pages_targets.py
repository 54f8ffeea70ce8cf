"""dbt environments: what jobs and people work on, with which dbt, and which jobs do."""

from typing import Final, TypeVar

from msgspec.structs import replace

from controlroom.engine.access import history
from controlroom.engine.access.scope import within
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.references import resolve
from controlroom.engine.targets import actions, store
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Purpose, Target, TargetDefinition, TargetKind
from controlroom.engine.targets.store import TARGET
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId, TargetId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.filters import Choice, Reference
from controlroom.ui.jobs.pages import LIST as JOBS_LIST
from controlroom.ui.jobs.pages import THERE, tabs_of, when_told
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.lists.found import First
from controlroom.ui.numbers import ensure_number
from controlroom.ui.pickers.known import CONNECTIONS, LOGINS, OVERLAYS, PROFILES
from controlroom.ui.pickers.picker import resolved
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

LIST: Final = ListPage(
    listing=TARGETS,
    row=Target,
    path="/targets",
    noun="environments",
    noun_of_one="environment",
    topics="target",
    always=THERE,
    filters=(
        Choice("kind", "For", "kind", {"development": "people", "deployment": "jobs"}),
        Reference("connection", "Connection", "connection_id", CONNECTIONS),
        Reference("login", "Log-in", "login_id", LOGINS),
        Reference("profile", "Profile", "profile_id", PROFILES),
    ),
    columns=(
        Col("name", "Environment", sort="name", always=True),
        Col("kind", "For"),
        Col("tool_version", "dbt"),
        Col("branch", "Branch"),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)
Id = TypeVar("Id")
_PICKED: Final = {"connection": CONNECTIONS, "login": LOGINS, "profile": PROFILES, "attributes": OVERLAYS}


@page("/targets", needs=Permission.READ_TARGETS)
async def list_targets(request: Asking) -> Shown:
    """What jobs and people work on."""
    return await request.show(
        "jobs/targets.html",
        title="dbt environments",
        at="jobs",
        crumbs=request.way(("dbt jobs", "/jobs"), "Environments"),
        tabs=tabs_of(request, "Environments"),
        may_change=request.actor.may(Permission.WRITE_TARGETS, request.workspace),
        found=await LIST.read(request),
    )


@page("/targets/{number:str}", needs=Permission.READ_TARGETS)
async def show_target(request: Asking, number: Path[str]) -> Shown:
    """How it works, and which jobs work on it."""
    found = await resolve(*request.reading, TARGET, number)
    target = await store.get(*request.reading, found)
    ensure_number(request, number, target.number)
    return await request.show(
        "jobs/target.html",
        title=target.name,
        at="jobs",
        crumbs=request.way(("Environments", "/targets"), target.name),
        target=target,
        jobs=await _jobs(request, found),
        when=when_told,
        names=await _names(request, target),
        sees_variables=request.actor.may(Permission.READ_VARIABLES, request.workspace),
        changes=await history.changes_of(*request.reading, found),
        may_change=request.actor.may(Permission.WRITE_TARGETS, request.workspace),
    )


@page("/targets/{number:str}/delete", needs=(Permission.WRITE_TARGETS, Permission.READ_TARGETS))
async def ask_to_delete_target(request: Asking, number: Path[str]) -> Shown:
    """Which jobs would have nothing to work on."""
    return await _target_question(request, number)


@verb("/targets/{number:str}/delete")
async def delete_target(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    found = await resolve(request.db, request.scope_for(Permission.WRITE_TARGETS), TARGET, number)
    _, refused = await tried(actions.delete(*request.acting, found))
    if refused:
        return await _target_question(request, number, refused=refused)
    return request.done(f"{request.base}/targets", "The environment is deleted.")


async def _target_question(request: Asking, number: str, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_TARGETS)
    target = await store.get(request.db, seen, await resolve(request.db, seen, TARGET, number))
    return await request.show(
        "jobs/delete_target.html",
        title=f"Delete {target.name}",
        at="jobs",
        crumbs=request.way(("Environments", "/targets"), (target.name, f"/targets/{target.number}"), "Delete"),
        status=REFUSED if refused else 200,
        target=target,
        jobs=await _jobs(request, target.id),
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- making, changing
@page("/targets/new", needs=(Permission.WRITE_TARGETS, Permission.READ_TARGETS))
async def ask_for_target(request: Asking) -> Shown:
    """What it works on, and how."""
    return await _form(request, None, Fields([("kind", TargetKind.DEPLOYMENT.value)]))


@verb("/targets/new")
async def create_target(request: Asking) -> Shown:
    """Make it."""
    fields = await request.fields()
    chosen, refused = await tried(resolved(request, fields, _PICKED))
    if chosen is None:
        return await _form(request, None, fields, refused=refused)
    made, refused = await tried(actions.create(*request.acting, _defined(chosen, TargetDefinition(name=""))))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/targets/{made.number}", f"The environment {made.name} is made.")


@page("/targets/{number:str}/edit", needs=(Permission.WRITE_TARGETS, Permission.READ_TARGETS))
async def ask_to_edit_target(request: Asking, number: Path[str]) -> Shown:
    """How it works."""
    target = await _target(request, number)
    pairs = [
        ("name", target.name),
        ("kind", target.kind.value),
        ("purpose", target.purpose.value if target.purpose else ""),
        ("connection", str(target.connection_id or "")),
        ("login", str(target.login_id or "")),
        ("profile", str(target.profile_id or "")),
        ("attributes", str(target.extended_attributes_id or "")),
        ("tool_version", target.tool_version or ""),
        ("branch", target.branch or ""),
        ("subdirectory", target.subdirectory or ""),
        *([("uses_branch", "on")] if target.uses_branch else []),
    ]
    return await _form(request, target, Fields(pairs))


@verb("/targets/{number:str}/edit")
async def edit_target(request: Asking, number: Path[str]) -> Shown:
    """Change it; jobs that run on it go on as they began."""
    fields = await request.fields()
    target = await _target(request, number)
    chosen, refused = await tried(resolved(request, fields, _PICKED))
    if chosen is not None:
        _, refused = await tried(actions.edit(*request.acting, target.id, lambda before: _defined(chosen, before)))
    if refused:
        return await _form(request, target, fields, refused=refused)
    return request.done(f"{request.base}/targets/{number}", "The environment is changed.")


def _defined(fields: Fields, before: TargetDefinition) -> TargetDefinition:
    """What a form says of an environment, over what there is. A field that it does not have stays."""
    named = {name: as_uuid(fields.text(name)) for name in ("connection", "login", "profile", "attributes")}
    connection, login, profile, over = named.values()
    kinds, purposes = {each.value: each for each in TargetKind}, {each.value: each for each in Purpose}
    return replace(
        before,
        name=fields.text("name"),
        kind=kinds.get(fields.text("kind"), TargetKind.DEPLOYMENT),
        purpose=purposes.get(fields.text("purpose")),
        connection_id=_chosen(fields, "connection", before.connection_id, connection and ConnectionId(connection)),
        login_id=_chosen(fields, "login", before.login_id, login and LoginId(login)),
        profile_id=_chosen(fields, "profile", before.profile_id, profile and ProfileId(profile)),
        extended_attributes_id=_chosen(
            fields, "attributes", before.extended_attributes_id, over and ExtendedAttributesId(over)
        ),
        tool_version=fields.text("tool_version") or None,
        branch=fields.text("branch") or None,
        uses_branch=fields.has("uses_branch"),
        subdirectory=fields.text("subdirectory") or None,
    )


async def _jobs(request: Asking, target: TargetId) -> First[ListedJob] | None:
    """The first of the jobs that work on it; None for who may not see any."""
    if not request.actor.may(Permission.READ_PROCESSES, request.workspace):
        return None
    seen = within(request.scope_for(Permission.READ_PROCESSES))
    return await JOBS_LIST.first(request, {"target": str(target)}, seen=seen)


async def _names(request: Asking, target: Target) -> dict[str, str]:
    """What a target names, as people know it."""
    ids = {"connection": target.connection_id, "login": target.login_id, "profile": target.profile_id}
    return {name: await _PICKED[name].named(request, its) for name, its in ids.items() if its}


def _chosen(fields: Fields, name: str, before: Id | None, now: Id | None) -> Id | None:
    """What a choice says; a form without it leaves what there is."""
    return now if fields.has(name) else before


async def _target(request: Asking, named: str) -> Target:
    seen = request.scope_for(Permission.READ_TARGETS)
    found: TargetId = await resolve(request.db, seen, TARGET, named)
    return await store.get(request.db, seen, found)


async def _form(request: Asking, target: Target | None, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "jobs/target_form.html",
        title=f"Edit {target.name}" if target else "New environment",
        at="jobs",
        crumbs=request.way(
            ("Environments", "/targets"),
            (target.name, f"/targets/{target.number}") if target else None,
            "Edit" if target else "New environment",
        ),
        status=REFUSED if refused else 200,
        target=target,
        fields=fields,
        connection=await CONNECTIONS.offered(request, fields.text("connection")),
        login=await LOGINS.offered(request, fields.text("login")),
        profile=await PROFILES.offered(request, fields.text("profile")),
        overlay=await OVERLAYS.offered(request, fields.text("attributes")),
        refused=refused,
    )

"""dbt environments: what jobs and people work on, with which dbt, and which jobs do."""

from typing import Final, TypeVar

from msgspec.structs import replace

from controlroom.engine.access import history
from controlroom.engine.lists.model import AllOf, equal
from controlroom.engine.references import resolve
from controlroom.engine.targets import actions, store
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Purpose, Target, TargetDefinition, TargetKind
from controlroom.engine.targets.store import TARGET
from controlroom.ids import ConnectionId, ExtendedAttributesId, LoginId, ProfileId, TargetId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.connections.pages import known as known_connections
from controlroom.ui.connections.pages_attributes import attributes_of, told
from controlroom.ui.connections.pages_logins import logins_of, name_of, profiles_of
from controlroom.ui.filters import Choice
from controlroom.ui.jobs.pages import THERE, jobs_of, tabs_of, when_told
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb

_LIST: Final = ListPage(
    listing=TARGETS,
    row=Target,
    path="/targets",
    noun="environments",
    noun_of_one="environment",
    topics="target",
    always=THERE,
    filters=(Choice("kind", "For", "kind", {"development": "people", "deployment": "jobs"}),),
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
        found=await _LIST.read(request),
    )


@page("/targets/{number:str}", needs=Permission.READ_TARGETS)
async def show_target(request: Asking, number: Path[str]) -> Shown:
    """How it works, and which jobs work on it."""
    found = await resolve(*request.reading, TARGET, number)
    target = await store.get(*request.reading, found)
    ensure_number(request, number, target.number)
    sees_jobs = request.actor.may(Permission.READ_PROCESSES, request.workspace)
    return await request.show(
        "jobs/target.html",
        title=target.name,
        at="jobs",
        crumbs=request.way(("Environments", "/targets"), target.name),
        target=target,
        jobs=await jobs_of(request, AllOf((THERE, equal(target_id=found)))) if sees_jobs else [],
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
    sees_jobs = request.actor.may(Permission.READ_PROCESSES, request.workspace)
    return await request.show(
        "jobs/delete_target.html",
        title=f"Delete {target.name}",
        at="jobs",
        crumbs=request.way(("Environments", "/targets"), (target.name, f"/targets/{target.number}"), "Delete"),
        status=REFUSED if refused else 200,
        target=target,
        jobs=await jobs_of(request, AllOf((THERE, equal(target_id=target.id)))) if sees_jobs else [],
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
    made, refused = await tried(actions.create(*request.acting, _defined(fields, TargetDefinition(name=""))))
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
    _, refused = await tried(actions.edit(*request.acting, target.id, lambda before: _defined(fields, before)))
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


async def _names(request: Asking, target: Target) -> dict[str, str]:
    """What a target names, as people know it."""
    found = {}
    if target.connection_id:
        seen = await known_connections(request)
        found["connection"] = next((each.name for each in seen if each.id == target.connection_id), "")
    if target.login_id:
        found["login"] = next((name_of(each) for each in await logins_of(request) if each.id == target.login_id), "")
    if target.profile_id:
        seen_profiles = await profiles_of(request)
        found["profile"] = next((each.key for each in seen_profiles if each.id == target.profile_id), "")
    return found


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
        connections=[(str(each.id), f"{each.name} ({each.kind.value})") for each in await known_connections(request)],
        logins=[(str(each.id), f"{name_of(each)} (#{each.number})") for each in await logins_of(request)],
        profiles=[(str(each.id), each.key) for each in await profiles_of(request)],
        overlays=[(str(each.id), told(each)) for each in await attributes_of(request)],
        refused=refused,
    )

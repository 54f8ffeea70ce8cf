"""Variables: what robots and commands find in their environment by a name, and where which value holds."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from controlroom.engine.access import history
from controlroom.engine.access.nouns import USER
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, OneOf, Operator, Sort
from controlroom.engine.processes.store import PROCESS
from controlroom.engine.references import resolve
from controlroom.engine.targets.listings import TARGETS
from controlroom.engine.targets.model import Target
from controlroom.engine.variables import actions, store
from controlroom.engine.variables.errors import VariableNotFound
from controlroom.engine.variables.model import OF_WORKSPACE, Variable, VariableScope, Where
from controlroom.engine.variables.rules import SECRET_PREFIX, is_secret
from controlroom.ids import ProcessId, TargetId, UserId, as_uuid
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.pickers.known import TARGETS as TARGETS_KNOWN
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb
from controlroom.ui.variables.matrix import Line, lines_of

PLACE: Final = Place(
    at="variables", name="Variables", path="/variables", icon="variables", needs=Permission.READ_VARIABLES
)
_READS: Final = Permission.READ_VARIABLES
_WRITES: Final = (Permission.WRITE_VARIABLES, _READS)
_MOST_LINES: Final = 200
_MOST_COLUMNS: Final = 5
"""Of targets in the table. Why: more do not fit beside each other; the page of a name has them all."""
_MOST_TARGETS: Final = 50
"""Fields of a form; of more environments one is named."""


@page("/variables", needs=_READS)
async def list_variables(request: Asking) -> Shown:
    """A line a name, a column a scope."""
    sought = request.query_params.get("q", "").strip()
    lines = lines_of(await store.of_workspace(*request.reading), sought)
    targets = await _targets(request)
    return await request.show(
        "variables/list.html",
        title="Variables",
        at="variables",
        lines=lines[:_MOST_LINES],
        more=max(len(lines) - _MOST_LINES, 0),
        columns=[(each.name, each.number, Where(target_id=each.id)) for each in targets[:_MOST_COLUMNS]],
        narrow=targets[_MOST_COLUMNS:],
        sought=sought,
        may_change=_may_change(request),
    )


@page("/variables/new", needs=_WRITES)
async def ask_for_variable(request: Asking) -> Shown:
    """Its name, and what it holds where."""
    return await _form(request, None, Fields([]))


@verb("/variables/new")
async def create_variable(request: Asking) -> Shown:
    """Make it, in as many scopes as have a value."""
    fields = await request.fields()
    name = fields.text("name")
    given, refused = await tried(_given(request, fields, await _targets(request), None))
    if given is not None:
        _, refused = await tried(actions.put_all(*request.acting, name, given[0]))
    if refused:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/variables/{name}", f"The variable {name} is made.")


@page("/variables/{name:str}", needs=_READS)
async def show_variable(request: Asking, name: Path[str]) -> Shown:
    """What it holds where, in the order in which that goes before."""
    line = await _line(request, name)
    of_workspace = line.of_workspace
    return await request.show(
        "variables/variable.html",
        title=name,
        at="variables",
        crumbs=request.way(("Variables", "/variables"), name),
        line=line,
        scopes=[(scope, line.of(scope)) for scope in _NEAREST_FIRST if line.of(scope)],
        here=f"{request.base}/variables/{name}",
        changes=await history.changes_of(*request.reading, of_workspace.id) if of_workspace else [],
        may_change=_may_change(request),
    )


_NEAREST_FIRST: Final = (
    VariableScope.USER,
    VariableScope.PROCESS,
    VariableScope.TARGET,
    VariableScope.WORKSPACE,
)


@page("/variables/{name:str}/edit", needs=_WRITES)
async def ask_to_edit(request: Asking, name: Path[str]) -> Shown:
    """What it shall hold where."""
    line = await _line(request, name)
    pairs = [("name", name), *((_key(each.where), each.value or "") for each in line.by_place.values())]
    return await _form(request, line, Fields(pairs))


@verb("/variables/{name:str}/edit")
async def edit_variable(request: Asking, name: Path[str]) -> Shown:
    """Change it in all scopes at once; one that is emptied has no value of its own there any more."""
    fields = await request.fields()
    line = await _line(request, name)
    called = fields.text("name")
    given, refused = await tried(_given(request, fields, await _targets(request, line), line))
    if given is not None:
        values, gone = given
        change = actions.edit_all(*request.acting, name, new_name=called, values=values, without=gone)
        _, refused = await tried(change)
    if refused:
        return await _form(request, line, fields, refused=refused)
    if given is not None and len(given[1]) == len(line.by_place) and not given[0]:
        return request.done(f"{request.base}/variables", f"The variable {name} holds nowhere any more.")
    return request.done(f"{request.base}/variables/{called}", "The variable is changed. Runs under way keep theirs.")


@page("/variables/{name:str}/delete", needs=_WRITES)
async def ask_to_delete(request: Asking, name: Path[str]) -> Shown:
    """Where it holds."""
    line = await _line(request, name)
    return await request.show(
        "variables/delete.html",
        title=f"Delete {name}",
        at="variables",
        crumbs=request.way(("Variables", "/variables"), (name, f"/variables/{name}"), "Delete"),
        line=line,
    )


@verb("/variables/{name:str}/delete")
async def delete_variable(request: Asking, name: Path[str]) -> Shown:
    """Delete it in all its scopes."""
    await actions.delete_all(*request.acting, name)
    return request.done(f"{request.base}/variables", f"The variable {name} is deleted.")


# ---------------------------------------------------------------------------------------------------- what pages share
def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_VARIABLES, request.workspace)


async def _line(request: Asking, name: str) -> Line:
    """The variable of a name in all its scopes. Raises VariableNotFound."""
    for found in lines_of(await store.named(request.db, request.scope_for(_READS), name)):
        return found
    raise VariableNotFound


async def _targets(request: Asking, line: Line | None = None) -> list[Target]:
    """The targets whose values are told beside each other; none for who may not know of them.

    Of more than a form has fields for, those in which the variable has a value; others are named.
    """
    if not request.actor.may(Permission.READ_TARGETS, request.workspace):
        return []
    seen = within(request.scope_for(Permission.READ_TARGETS))
    there = Compare("is_there", Operator.EQ, value=True)
    asked = Asked(filter=there, sort=(Sort("name"), Sort("id")), length=_MOST_TARGETS + 1)
    found = await pages.rows(request.db, Target, TARGETS, seen, asked)
    if len(found) <= _MOST_TARGETS:
        return found
    has = tuple(where.target_id for where in (line.by_place if line else ()) if where.target_id is not None)
    asked = replace(asked, filter=AllOf((there, OneOf("id", has))), length=len(has))
    return await pages.rows(request.db, Target, TARGETS, seen, asked) if has else []


def _key(where: Where) -> str:
    """The field of a form that has the value of a scope."""
    named = where.target_id or where.process_id or where.user_id
    return f"{where.scope.value}:{named}" if named else where.scope.value


async def _given(
    request: Asking, fields: Fields, targets: Sequence[Target], line: Line | None
) -> tuple[dict[Where, str], list[Where]]:
    """What a form says in which scopes, and in which nothing any more. Raises NotFound for who is not there.

    Of a secret one an empty field keeps what is there, and its tick takes it away.
    """
    places = [OF_WORKSPACE, *(Where(target_id=each.id) for each in targets)]
    places += [where for where in (line.by_place if line else ()) if where not in places]
    values: dict[Where, str] = {}
    gone: list[Where] = []
    for where in places:
        key, before = _key(where), line.at(where) if line else None
        text = fields.raw(key).replace("\r\n", "\n")
        if before is not None and (
            fields.has(f"gone:{key}") or (fields.has(key) and not text and not before.is_secret)
        ):
            gone.append(where)
        elif text and (before is None or text != before.value):
            values[where] = text
    seen = request.scope_for(Permission.WRITE_VARIABLES)
    if target := as_uuid(await TARGETS_KNOWN.chosen(request, fields.text("target"))):
        values[Where(target_id=TargetId(target))] = fields.raw("target_value")
    if process := await PROCESSES.chosen(request, fields.text("process")):
        of_process: ProcessId = await resolve(request.db, seen, PROCESS, process)
        values[Where(process_id=of_process)] = fields.raw("process_value")
    if user := fields.text("user"):
        of_user: UserId = await resolve(request.db, seen, USER, user)
        values[Where(user_id=of_user)] = fields.raw("user_value")
    return values, gone


async def _form(request: Asking, line: Line | None, fields: Fields, *, refused: str = "") -> Shown:
    targets = await _targets(request, line)
    known = {each.id for each in targets}
    told: list[Variable] = list(line.by_place.values()) if line else []
    others = [each for each in told if each.where != OF_WORKSPACE and each.target_id not in known]
    return await request.show(
        "variables/form.html",
        title=f"Edit {line.name}" if line else "New variable",
        at="variables",
        crumbs=request.way(
            ("Variables", "/variables"),
            (line.name, f"/variables/{line.name}") if line else None,
            "Edit" if line else "New variable",
        ),
        status=REFUSED if refused else 200,
        line=line,
        fields=fields,
        hides=is_secret(fields.text("name")) or bool(line and line.is_secret),
        workspace_place=("workspace", line.of_workspace if line else None),
        targets=[
            (each, _key(where), line.at(where) if line else None)
            for each, where in ((each, Where(target_id=each.id)) for each in targets)
        ],
        others=[(each, _key(each.where)) for each in others],
        target=await TARGETS_KNOWN.offered(request, fields.text("target")),
        process=await PROCESSES.offered(request, fields.text("process")),
        secret_prefix=SECRET_PREFIX,
        refused=refused,
    )

"""A process in a form: made, and changed; each step on the same page."""

from collections.abc import Sequence
from typing import Any

from controlroom.engine.packages.choices import tasks
from controlroom.engine.packages.model import Task
from controlroom.engine.processes import actions, store
from controlroom.engine.processes.model import Process, Step, StepPerson
from controlroom.engine.provisioners.places import PlaceKind, places
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ids import as_uuid
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.processes import forms
from controlroom.ui.processes.forms import ProcessForm, StepForm
from controlroom.ui.processes.one import acted_on, address, process_of, taken_back_by
from controlroom.ui.processes.pages_triggers import around
from controlroom.ui.routing import page, verb

_NEEDS = Permission.WRITE_PROCESSES
_KINDS = {PlaceKind.GROUP: "group ", PlaceKind.WORKER: "", PlaceKind.PROVISIONER: "on demand: "}


@page("/processes/new", needs=_NEEDS)
async def show_new(request: Asking) -> Shown:
    """An empty form, or one with the task that the address names as its step."""
    known = await tasks(*request.reading)
    wanted = as_uuid(request.query_params.get("task", ""))
    task = next((each for each in known if each.id == wanted), known[0] if len(known) == 1 else None)
    step = StepForm(name="Step 1") if task is None else StepForm(name=task.name, work=str(task.id))
    form = ProcessForm(name=task.package_name.capitalize() if wanted and task else "", steps=(step,))
    return await _show(request, None, form, known=known)


@verb("/processes/new")
async def make(request: Asking) -> Shown:
    """Make it; or show the form again, with another step, or with what is wrong."""
    fields = await request.fields()
    form = forms.sent(fields)
    if (do := fields.text("do", "save")) != "save":
        return await _show(request, None, forms.rearranged(form, do))
    asked = forms.understood(form)
    if asked.wrong:
        return await _show(request, None, form, wrong=asked.wrong, status=422)
    try:
        made = await actions.create(*request.acting, asked.to_definition())
    except (Invalid, NotFound, Conflict) as refused:
        return await _show(request, None, form, refused=refused.message, status=422)
    return request.done(address(request, made), f"{made.name} is made.")


@page("/processes/{number:str}/edit", needs=(_NEEDS, Permission.READ_PROCESSES))
async def show_edit(request: Asking, number: Path[str]) -> Shown:
    """The form with what it is."""
    process = await process_of(request, number)
    steps = await store.list_steps(*request.reading, process.id)
    return await _show(request, process, forms.form_of(process, steps), steps=steps)


@verb("/processes/{number:str}/edit")
async def change(request: Asking, number: Path[str]) -> Shown:
    """Change it; or show the form again."""
    process = await acted_on(request, number, _NEEDS)
    steps = await store.list_steps(request.db, request.scope_for(_NEEDS), process.id)
    fields = await request.fields()
    form = forms.sent(fields)
    if (do := fields.text("do", "save")) != "save":
        return await _show(request, process, forms.rearranged(form, do), steps=steps)
    asked = forms.understood(form, steps)
    if asked.wrong:
        return await _show(request, process, form, steps=steps, wrong=asked.wrong, status=422)
    try:
        after = await actions.update(*request.acting, process.id, asked.to_change(with_steps=not process.is_job))
    except (Invalid, NotFound, Conflict) as refused:
        return await _show(request, process, form, steps=steps, refused=refused.message, status=422)
    return request.done(address(request, after), f"{after.name} is changed.", undo=await taken_back_by(request, after))


async def _show(
    request: Asking,
    process: Process | None,
    form: ProcessForm,
    *,
    steps: Sequence[Step] = (),
    known: Sequence[Task] | None = None,
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Shown:
    reading: Any = (request.db, request.scope_for(_NEEDS))
    known = await tasks(*reading) if known is None else known
    named = {f"{each.kind}:{each.id}": f"{_KINDS[each.kind]}{each.name}" for each in await places(*reading)}
    crumbs = [Crumb("Processes", f"{request.base}/processes")]
    if process is not None:
        crumbs.append(Crumb(process.name, address(request, process)))
    title = "New process" if process is None else f"Edit {process.name}"
    return await request.show(
        "processes/edit.html",
        title=title,
        at="processes",
        crumbs=[*crumbs, Crumb("New" if process is None else "Edit")],
        status=status,
        process=process,
        form=form,
        works=[_works(known, step, steps) for step in form.steps],
        places=[forms.places_of(named, step.where) for step in form.steps],
        wrong=wrong or {},
        refused=refused,
        action=f"{request.base}/processes/new" if process is None else f"{address(request, process)}/edit",
        back=f"{request.base}/processes" if process is None else address(request, process),
        has_packages=bool(known),
        **({} if process is None else await around(request, process)),
    )


def _works(known: Sequence[Task], form: StepForm, steps: Sequence[Step]) -> list[tuple[str, str]]:
    """What a step may run; with what it runs now, where that is no task, or one that the newest version lacks."""
    found = [("", "Nothing yet"), *((str(each.id), f"{each.name} of {each.package_name}") for each in known)]
    if form.work == forms.KEEP:
        step = next((each for each in steps if str(each.number) == form.key), None)
        is_person = step is not None and isinstance(step.work, StepPerson)
        return [(forms.KEEP, "As it is: asks a person" if is_person else "As it is: its commands"), *found]
    if form.work and form.work not in dict(found):
        return [*found, (form.work, "A task that the newest version does not have")]
    return found

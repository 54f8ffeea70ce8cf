"""A process in a form: made, and changed; each step on the same page."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from controlroom.engine.processes import actions, store
from controlroom.engine.processes.model import Process, Step, StepPerson
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.pickers.known import RUN_ON, TASKS
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.processes import forms
from controlroom.ui.processes.forms import ProcessForm, StepForm
from controlroom.ui.processes.one import acted_on, address, process_of, taken_back_by
from controlroom.ui.processes.pages_triggers import around
from controlroom.ui.refusals import said
from controlroom.ui.routing import page, verb

_NEEDS = Permission.WRITE_PROCESSES
_AS_IT_IS: Final = {True: "As it is: asks a person", False: "As it is: its commands"}
_IN_ORDER: Final = "As it is: several places in order"


@page("/processes/new", needs=_NEEDS)
async def show_new(request: Asking) -> Shown:
    """An empty form, or one with the task that the address names as its step."""
    wanted = await TASKS.one(request, request.query_params.get("task", ""))
    task = wanted or await TASKS.only(request)
    step = StepForm(name="Step 1")
    if task is not None:
        step = StepForm(name=task.name.partition(": ")[2], work=str(task.id))
    form = ProcessForm(name=wanted.name.partition(": ")[0].capitalize() if wanted else "", steps=(step,))
    return await _show(request, None, form)


@verb("/processes/new")
async def make(request: Asking) -> Shown:
    """Make it; or show the form again, with another step, or with what is wrong."""
    fields = await request.fields()
    form = forms.sent(fields)
    if (do := fields.text("do", "save")) != "save":
        return await _show(request, None, forms.rearranged(form, do))
    chosen, wrong = await _chosen(request, form)
    asked = forms.understood(chosen)
    if wrong := asked.wrong | wrong:
        return await _show(request, None, form, wrong=wrong, status=422)
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
    chosen, wrong = await _chosen(request, form, steps)
    asked = forms.understood(chosen, steps)
    if wrong := asked.wrong | wrong:
        return await _show(request, process, form, steps=steps, wrong=wrong, status=422)
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
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Shown:
    works = await TASKS.offered_each(request, [(step.work, _works(step, steps)) for step in form.steps])
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
        works=works,
        places=await RUN_ON.offered_each(request, [(step.where, _places(step)) for step in form.steps]),
        wrong=wrong or {},
        refused=refused,
        action=f"{request.base}/processes/new" if process is None else f"{address(request, process)}/edit",
        back=f"{request.base}/processes" if process is None else address(request, process),
        has_packages=any(works) or bool(await TASKS.offered(request)),
        **({} if process is None else await around(request, process)),
    )


async def _chosen(request: Asking, form: ProcessForm, steps: Sequence[Step] = ()) -> tuple[ProcessForm, dict[str, str]]:
    """The form with the values of what was typed where one of many is asked for, and what is wrong with that."""
    wrong, read = dict[str, str](), list[StepForm]()
    for n, step in enumerate(form.steps):
        found = {}
        for name, picker, more in (("work", TASKS, _works(step, steps)), ("where", RUN_ON, _places(step))):
            try:
                found[name] = await picker.chosen(request, getattr(step, name), more)
            except PickRefused as refused:
                wrong[f"step-{n}-{name}"] = f"{said(refused)}."
        read.append(replace(step, **found))
    return replace(form, steps=tuple(read)), wrong


def _works(form: StepForm, steps: Sequence[Step] = ()) -> list[tuple[str, str]]:
    """What stands beside the tasks: what a step runs now, where that is no task."""
    if form.work not in {forms.KEEP, *_AS_IT_IS.values()}:
        return []
    step = next((each for each in steps if str(each.number) == form.key), None)
    is_person = step is not None and isinstance(step.work, StepPerson)
    return [(forms.KEEP, _AS_IT_IS[is_person])]


def _places(form: StepForm) -> list[tuple[str, str]]:
    """What stands beside the places: any worker, and where a step runs now, where that is more than one place."""
    kept = [(forms.KEEP, _IN_ORDER)] if form.where in {forms.KEEP, _IN_ORDER} else []
    return [(forms.ANY, "Any worker"), *kept]

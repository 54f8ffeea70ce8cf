"""A schedule in a form: made and changed, with a look at when it would be due."""

from typing import Any, Final

from controlroom.engine.processes import store as processes
from controlroom.engine.references import resolve
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions
from controlroom.engine.schedules.definitions import ScheduleChange, ScheduleDefinition
from controlroom.engine.schedules.listings import ListedSchedule
from controlroom.engine.schedules.model import Timing
from controlroom.engine.schedules.sentences import sentence
from controlroom.engine.schedules.store import get_listed
from controlroom.errors import Conflict, ControlRoomError, Invalid, NotFound
from controlroom.ids import ProcessId
from controlroom.ui.asking import Asking, Crumb, Path, Permission, Shown
from controlroom.ui.pickers.known import PROCESSES
from controlroom.ui.routing import page, verb
from controlroom.ui.schedules import forms
from controlroom.ui.schedules.forms import ScheduleForm, Understood
from controlroom.ui.schedules.pages import acted_on, found_by

_WRITES: Final = Permission.WRITE_SCHEDULES
_TIMES: Final = 8


@page("/schedules/new", needs=_WRITES)
async def show_new(request: Asking) -> Shown:
    """A form with every weekday at 07:30, of the process that the address names."""
    number = request.query_params.get("process", "")
    now = request.reader.now.astimezone(request.reader.zone)
    form = ScheduleForm(process=number, zone=request.reader.zone_name, rrule_start=f"{now:%Y-%m-%dT%H:00}")
    return await _show(request, None, form)


@verb("/schedules/new")
async def make(request: Asking) -> Shown:
    """Make it; or show when it would be due, or what is wrong."""
    fields = await request.fields()
    form = forms.sent(fields)
    asked = forms.understood(form)
    if fields.text("do") == "preview" or asked.wrong or asked.rule is None:
        return await _again(request, None, form, asked, is_asked=fields.text("do") == "preview")
    try:
        process = await _process(request, form)
        made = await actions.create(
            *request.acting,
            ScheduleDefinition(
                starts=OfProcess(process),
                name=form.name,
                description=form.description,
                rule=asked.rule,
                zone=asked.zone,
                starts_at=asked.begins,
                ends_at=asked.ends,
                is_enabled=form.is_enabled,
                policies=asked.policies,
            ),
        )
    except (Invalid, NotFound, Conflict) as refused:
        return await _show(request, None, form, refused=refused.message, status=422)
    return request.done(f"{request.base}/schedules/{made.number}", f"{made.name} is made.")


@page("/schedules/{number:str}/edit", needs=(_WRITES, Permission.READ_SCHEDULES))
async def show_edit(request: Asking, number: Path[str]) -> Shown:
    """The form with what it is."""
    schedule = await found_by(request, number)
    return await _show(request, schedule, forms.form_of(schedule, schedule.work_number))


@verb("/schedules/{number:str}/edit")
async def change(request: Asking, number: Path[str]) -> Shown:
    """Change it; or show the form again."""
    schedule = await get_listed(request.db, request.scope_for(_WRITES), await acted_on(request, number))
    fields = await request.fields()
    form = forms.sent(fields)
    asked = forms.understood(form, schedule)
    if fields.text("do") == "preview" or asked.wrong or asked.rule is None:
        return await _again(request, schedule, form, asked, is_asked=fields.text("do") == "preview")
    wanted: dict[str, Any] = {
        "name": form.name,
        "description": form.description,
        "rule": asked.rule,
        "zone": asked.zone,
        "ends_at": asked.ends,
        "is_enabled": form.is_enabled,
        **{name: getattr(asked.policies, name) for name in asked.policies.__struct_fields__},
    }
    if asked.begins is not None:
        wanted["starts_at"] = asked.begins
    try:
        if schedule.start is None:
            process = await _process(request, form)
            if process != schedule.process_id:
                wanted["starts"] = OfProcess(process)
        after = await actions.update(*request.acting, schedule.id, ScheduleChange(**wanted))
    except (Invalid, NotFound, Conflict) as refused:
        return await _show(request, schedule, form, refused=refused.message, status=422)
    return request.done(f"{request.base}/schedules/{after.number}", f"{after.name} is changed.")


async def _process(request: Asking, form: ScheduleForm) -> ProcessId:
    """The process that a form names. Raises PickRefused, ProcessNotFound."""
    named = await PROCESSES.chosen(request, form.process)
    return await resolve(request.db, request.scope_for(_WRITES), processes.PROCESS, named)


async def _again(
    request: Asking, schedule: ListedSchedule | None, form: ScheduleForm, asked: Understood, *, is_asked: bool
) -> Shown:
    """The form once more: with what is wrong, else with when it would be due."""
    if asked.wrong or asked.rule is None:
        return await _show(request, schedule, form, wrong=asked.wrong, status=422)
    begins = asked.begins or (request.reader.now if schedule is None else schedule.starts_at)
    timing = Timing(rule=asked.rule, zone=asked.zone, starts_at=begins, ends_at=asked.ends)
    try:
        found = await actions.preview(request.engine, request.workspace, timing, count=_TIMES, after=request.reader.now)
    except ControlRoomError as refused:
        return await _show(request, schedule, form, refused=refused.message, status=422)
    return await _show(request, schedule, form, preview=found if is_asked else None, said=sentence(asked.rule))


async def _show(
    request: Asking,
    schedule: ListedSchedule | None,
    form: ScheduleForm,
    *,
    wrong: dict[str, str] | None = None,
    refused: str = "",
    preview: Any = None,
    said: str = "",
    status: int = 200,
) -> Shown:
    crumbs = [Crumb("Schedules", f"{request.base}/schedules")]
    if schedule is not None:
        crumbs.append(Crumb(schedule.name, f"{request.base}/schedules/{schedule.number}"))
    kept = [("keep", f"As it is: {sentence(schedule.rule)}")] if schedule and form.kind == "keep" else []
    here = f"{request.base}/schedules/{'new' if schedule is None else schedule.number}"
    return await request.show(
        "schedules/edit.html",
        title="New schedule" if schedule is None else f"Edit {schedule.name}",
        at="schedules",
        crumbs=[*crumbs, Crumb("New" if schedule is None else "Edit")],
        status=status,
        schedule=schedule,
        form=form,
        process=await PROCESSES.offered(request, form.process),
        kinds=[*kept, *forms.KINDS.items()],
        days=forms.DAYS,
        days_of_month=forms.DAYS_OF_MONTH,
        overlaps=forms.OVERLAPS,
        misseds=forms.MISSEDS,
        inputs=forms.INPUTS,
        wrong=wrong or {},
        refused=refused,
        preview=preview,
        said=said,
        action=here if schedule is None else f"{here}/edit",
        back=f"{request.base}/schedules" if schedule is None else here,
    )

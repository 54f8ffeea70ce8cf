"""Starting a process: as usual by one button; with inputs, payloads and files by a form."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from controlroom.border.credentials import header_of
from controlroom.border.forms import FilesForm, files_form_of
from controlroom.engine.packages import interfaces
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.processes import store
from controlroom.engine.processes.forms import filled
from controlroom.engine.processes.model import Process, StepTask
from controlroom.engine.runs import actions, brought_files
from controlroom.engine.runs.model import DefaultInput, Inputs, Run, WithPayloads, WithWaiting
from controlroom.engine.runs.parameters import AS_USUAL
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown, elsewhere
from controlroom.ui.processes.forms import pretty
from controlroom.ui.processes.one import acted_on, address, process_of, show
from controlroom.ui.processes.starting import Input, answered, inputs_of, payloads_of
from controlroom.ui.routing import page, verb

_MAY: Final = Permission.START_RUNS
_MOST_FILES: Final = 100


@page("/processes/{number:str}/start", needs=(_MAY, Permission.READ_PROCESSES))
async def show_start(request: Asking, number: Path[str]) -> Shown:
    """The form: what its first task asks for, else payloads; and files."""
    process = await process_of(request, number)
    return await _show(request, process, await _inputs(request, process), payloads=_usual(process))


@verb("/processes/{number:str}/start", request_max_body_size=None)  # files are streamed, each up to their limit
async def start(request: Asking, number: Path[str]) -> Shown:
    """Start it; or show the form, where it must be filled in first or something in it is wrong."""
    process = await acted_on(request, number, _MAY)
    if header_of(request.scope, b"content-type").startswith("multipart/"):
        return await _start_by_form(request, process)
    fields = await request.fields()
    if any(each.is_required for each in await _inputs(request, process)) and process.default_item is None:
        return elsewhere(f"{address(request, process)}/start")
    inputs = WithWaiting() if fields.text("as") == "waiting" else DefaultInput()
    return _started(request, process, await actions.start(*request.acting, process.id, inputs))


async def _start_by_form(request: Asking, process: Process) -> Shown:
    content_type = header_of(request.scope, b"content-type")
    form = files_form_of(content_type, request.stream())
    brought = await _brought(request, process, form)
    fields = Fields(form.pairs())
    inputs = await _inputs(request, process)
    values, shown, wrong = answered(inputs, fields)
    payloads, text = None, fields.raw("payloads").strip()
    if not inputs and text:
        try:
            payloads = payloads_of(text)
        except ValueError as no:
            wrong["payloads"] = f"{str(no)[0].upper()}{str(no)[1:]}."
    if payloads is not None and payloads.count != 1 and brought:
        wrong["payloads"] = "Files go with one payload: that of their work item."
    if wrong:
        return await _show(request, process, shown, payloads=text, wrong=wrong, lost=bool(brought), status=422)
    try:
        if inputs:
            said = filled(process.form, process.default_item, values) if process.form is not None else values
            given: Inputs = WithPayloads(Raw(b"[" + msgspec.json.encode(said) + b"]"), 1)
        elif payloads is not None:
            given = WithPayloads(payloads.array, payloads.count)
        else:
            given = DefaultInput()
        run = await (_with_files(request, process, given, brought) if brought else _plainly(request, process, given))
    except (Invalid, NotFound, Conflict) as refused:
        return await _show(
            request, process, shown, payloads=text, refused=refused.message, lost=bool(brought), status=422
        )
    return _started(request, process, run)


async def _plainly(request: Asking, process: Process, given: Inputs) -> Run | None:
    return await actions.start(*request.acting, process.id, given)


async def _with_files(request: Asking, process: Process, given: Inputs, numbers: Sequence[int]) -> Run:
    match given:
        case WithPayloads(array):
            [payload] = msgspec.json.decode(array, type=list[Raw])
        case _:
            payload = process.default_item or Raw(b"null")
    return await brought_files.start_with(*request.acting, process.id, numbers, payload, AS_USUAL)


async def _brought(request: Asking, process: Process, form: FilesForm) -> list[int]:
    """The files of the form, each stored where the start finds it; the numbers of their items."""
    numbers: list[int] = []
    async for name, content in form.files():
        if len(numbers) == _MOST_FILES:
            raise Invalid(f"A start by a form takes at most {_MOST_FILES} files.", code="TOO_MANY_FILES")
        promised = await brought_files.promise(*request.acting, process.id, name)
        await brought_files.bring(request.engine, promised.token, content)
        numbers.append(promised.number)
    return numbers


def _started(request: Asking, process: Process, run: Run | None) -> Shown:
    if run is None:
        return request.done(address(request, process), "Nothing waits, so that nothing was started.")
    return request.done(f"{request.base}/runs/{run.number}", f"{process.name} is started.")


async def _inputs(request: Asking, process: Process) -> list[Input]:
    """What a start must or may say: by the process's own form, or by the interface of its first task."""
    if process.form is not None:
        return inputs_of(process.form, None)
    scope = request.scope_for(_MAY)
    steps = await store.list_steps(request.db, scope, process.id)
    work = steps[0].work if steps else None
    if not isinstance(work, StepTask):
        return []
    try:
        return inputs_of(None, (await interfaces.of_task(request.db, scope, work.id)).interface)
    except TaskNotFound:  # the newest version does not have it any more
        return []


def _usual(process: Process) -> str:
    return "" if process.default_item is None else pretty(process.default_item)


async def _show(
    request: Asking,
    process: Process,
    inputs: Sequence[Input],
    *,
    payloads: str = "",
    wrong: dict[str, str] | None = None,
    refused: str = "",
    lost: bool = False,
    status: int = 200,
) -> Shown:
    return await show(
        request,
        "processes/start.html",
        process,
        "",
        page="Start",
        status=status,
        inputs=inputs,
        payloads=payloads,
        wrong=wrong or {},
        refused=refused,
        lost=lost,
        pairs=lambda choices: [(each, each) for each in choices],
        may_bring=request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
    )

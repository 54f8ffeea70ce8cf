"""What is done with a run that has ended: it is run again, as it was or with other inputs, or deleted."""

from typing import Final

import msgspec
from msgspec import Raw

from controlroom.engine.references import resolve
from controlroom.engine.runs import actions, reruns, run_views, store
from controlroom.engine.runs.model import WithPayloads
from controlroom.engine.runs.projects import retries
from controlroom.engine.runs.projects.errors import RetryRefused
from controlroom.engine.runs.projects.retry_rules import Retry, RetryRefusal
from controlroom.engine.runs.store import RUN
from controlroom.engine.work_items import store as work_items
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RunId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.runs.pages_run import crumbs_of, run_of

_MOST_INPUTS: Final = 50
_MOST_BYTES: Final = 1 << 20


@verb("/runs/{number:str}/again")
async def run_again(request: Asking, number: Path[str]) -> Shown:
    """Start a run as this one was: with copies of what it began with."""
    of = await resolve(request.db, request.scope_for(Permission.START_RUNS), RUN, number)
    made = await reruns.rerun_run(*request.acting, of)
    return request.done(f"{request.base}/runs/{made.number}", f"Run #{made.number} repeats run #{number}.")


@page("/runs/{number:str}/again", needs=(Permission.START_RUNS, Permission.READ_WORK_ITEMS))
async def ask_for_inputs(request: Asking, number: Path[str]) -> Shown:
    """What it began with, to be changed."""
    run = await run_of(request, number)
    began = await run_views.inputs_of_run(*request.reading, run.id, limit=_MOST_INPUTS + 1)
    payloads = await work_items.payloads_of(*request.reading, began[:_MOST_INPUTS], most_bytes=_MOST_BYTES)
    values = [b"null" if (each := payloads.get(item)) is None else bytes(each) for item in began[:_MOST_INPUTS]]
    text = msgspec.json.format(b"[" + b",".join(values) + b"]", indent=2).decode()
    return await _ask(request, number, text, "", is_cut=len(began) > _MOST_INPUTS)


@verb("/runs/{number:str}/again/with", may=(Permission.START_RUNS, Permission.READ_WORK_ITEMS))
async def run_with(request: Asking, number: Path[str]) -> Shown:
    """Start a run as this one was, with these inputs."""
    fields = await request.fields()
    of = await resolve(request.db, request.scope_for(Permission.START_RUNS), RUN, number)
    text = fields.raw("payloads")
    try:
        count = len(msgspec.json.decode(text, type=list[Raw]))
        if not count:
            return await _ask(request, number, text, "A run begins with at least one input.")
        inputs = WithPayloads(Raw(text.encode()), count)
        made = await reruns.rerun_run(*request.acting, of, inputs=inputs)
    except (msgspec.DecodeError, RecursionError) as broken:
        return await _ask(request, number, text, f"This is no JSON array: {broken}")
    except Invalid as refused:
        return await _ask(request, number, text, str(refused))
    return request.done(
        f"{request.base}/runs/{made.number}", f"Run #{made.number} is as run #{number}, with these inputs."
    )


async def _ask(request: Asking, number: str, text: str, wrong: str, *, is_cut: bool = False) -> Shown:
    return await request.show(
        "runs/again.html",
        title=f"Run #{number} again",
        at="runs",
        crumbs=[],
        status=422 if wrong else 200,
        number=number,
        text=text,
        wrong=wrong,
        is_cut=is_cut,
    )


@page("/runs/{number:str}/retry", needs=(Permission.START_RUNS, Permission.READ_RUNS))
async def ask_to_go_on(request: Asking, number: Path[str]) -> Shown:
    """With which commands of its job it goes on; or why it cannot."""
    return await _ask_to_go_on(request, (await run_of(request, number)).id)


@verb("/runs/{number:str}/retry")
async def go_on(request: Asking, number: Path[str]) -> Shown:
    """Start a run of the job that goes on where this one failed."""
    of = await resolve(request.db, request.scope_for(Permission.START_RUNS), RUN, number)
    made, refused = await tried(retries.retry(*request.acting, of))
    if made is None:
        return await _ask_to_go_on(request, of, refused=refused)
    said = f"Run #{made.number} goes on where run #{number} failed."
    return request.done(f"{request.base}/runs/{made.number}", said)


async def _ask_to_go_on(request: Asking, of: RunId, *, refused: str = "") -> Shown:
    seen = request.scope_for(Permission.READ_RUNS)
    run = await store.get(request.db, seen, of)
    found = (await retries.standings(request.db, seen, [of])).get(of)
    if found is None:
        raise NotFound("Only runs of a job of commands go on where they failed.", code="RUN_OF_NO_JOB")
    return await request.show(
        "runs/go_on.html",
        title=f"Retry #{run.number}",
        at="runs",
        crumbs=crumbs_of(request, run, "Retry"),
        status=REFUSED if refused else 200,
        run=run,
        retry=found if isinstance(found, Retry) else None,
        why=RetryRefused.why(found) if isinstance(found, RetryRefusal) else "",
        refused=refused,
    )


@page("/runs/{number:str}/delete", needs=(Permission.DELETE_RUNS, Permission.READ_RUNS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What goes with it."""
    run = await run_of(request, number)
    return await request.show(
        "runs/delete.html",
        title=f"Delete #{number}",
        at="runs",
        crumbs=crumbs_of(request, run, "Delete"),
        run=run,
        flow=await run_views.flow(*request.reading, run),
    )


@verb("/runs/{number:str}/delete")
async def delete_run(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    of = await resolve(request.db, request.scope_for(Permission.DELETE_RUNS), RUN, number)
    await actions.delete(*request.acting, of)
    return request.done(f"{request.base}/runs", f"Run #{number} is deleted.")

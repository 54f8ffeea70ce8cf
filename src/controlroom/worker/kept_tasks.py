"""The worker keeps tasks ready that are allocated: package, environment and interpreters are there before a call.

What it does: asks the server each half minute what is allocated, fetches and builds what is new, and tells `spares` how
many interpreters to keep. Who else may do it: every worker by itself, for the workspaces that it serves. When it dies,
its spares do too. What it costs: a request a half minute; what fails is tried again at the next one.
"""

import asyncio
from collections import defaultdict
from typing import Final

import structlog

from controlroom.errors import ControlRoomError
from controlroom.protocol import Kept
from controlroom.robots.definition import command_line, find_task
from controlroom.robots.environment_spec import dated
from controlroom.worker.environments.environment import Environment
from controlroom.worker.server import Refused
from controlroom.worker.spare import Recipe
from controlroom.worker.workbench import Workbench

log = structlog.get_logger(__name__)

_EVERY_SECONDS: Final = 30.0


async def keep_ready(bench: Workbench) -> None:
    """The loop, until cancelled; over at once for a worker without spares, or a server that knows no such thing."""
    if bench.settings.spares_memory_bytes <= 0:
        return
    while True:
        try:
            kept = await bench.server.kept()
        except Refused as unknown:
            log.info("nothing is kept ready", reason=str(unknown))
            return
        await hold(bench, kept)
        await asyncio.sleep(_EVERY_SECONDS)


async def hold(bench: Workbench, kept: tuple[Kept, ...]) -> None:
    """Have the interpreters of these tasks kept, and of no others."""
    counts: defaultdict[Recipe, int] = defaultdict(int)
    environments: dict[Recipe, Environment] = {}
    for each in kept:
        try:
            found = await _recipe(bench, each)
        except (ControlRoomError, OSError) as error:
            log.warning("a task cannot be kept ready", task=each.task, package=each.package.name, reason=str(error))
            continue
        if found is not None:
            recipe, environments[found[0]] = found
            counts[recipe] += each.count
    bench.spares.hold(counts, environments)


async def _recipe(bench: Workbench, kept: Kept) -> tuple[Recipe, Environment] | None:
    """What a spare for a task must be, once its package and environment are here; None if no spare serves it."""
    package = await bench.packages.get(kept.package)
    spec = dated(package.environment, kept.exclude_newer)
    task = find_task(package.definition, kept.task)
    words = command_line(task, artifacts_dir=package.definition.artifacts_dir)
    lease = await bench.environments.lease(
        spec, progress=lambda line: log.debug("environment", line=line), share_key=kept.share
    )
    try:
        recipe = bench.spares.recipe(words, spec, lease.environment, share=kept.share, workspace=str(kept.workspace_id))
        return None if recipe is None else (recipe, lease.environment)
    finally:
        lease.release()

"""The variables that a robot finds: those of its workspace and of its process, under what its step and run say.

A claim only learns whether there are any; who has none pays nothing for them. Secret ones are remembered before they
are handed out, so that they are masked in every line that the robot prints.
"""

from controlroom.engine.access.scope import Of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.variables import store
from controlroom.engine.vault import masks
from controlroom.ids import ProcessId, SecretId, StepRunId

ARE_THERE = """exists (select from variable
                    where variable.workspace_id = claimed.workspace_id and variable.target_id is null
                      and variable.user_id is null
                      and (variable.process_id is null or variable.process_id = step.process_id))"""
"""Whether a `claimed` step run of a `step` has any: one probe of an index."""


async def found_by(engine: Engine, scope: Of, step_run: StepRunId, process: ProcessId) -> dict[str, str]:
    """The variables of a step run that was claimed."""
    found = await store.resolved(engine.database, engine.keys, scope, workspace=scope.workspace, process=process)
    secret = {each.name: each.value for each in found if each.is_secret}
    if secret:
        async with scoped(engine.database, scope) as tx:
            await masks.remember(tx, engine.keys, step_run, SecretId(process), secret)
    return {each.name: each.value for each in found}

"""What a request of the old Process API names by its address: each noun belongs to the one before it."""

from typing import Any

from controlroom.border import asking
from controlroom.engine.runs import model
from controlroom.engine.runs import store as runs
from controlroom.engine.runs.errors import RunNotFound, StepRunNotFound
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.errors import WorkItemNotFound
from controlroom.engine.work_items.model import WorkItem
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, RunId, StepRunId, WorkItemId


class Asking(asking.Asking):
    """A request whose address goes `…/processes/{process_id}/runs/{run_id}/robotRuns/{step_run_id}`, or less far."""

    __slots__ = ()

    @property
    def process(self) -> ProcessId:
        """The process."""
        return ProcessId(self._named("process_id"))

    async def run(self) -> model.Run:
        """The run, of this very process; raises RunNotFound."""
        found = await runs.get(*self.reading, RunId(self._named("run_id")))
        if found.process_id != self.process:
            raise RunNotFound(found.id)
        return found

    async def step_run(self) -> model.StepRun:
        """The step run, of this very run; raises RunNotFound, StepRunNotFound."""
        run = await self.run()
        found = await runs.get_step_run(*self.reading, StepRunId(self._named("step_run_id")))
        if found.run_id != run.id:
            raise StepRunNotFound(found.id)
        return found

    async def item(self) -> WorkItem:
        """The work item, of this very process; raises WorkItemNotFound."""
        found = await work_items.get(*self.reading, WorkItemId(self._named("item_id")))
        if found.process_id != self.process:
            raise WorkItemNotFound(found.id)
        return found

    def most(self, limit: int | None) -> int:
        """How many rows a list may have, which has no pages; raises Invalid `INVALID_LIMIT`."""
        if limit is not None and limit < 1:
            raise Invalid("limit must be 1 or more.", code="INVALID_LIMIT")
        longest = self.engine.limits.max_page_size
        return longest if limit is None else min(limit, longest)

    def _named(self, name: str) -> Any:
        return self.scope["path_params"][name]  # read by the router: an id, not a text

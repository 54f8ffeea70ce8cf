"""Step runs of runs, and what they left: events, phases, console, artifacts; and the outputs of runs.

Our rooms tell the step runs of a hundred runs in one answer; where a server does not (the vendor's tells those of one),
each run is asked for, several at a time.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import fsspec

from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Reader, ReadFailed

Row = dict[str, Any]
_PAGE: Final = 1_000
_AT_ONCE: Final = 100
_NOT_SEVERAL: Final = frozenset({400, 404, 422})
_UNSAFE: Final = re.compile(r"[^\w.\- ]")


class StepRuns:
    """Reads what belongs to runs and step runs."""

    def __init__(self, reader: Reader, artifact_files: str | None) -> None:
        self._reader = reader
        self._files = artifact_files
        self._several: bool | None = None
        """Whether the server tells the step runs of several runs; None while nobody knows."""

    def step_runs(self, runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """The step runs of these runs."""
        ids = [run["id"] for run in runs]
        size = _AT_ONCE if self._tells_several(ids) else 1
        yield from _gathered(rows for _, rows in self._reader.each(list(_chunks(ids, size)), self._of_runs))

    def outputs(self, runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """What these runs put out."""
        fetched = self._reader.each(runs, lambda run: self._all("outputs", process_run_id=run["id"]))
        yield from _gathered(rows for _, rows in fetched)

    def events(self, step_runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """What happened to these step runs, counted from 1 in each."""
        yield from self._below(step_runs, "events", numbered=True)

    def phases(self, step_runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """Their phases; none where the server knows no phases."""
        yield from self._below(step_runs, "phases")

    def artifacts(self, step_runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """The files that they left; with their contents, where these are wanted."""
        for page in self._below(step_runs, "artifacts"):
            if self._files is None:
                yield page
            else:
                yield [row for _, row in self._reader.each(page, self._stored)]

    def console(self, step_runs: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """What they printed, page by page: a console may be larger than memory."""
        first = self._reader.each(
            step_runs, lambda each: self._reader.json(Request(_console_of(each["id"]), {"limit": _PAGE}))
        )
        for step_run, answer in first:
            count = 0
            for rows in self._pages_from(answer):
                yield [
                    {**row, "step_run_id": step_run["id"], "line_number": count + n} for n, row in enumerate(rows, 1)
                ]
                count += len(rows)

    # ------------------------------------------------------------------------------------------------ how it is read
    def _tells_several(self, ids: Sequence[str]) -> bool:
        if self._several is None and len(ids) > 1:
            try:
                answer = self._reader.json(
                    Request("step-runs", {"process_run_id": list(ids[:_AT_ONCE]), "limit": _PAGE})
                )
            except ReadFailed as failed:
                if failed.status not in _NOT_SEVERAL:
                    raise
                self._several = False
            else:
                if rows := answer["data"]:
                    self._several = all("process_run" in row for row in rows)
        return bool(self._several)

    def _of_runs(self, ids: Sequence[str]) -> list[Row]:
        rows = self._all("step-runs", process_run_id=ids[0] if len(ids) == 1 else list(ids))
        if len(ids) == 1:
            return [{**row, "process_run_id": ids[0]} for row in rows]
        return [{**row, "process_run_id": row["process_run"]["id"]} for row in rows]

    def _below(self, step_runs: Sequence[Row], what: str, *, numbered: bool = False) -> Iterator[Sequence[Row]]:
        def fetch(step_run: Row) -> list[Row]:
            rows = self._all(f"step-runs/{step_run['id']}/{what}")
            of = {"step_run_id": step_run["id"]}
            return [{**row, **of, "position": n} if numbered else {**row, **of} for n, row in enumerate(rows, 1)]

        yield from _gathered(rows for _, rows in self._reader.each(step_runs, fetch))

    def _all(self, path: str, **params: Any) -> list[Row]:
        return list(self._reader.rows(Request(path, {"limit": _PAGE, **params}), by_link()))

    def _pages_from(self, answer: Any) -> Iterator[Sequence[Row]]:
        yield answer["data"]
        if answer.get("next"):
            yield from (page.rows for page in self._reader.pages(Request(answer["next"]), by_link()))

    def _stored(self, artifact: Row) -> Row:
        """The artifact, with its content in the place that was asked for; what is there is not fetched again."""
        step_run, id_ = artifact["step_run_id"], artifact["id"]
        name = _UNSAFE.sub("_", posixpath.basename(artifact["name"])) or "file"
        place = posixpath.join(str(self._files), step_run, id_, name)
        files, path = fsspec.core.url_to_fs(place)
        if not (files.exists(path) and files.size(path) == artifact["size"]):
            link = self._reader.get(f"step-runs/{step_run}/artifacts/{id_}")["url"]
            files.makedirs(posixpath.dirname(path), exist_ok=True)
            with files.open(f"{path}.part", "wb") as file:
                for piece in self._reader.download(link):
                    file.write(piece)
            files.mv(f"{path}.part", path)
        return {**artifact, "stored_at": place}


def _console_of(step_run: str) -> str:
    return f"step-runs/{step_run}/console-messages"


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _gathered(lists: Iterable[list[Row]]) -> Iterator[Sequence[Row]]:
    """Short lists as pages of some length."""
    page: list[Row] = []
    for rows in lists:
        page += rows
        if len(page) >= _PAGE:
            yield page
            page = []
    if page:
        yield page

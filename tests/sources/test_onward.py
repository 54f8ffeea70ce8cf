"""Pages of a list are read on while a window is loaded; whatever becomes of the load, none is lost or doubled."""

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from controlroom.sources import resources
from controlroom.sources.columns import TEXT, TIME, Column, Table
from controlroom.sources.onward import hand_on, reading_on, taken_on
from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Reader, ReadFailed
from controlroom.sources.resources import resource
from controlroom.sources.running import LoadReport, load
from controlroom.sources.sweeping import Sweep
from sources.serving import Listing, listing

ITEMS = Table(
    name="items",
    description="…",
    key=("id",),
    columns=(Column("id", TEXT, "…"), Column("created_at", TIME, "…"), Column("state", TEXT, "…")),
)
ROWS, PAGE, WINDOW = 600, 20, 200
PATIENCE = 60


@pytest.fixture
def server():
    """A list of some windows, whose link comes first."""
    with listing() as told:
        for n in range(ROWS):
            at = f"2026-{1 + n // 100:02}-{1 + n % 28:02}T00:00:00Z"
            told.rows[f"{n:05}"] = {"id": f"{n:05}", "created_at": at, "state": "done"}
        told.link_first = True
        yield told


def loaded(server: Listing, folder: Path, meanwhile: Callable[[str], None], **options) -> LoadReport:
    """A load of the list in windows; `meanwhile` is called with each step."""

    @dlt.source(name="list")
    def source():
        def pages():
            yield from Sweep(
                reader=Reader(server.url, **options),
                first=Request("items", {"limit": PAGE}),
                following=by_link(),
                one=lambda id_: Request(f"items/{id_}"),
                is_open=lambda row: row["state"] == "new",
                look_back=dt.timedelta(hours=1),
                window=WINDOW,
            ).pages(resources.state(), frozenset({"items"}))

        return resource(ITEMS, pages)

    place = f"duckdb:{folder / 'l.duckdb'}"
    return load(source, place, name="list", folder=folder, dataset="d", tell=lambda step, *_: meanwhile(step))


def ids(folder: Path) -> list[str]:
    with duckdb.connect(str(folder / "l.duckdb"), read_only=True) as database:
        return [id_ for (id_,) in database.execute("select id from d.items order by id").fetchall()]


def until(holds: Callable[[], bool]) -> None:
    """Wait for it."""
    waiting = threading.Event()
    for _ in range(PATIENCE * 100):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it never held")


def test_pages_come_while_the_window_before_is_loaded(server, tmp_path):
    """The list is asked to its end while the first window is under way to the destination, and each page once."""
    reached: list[int] = []

    def meanwhile(step: str) -> None:
        if step.startswith("Load") and not reached:
            until(lambda: len(server.asked) == ROWS // PAGE)
            reached.append(len(server.asked))

    report = loaded(server, tmp_path, meanwhile)
    assert reached == [ROWS // PAGE]
    assert (report.rows["items"], report.packages) == (ROWS, ROWS // WINDOW)
    assert len(server.asked) == len(set(server.asked)) == ROWS // PAGE
    assert ids(tmp_path) == list(server.rows)


def test_a_load_that_fails_stops_who_reads_on(server, tmp_path):
    """Though a busy server has told it to wait for an hour; the next load brings what is missing, and nothing twice."""
    server.failing_from = WINDOW // PAGE + 2

    def meanwhile(step: str) -> None:
        if step.startswith("Load"):
            until(lambda: len(server.asked) > WINDOW // PAGE + 2)
            raise RuntimeError("the disk is full")

    with pytest.raises((PipelineStepFailed, RuntimeError), match="the disk is full"):
        loaded(server, tmp_path, meanwhile, longest_pause=3600)
    assert not [each for each in threading.enumerate() if each.name.startswith("page")]
    server.failing_from = None
    loaded(server, tmp_path, lambda _: None)
    assert ids(tmp_path) == list(server.rows)


def test_what_a_reader_meets_ahead_is_told_by_the_window_that_it_is_of(server, tmp_path):
    """A page that the server refuses ends the load once it is due: the windows before it are there."""
    server.failing_from, server.failure = WINDOW // PAGE + 3, (401, {})
    with pytest.raises(PipelineStepFailed, match="401"):
        loaded(server, tmp_path, lambda _: None)
    assert ids(tmp_path) == list(server.rows)[-WINDOW:]
    server.failing_from = None
    loaded(server, tmp_path, lambda _: None)
    assert ids(tmp_path) == list(server.rows)


def test_pages_are_handed_on_within_one_load_alone():
    """Once, and what nobody has taken is given up."""
    given_up: list[str] = []
    hand_on("a", (_ for _ in ()), lambda: given_up.append("a"))
    assert taken_on("a") is None
    with reading_on():
        hand_on("a", (_ for _ in ()), lambda: given_up.append("a"))
        hand_on("b", (_ for _ in ()), lambda: given_up.append("b"))
        assert taken_on("a") is not None
        assert taken_on("a") is None
    assert given_up == ["b"]
    assert taken_on("b") is None


def test_a_reader_that_has_given_up_asks_for_nothing(server):
    """It says so."""
    reader = Reader(server.url)
    reader.give_up()
    with pytest.raises(ReadFailed, match="given up"):
        reader.get("items")
    assert server.asked == []

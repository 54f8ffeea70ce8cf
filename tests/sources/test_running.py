"""A load finds out by its destination where it goes on from."""

import datetime as dt
import shutil

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from controlroom.sources import resources
from controlroom.sources.columns import TEXT, TIME, Column, Table
from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Reader
from controlroom.sources.resources import Kept, resource
from controlroom.sources.running import AmbiguousName, AnothersTables, CannotOpen, destination_of, load, name_of
from controlroom.sources.sweeping import Sweep
from sources.serving import Listing, listing

ITEMS = Table(
    name="items",
    description="…",
    key=("id",),
    columns=(Column("id", TEXT, "…"), Column("created_at", TIME, "…"), Column("state", TEXT, "…")),
)


def source_of(server: Listing):
    """Makes the source of a list, and of its rows as a small noun."""
    reader = Reader(server.url)

    def swept():
        return Sweep(
            reader=reader,
            first=Request("items", {"limit": 100}),
            following=by_link(),
            one=lambda id_: Request(f"items/{id_}"),
            is_open=lambda _: False,
            look_back=dt.timedelta(hours=1),
        ).pages(resources.state(), frozenset({"items"}))

    @dlt.source(name="list")
    def source():
        noun = Table(name="nouns", description="…", key=("id",), columns=ITEMS.columns)
        pages = reader.pages
        return (
            resource(ITEMS, swept),
            resource(
                noun,
                lambda: (page.rows for page in pages(Request("items", {"limit": 100}), by_link())),
                kept=Kept.REPLACED,
                quiet=True,
            ),
        )

    return source


def test_where_a_load_goes_on_from_stands_in_its_destination(tmp_path):
    """Where the tables are gone, all is loaded; where only the load's own folder is gone, nothing is loaded twice."""
    with listing() as server:
        for n in range(120):
            id_ = f"{n:05}"
            server.rows[id_] = {"id": id_, "created_at": f"2026-{1 + n // 10:02}-01T00:00:00Z", "state": "done"}

        def rows() -> dict[str, int]:
            place, folder = f"duckdb:{tmp_path / 'x.duckdb'}", tmp_path / "p"
            return load(source_of(server), place, name="list", folder=folder, dataset="d").rows

        assert rows() == {"items": 120, "nouns": 120}
        assert rows() == {}
        (tmp_path / "x.duckdb").unlink()
        assert rows() == {"items": 120, "nouns": 120}
        shutil.rmtree(tmp_path / "p")
        assert rows() == {}

        server.rows.pop("00003")  # the noun goes, the item stays until all is read anew
        assert rows() == {"nouns": 119}
        server.failures += [(403, {})] * 2
        assert rows() == {}  # what may not be read any more is left as it is
        assert rows() == {}


def test_what_another_load_has_left_is_no_concern_of_this_one(tmp_path):
    """A sweep that was cut off waits for a load that asks for it, and no other goes round for it."""
    with listing() as server:
        server.rows |= {f"{n:05}": {"id": f"{n:05}", "created_at": "2026-01-01T00:00:00Z"} for n in range(300)}

        @dlt.source(name="two")
        def source():
            def cut():
                resources.state()["more"] = True
                yield [server.rows["00001"]]

            other = Table(name="other", description="…", key=("id",), columns=ITEMS.columns)
            return resource(ITEMS, cut), resource(other, lambda: [[server.rows["00002"]]])

        pipeline = dlt.pipeline(
            "two",
            destination=dlt.destinations.duckdb(f"{tmp_path}/x.duckdb"),
            dataset_name="d",
            pipelines_dir=str(tmp_path / "p"),
        )
        pipeline.run(source().with_resources("items"))
        report = load(
            source, f"duckdb:{tmp_path}/x.duckdb", name="two", folder=tmp_path / "p", dataset="d", resources=["other"]
        )
        assert report.rows == {"other": 1}


def test_another_place_is_another_pipeline(tmp_path, monkeypatch):
    """By destination, file and dataset, so that none goes on where another was."""
    monkeypatch.chdir(tmp_path)
    names = {
        name_of("robocorp", destination, dataset)
        for destination in ("duckdb:a.duckdb", "duckdb:b.duckdb", "postgres")
        for dataset in ("one", "two")
    }
    assert len(names) == 6
    assert name_of("robocorp", "duckdb:a.duckdb", "one") == name_of("robocorp", f"duckdb:{tmp_path}/a.duckdb", "one")


def test_tables_of_two_sources_are_never_mixed(tmp_path):
    """A source refuses a dataset in which another one has a table of the same name; beside others it loads."""

    def made(name: str, table: str):
        noun = Table(name=table, description="…", key=("id",), columns=(Column("id", TEXT, "…"),))
        return dlt.source(lambda: resource(noun, lambda: [[{"id": name}]], kept=Kept.REPLACED), name=name)

    def rows(source: str, table: str, dataset: str = "d") -> dict[str, int]:
        place = f"duckdb:{tmp_path / 'x.duckdb'}"
        return load(made(source, table), place, name=f"{source}_{dataset}", folder=tmp_path, dataset=dataset).rows

    assert rows("robocorp", "work_items") == {"work_items": 1}
    with pytest.raises(AnothersTables, match=r"d holds what robocorp has loaded.*\(work_items\)"):
        rows("automation360", "work_items")
    assert rows("automation360", "users") == {"users": 1}
    assert rows("automation360", "work_items", "another") == {"work_items": 1}
    assert rows("robocorp", "work_items") == {"work_items": 1}


def test_what_a_destination_has_refused_is_tried_again_until_all_is_read_anew(tmp_path):
    """A load keeps what it could not load, and the next one begins with it; one that reads all anew lets it go."""
    place = tmp_path / "x.duckdb"
    noun = Table(name="nouns", description="…", key=("id",), columns=(Column("id", TEXT, "…"),))
    source = dlt.source(lambda: resource(noun, lambda: [[{"id": "word"}]]), name="list")

    def rows(*, anew: bool) -> dict[str, int]:
        return load(source, f"duckdb:{place}", name="list", folder=tmp_path / "p", dataset="d", anew=anew).rows

    with duckdb.connect(str(place)) as database:
        database.execute("create schema d; create table d.nouns (id bigint, _dlt_load_id text, _dlt_id text)")
    for _ in range(2):
        with pytest.raises(PipelineStepFailed, match="INT64"):
            rows(anew=False)
    with duckdb.connect(str(place)) as database:
        database.execute("drop schema d cascade")
    assert rows(anew=True) == {"nouns": 1}


@pytest.mark.parametrize(("destination", "dataset"), [("duckdb:{folder}/Room.duckdb", "room"), ("duckdb", None)])
def test_a_dataset_that_is_called_like_its_duckdb_file_is_refused(tmp_path, monkeypatch, destination, dataset):
    """Before anything is read; the file is the one that was named, or dlt's, which has the pipeline's name."""
    monkeypatch.chdir(tmp_path)
    noun = Table(name="nouns", description="…", key=("id",), columns=(Column("id", TEXT, "…"),))
    source = dlt.source(lambda: resource(noun, lambda: pytest.fail("it was read")), name="list")
    with pytest.raises(AmbiguousName, match=r"oom.duckdb and the dataset room"):
        load(source, destination.format(folder=tmp_path), name="room", folder=tmp_path / "p", dataset=dataset)


def test_a_package_that_was_ready_when_a_load_was_killed_is_loaded(tmp_path):
    """Killed after the package was made ready and before that of which it was made was gone: once, and for good."""
    with listing() as server:
        place, folder = f"duckdb:{tmp_path / 'x.duckdb'}", tmp_path / "p"

        def filled(begin: int, end: int) -> None:
            for n in range(begin, end):
                server.rows[f"{n:05}"] = {"id": f"{n:05}", "created_at": "2026-01-01T00:00:00Z", "state": "done"}

        filled(0, 20)
        load(source_of(server), place, name="list", folder=folder, dataset="d")
        filled(20, 30)
        killed = dlt.pipeline("list", destination=destination_of(place), dataset_name="d", pipelines_dir=str(folder))
        killed.extract(source_of(server)())
        shutil.copytree(folder / "list" / "normalize", tmp_path / "before")
        killed.normalize()
        shutil.copytree(tmp_path / "before", folder / "list" / "normalize", dirs_exist_ok=True)
        assert killed.list_extracted_load_packages() == killed.list_normalized_load_packages() != []

        load(source_of(server), place, name="list", folder=folder, dataset="d")
        with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as database:
            assert database.execute("select count(*), count(distinct id) from d.items").fetchone() == (30, 30)


def test_a_destination_that_is_not_there_is_told_in_its_words(tmp_path):
    """Without its password."""
    nowhere = dlt.destinations.postgres("postgresql://ada:very-secret@127.0.0.1:1/rooms")
    with listing() as server, pytest.raises(CannotOpen, match=r"cannot be opened: .*refused") as told:
        load(source_of(server), nowhere, name="t", folder=tmp_path)
    assert "very-secret" not in str(told.value)

"""What is new and what has changed comes with each sweep, and what is as it was does not."""

import base64
import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.sources.paging import Request, by_link
from controlroom.sources.reading import Reader
from controlroom.sources.sweeping import Sweep
from sources.serving import Listing, listing

BEGIN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
OPEN = frozenset({"new", "working"})


def row(n: int, state: str = "new") -> dict:
    return {"id": f"{n:05}", "created_at": (BEGIN + n * HOUR / 6).isoformat(), "state": state}


class Loads:
    """Sweeps of a list into a table, committed as dlt would."""

    def __init__(self, server: Listing, **options):
        self.reader = Reader(server.url)
        self.state: dict = {}
        self.table: dict[str, dict] = {}
        self.options = {"look_back": HOUR} | options

    def sweep(self, asked=("items",), **options) -> int:
        """One load, window by window; how many rows were told."""
        count = 0
        while True:
            sweep = Sweep(
                reader=self.reader,
                first=Request("items", {"limit": 7}),
                following=by_link(),
                one=lambda id_: Request(f"items/{id_}"),
                is_open=lambda each: each["state"] in OPEN,
                **self.options | options,
            )
            for page in sweep.pages(self.state, frozenset(asked)):
                count += len(page)
                self.table |= {each["id"]: each for each in page}
            if not self.state.get("more"):
                return count


def test_a_row_that_a_list_tells_twice_is_told_once():
    """Within a page and over pages, at whichever place it stands: a merge need not look for it."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(20))}
        server.twice = True
        loads = Loads(server)
        assert loads.sweep() == 20
        assert loads.table == server.rows


def test_a_sweep_tells_what_is_new_and_open_alone():
    """All at first; then new rows, open ones of any age that have changed, ended ones of the look-back, no other."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(100))}
        server.rows["00003"] = row(3)
        loads = Loads(server)
        assert loads.sweep() == 100
        assert loads.table == server.rows
        before = len(server.asked)
        assert loads.sweep() == 1  # the open one, which is asked for by itself
        assert len(server.asked) - before <= 4  # two pages may be under way beside the first

        server.rows["00003"] = row(3, "failed")
        server.rows["00098"] = row(98, "failed")  # has ended, and was changed within the look-back
        server.rows["00100"] = row(100, "done")
        assert loads.sweep() == 3
        assert loads.table == server.rows
        server.rows["00004"] = row(4, "failed")  # long after the look-back
        assert loads.sweep() == 0
        assert loads.sweep(full=True) == 101
        assert loads.table == server.rows


def test_each_choice_of_tables_has_a_sweep_of_its_own():
    """What is fetched below a row depends on it: whoever asks for more later is told all of it from the beginning."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(30))}
        loads = Loads(server)
        assert loads.sweep(("items", "steps")) == 30
        assert loads.sweep(("items",)) == 30
        server.rows["00030"] = row(30, "done")
        assert loads.sweep(("items",)) == 1
        assert loads.sweep(("items", "steps")) == 1


def test_older_rows_come_when_they_are_asked_for():
    """`since` leaves out what is older; an earlier one begins anew."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(60))}
        loads = Loads(server)
        assert loads.sweep(since=BEGIN + 5 * HOUR) == 30
        assert loads.sweep(since=BEGIN + 5 * HOUR) == 0
        assert loads.sweep(since=BEGIN + HOUR) == 54
        assert loads.sweep(since=None) == 60


def test_a_page_of_another_day_means_nothing_and_is_begun_again():
    """Where the server knows the address of the page no more, the sweep begins at the first, and nothing is lost."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(40))}
        loads = Loads(server)
        pages = Sweep(
            reader=loads.reader,
            first=Request("items", {"limit": 7}),
            following=by_link(),
            one=lambda id_: Request(f"items/{id_}"),
            is_open=lambda _: False,
            look_back=HOUR,
            window=14,
        ).pages(loads.state, frozenset({"items"}))
        assert sum(map(len, pages)) == 14
        [swept] = loads.state["sweeps"].values()
        swept["under"]["next"] = "/gone?before=00001"
        loads.sweep()
        assert set(loads.table) == set(server.rows)


changes = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.integers(1, 12)),
        st.tuples(st.just("change"), st.integers(0, 200), st.sampled_from(["working", "done", "failed"])),
        st.tuples(st.just("load"), st.sampled_from([None, 7, 20])),
    ),
    max_size=25,
)


@settings(max_examples=15)
@given(changes)
def test_whatever_happens_between_loads_the_table_is_the_list(steps):
    """New rows, open ones that change, whatever their age: after the last load all are as the server has them."""
    with listing() as server:
        loads = Loads(server)
        for step in (*steps, ("load", None)):
            match step:
                case ("new", count):
                    begin = len(server.rows)
                    server.rows |= {each["id"]: each for each in map(row, range(begin, begin + count))}
                case ("change", n, state) if f"{n:05}" in server.rows and server.rows[f"{n:05}"]["state"] in OPEN:
                    server.rows[f"{n:05}"] = row(n, state)
                case ("load", window):
                    loads.sweep(window=window)
        assert loads.table == server.rows
        open_ = sum(each["state"] in OPEN for each in server.rows.values())
        assert loads.sweep() <= open_


def test_only_what_will_be_read_again_is_remembered():
    """What a sweep keeps of rows is as long as the look-back, not as the list: digests cost time and are state."""
    with listing() as server:
        server.rows |= {each["id"]: each for each in (row(n, "done") for n in range(700))}
        loads = Loads(server)
        assert loads.sweep() == 700
        [swept] = loads.state["sweeps"].values()
        assert 6 <= len(base64.b64decode(swept["told"])) // 8 <= 14  # an hour has six, and a page seven
        assert loads.sweep() == 0

"""The list of runs is read by when they ended, from servers that know less than ours, too; each run once."""

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from controlroom.sources.dbt_cloud.runs import Runs
from controlroom.sources.paging import TooFew
from controlroom.sources.reading import Reader

BEGAN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def ended(number, minutes):
    """A run that ended so many minutes after the beginning; one that goes on where none are said."""
    at = None if minutes is None else (BEGAN + dt.timedelta(minutes=minutes)).isoformat(" ", "microseconds")
    return {"id": number, "status": 3 if at is None else 10, "finished_at": at, "updated_at": at}


class Api:
    """An API that has runs, and knows of ranges, orders and limits as much as it is told to."""

    def __init__(self, runs, *, knows_ranges=True, knows_order=True, most=3, says_total=True):
        self.runs, self.asked = runs, []
        self.knows_ranges, self.knows_order, self.most, self.says_total = knows_ranges, knows_order, most, says_total

    def answer(self, query):
        """A page, as the query asks for it."""
        self.asked.append(query)
        found = list(self.runs)
        if self.knows_ranges and "finished_at__range" in query:
            first, last = (dt.datetime.fromisoformat(each) for each in json.loads(query["finished_at__range"]))
            found = [
                run for run in found if run["finished_at"] and dt.datetime.fromisoformat(run["finished_at"]) >= first
            ]
            assert last.year == 9999
        if self.knows_ranges and "status__in" in query:
            found = [run for run in found if run["status"] in json.loads(query["status__in"])]
        if self.knows_order and query.get("order_by") == "finished_at":
            found.sort(key=lambda run: (run["finished_at"] or "~", run["id"]))
        offset, limit = int(query.get("offset", 0)), min(self.most, int(query["limit"]))
        rows = found[offset : offset + limit]
        pagination = {"count": len(rows)} | ({"total_count": len(found)} if self.says_total else {})
        return {"data": rows, "extra": {"filters": {"limit": limit, "offset": offset}, "pagination": pagination}}


@pytest.fixture
def serve():
    """Serves an API, and gives what reads its runs."""
    servers = []

    def begin(api, **options):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                body = json.dumps(api.answer(query)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        reader = Reader(f"http://127.0.0.1:{server.server_port}", workers=2)
        return Runs(**({"reader": reader, "path": "runs/", "size": 1_000, "look_back": HOUR} | options))

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def read(runs, state, asked=("runs",)):
    """The ids of the runs that a load reads, in its order."""
    return [run["id"] for page in runs.pages(state, asked) for run in page]


WAYS = [
    {},
    {"says_total": False},
    {"knows_ranges": False},
    {"knows_order": False},
    {"knows_ranges": False, "knows_order": False, "says_total": False},
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("minutes", [[5, 3, None, 9, 1, 7, 7, 2], [4] * 8, [None, None], [], list(range(10))])
def test_each_run_is_told_once(serve, way, minutes):
    """However many end in one moment, whatever of ranges and orders the server knows, and however few it gives."""
    runs = [ended(number, each) for number, each in enumerate(minutes)]
    told = read(serve(Api(runs, **way)), {})
    assert sorted(told) == [run["id"] for run in runs]


@pytest.mark.parametrize("way", WAYS)
def test_later_loads_tell_what_is_new_and_what_goes_on(serve, way):
    """Those that ended in the look-back once only; one that went on, with its end."""
    api = Api([ended(1, 0), ended(2, 200), ended(3, None)], **way)
    runs, state = serve(api), {}
    assert read(runs, state) == [1, 2, 3]
    assert read(runs, state) == [3]

    api.runs = [ended(1, 0), ended(2, 200), ended(3, 190), ended(4, 201), ended(5, None)]  # 3 was committed late
    assert read(runs, state) == [3, 4, 5]
    assert read(runs, json.loads(json.dumps(state))) == [5]


def test_a_long_history_is_cut_into_windows(serve):
    """Each goes on behind the one before, also where many runs ended in one moment; the last one tells that it is."""
    api = Api([ended(number, number // 4) for number in range(22)])
    told, state, windows = [], {}, 0
    while not windows or state.get("more"):
        windows += 1
        told += read(serve(api, window=6), state)
    assert told == list(range(22))
    assert windows > 2
    assert read(serve(api, window=6), state) == []


def test_old_runs_that_are_deleted_meanwhile_hide_none(serve):
    """Each page begins where the one before it ended, and not behind so many rows."""
    api = Api([ended(number, number) for number in range(12)])
    answer = api.answer

    def shrinking(query):
        found = answer(query)
        api.runs = api.runs[2:]
        return found

    api.answer = shrinking
    assert set(range(8, 12)) <= set(read(serve(api), {}))
    assert "offset" in api.asked[1]
    assert api.asked[1]["offset"] == "0"


def test_a_list_that_ends_before_its_total_is_an_error(serve):
    """Never a quiet success with fewer rows."""
    api = Api([ended(number, 1) for number in range(4)], most=0)
    with pytest.raises(TooFew):
        read(serve(api), {})


def test_a_load_that_asks_for_more_begins_anew(serve):
    """Steps of all runs, not of the latest only; and older runs, where `since` goes further back."""
    api = Api([ended(1, 0), ended(2, 200)])
    state = {}
    assert read(serve(api, since=BEGAN + HOUR), state) == [2]
    assert read(serve(api, since=BEGAN + HOUR), state) == []
    assert read(serve(api, since=BEGAN + HOUR), state, ("runs", "run")) == [2]
    assert read(serve(api, since=BEGAN), state, ("runs", "run")) == [1, 2]
    assert read(serve(api), state, ("run",)) == [1, 2]
    assert read(serve(api), state, ("run",)) == []
    assert read(serve(api, full=True), state, ("run",)) == [1, 2]

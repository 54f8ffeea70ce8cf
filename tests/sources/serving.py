"""A small HTTP server with a list that tells the newest first, as Robocorp's do, and fails as it is told to."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Listing:
    """Rows by id, newest last; `url` is where they are told."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What the next requests are answered instead: status and headers."""
    asked: list[str] = field(default_factory=list)
    """The requests so far."""
    credentials: list[str | None] = field(default_factory=list)
    url: str = ""
    failing_from: int | None = None
    """From this request on, all are answered by the failure."""
    failure: tuple[int, dict[str, str]] = (503, {"Retry-After": "3600"})
    link_first: bool = False
    """Whether an answer of the list begins with its link, so that it is seen before the rest is read."""
    twice: bool = False
    """Whether pages of the list have their first row twice, and their last one once more on the next."""

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """`/items?limit=&before=` is the list, `/items/ID` a row, `/offset?offset=&limit=` the list by offsets."""
        match path.strip("/").split("/"):
            case ["items", id_]:
                return (200, self.rows[id_]) if id_ in self.rows else (404, {"error": {"message": "no such item"}})
            case ["items"]:
                limit, before = int(query.get("limit", ["10"])[0]), query.get("before", [None])[0]
                ids = [id_ for id_ in reversed(self.rows) if before is None or id_ < before]
                here = ids[:limit]
                more = len(ids) > limit
                next_ = f"http://elsewhere.example/items?limit={limit}&before={here[-1 - self.twice]}" if more else None
                here += here[: self.twice]
                told = {"data": [self.rows[id_] for id_ in here], "next": next_, "has_more": more}
                return 200, dict(sorted(told.items(), reverse=True)) if self.link_first else told
            case ["offset"]:
                start, limit = int(query.get("offset", ["0"])[0]), int(query.get("limit", ["10"])[0])
                rows = list(self.rows.values())[start : start + limit]
                return 200, {"data": rows, "total": len(self.rows) + int(query.get("lie", ["0"])[0])}
            case _:
                return 404, {"message": "nothing here"}


@contextlib.contextmanager
def listing() -> Iterator[Listing]:
    """It, on a free port of this machine."""
    told = Listing()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.asked.append(self.path)
            told.credentials.append(self.headers.get("Authorization"))
            asked = urlsplit(self.path)
            status, headers = told.failures.pop(0) if told.failures else (200, {})
            if told.failing_from is not None and len(told.asked) > told.failing_from:
                status, headers = told.failure
            body: Any = {"message": f"not now {status}"}
            if status == 200:
                status, body = told.answer(asked.path, parse_qs(asked.query))
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Deliveries survive the death of the server that sends them."""

import http.server
import json
import threading
from collections import Counter
from contextlib import contextmanager

import pytest

from rooms import room, until

pytestmark = pytest.mark.fault

TESTS = 40
LEASE_SECONDS = 45


class Receiver:
    """Notes ids of messages; holds its answers until it is let go, so that a server dies with messages in hand."""

    def __init__(self):
        self.got: Counter[str] = Counter()
        self.answers = threading.Event()
        self.url = ""


@contextmanager
def receiving():
    """A receiver in threads, while the block runs."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            receiver.got[message["id"]] += 1
            receiver.answers.wait()
            try:
                self.send_response(204)
                self.end_headers()
            except OSError:  # who asked is dead
                self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.answers.set()
        server.shutdown()


def test_messages_of_a_killed_server_are_delivered_at_least_once():
    """Kill -9 of the server with messages in hand and more waiting: each arrives, known by the same id."""
    with receiving() as receiver, room("--no-worker", CONTROLROOM_OUTGOING_ALLOW="127.0.0.1") as running:
        hook = running.post("/webhooks", {"endpoint": receiver.url, "enabled_events": ["process_run.started"]})
        deliveries = [running.post(f"/webhooks/{hook['id']}/test")["delivery"]["id"] for _ in range(TESTS)]
        messages = {running.get(f"/deliveries/{each}")["message_id"] for each in deliveries}
        until(lambda: receiver.got, "messages are under way")
        in_hand = set(receiver.got)

        running.child("server").kill()
        receiver.answers.set()
        until(lambda: set(receiver.got) == messages, "every message has come", seconds=LEASE_SECONDS + 60)
        until(
            lambda: all(running.get(f"/deliveries/{each}")["state"] == "delivered" for each in deliveries),
            "every delivery is known to have come",
            seconds=LEASE_SECONDS + 60,
        )

    assert all(receiver.got[each] == 2 for each in in_hand)
    assert all(receiver.got[each] <= 2 for each in messages)

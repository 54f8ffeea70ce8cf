"""Whatever a caller sends, the server answers others meanwhile, and tells the caller what is wrong."""

import io
import json
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rooms import Room, room

LONGEST = 0.25
"""Seconds until /healthz answers, as far as the server itself was at work meanwhile: where other programs want the
processor, an answer is late by them."""
TRIES = 4
"""Why: the server does other things, too; an answer that a caller delays is late always."""

EXAMPLES = Path(__file__).parents[1] / "examples"
DEEP = "[" * 40 + '"x"' + "]" * 40
RECURSIVE = {
    "$ref": "#/$defs/n",
    "$defs": {"n": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/n"}}] * 2 + [{"type": "integer"}]}},
}


def fan_out(levels: int) -> dict[str, Any]:
    """References that lead twice to the next level, each."""
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**twice, f"d{levels}": {"type": "object"}}}


def many(least: int, most: int) -> str:
    return ",".join(map(str, range(least, most)))


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in files.items():
            package.writestr(name.replace("_", "."), text)
    return content.getvalue()


ROBOT = "artifactsDir: output\ntasks:\n  Run:\n    shell: python -m robocorp.tasks run tasks.py\n"


def multipart(fields: dict[str, str], content: bytes) -> tuple[bytes, dict[str, str]]:
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    body = "\r\n".join([*parts, file]).encode() + content + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


class Attacked:
    """A room with a process and a queue, and callers of it."""

    def __init__(self, running: Room) -> None:
        self.running = running
        package = running.cli("push", EXAMPLES / "plain-script", "--name", "plain").stdout.strip()
        task = running.json("packages", "show", package)["tasks"][0]["name"]
        self.process = running.cli("process", "create", "P", "--step", f"work={package}:{task}").stdout.strip()
        self.queues: dict[str, str] = {}

    def queue(self, schema: dict[str, Any]) -> str:
        """A queue with a schema."""
        name = f"queue {len(self.queues)}"
        self.queues[name] = self.send("POST", "/queues", {"name": name, "schema": schema})["id"]
        return self.queues[name]

    def item(self, schema: dict[str, Any], payload: str) -> bytes:
        """An item for a new queue with that schema."""
        return f'{{"queue": {{"id": "{self.queue(schema)}"}}, "payload": {payload}}}'.encode()

    def send(self, method: str, path: str, body: Any) -> Any:
        """An answer that must be a success."""
        status, answer = self.ask(method, path, body)
        assert status == 200, answer
        return json.loads(answer)

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and answer, of a success its bytes; a zip is uploaded as the package that the path names."""
        if method == "PUSH":
            form = self.send("POST", "/task-package-uploads", {"name": path})
            return self._answered(form["url"], *multipart(form.get("form_data", form.get("fields", {})), body))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        address = f"{self.running.url}/api/v1/workspaces/{self.running.facts['workspace_id']}{path}"
        return self._answered(address, content, {"Authorization": f"RC-WSKEY {self.running.facts['api_key']}"})

    def _answered(self, address: str, content: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        request = urllib.request.Request(address, data=content, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return 200, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def slowest_meanwhile(self, method: str, path: str, body: Any) -> tuple[float, int, Any]:
        """The slowest answer of /healthz while something is asked, and what that was answered."""
        server = self.running.child("server")

        def at_work() -> float:
            times = server.cpu_times()
            return times.user + times.system

        answers: list[tuple[int, Any]] = []
        asking = threading.Thread(target=lambda: answers.append(self.ask(method, path, body)))
        asking.start()
        slowest = 0.0
        while asking.is_alive():
            began, worked = time.monotonic(), at_work()
            with urllib.request.urlopen(f"{self.running.url}/healthz", timeout=60) as answer:
                answer.read()
            slowest = max(slowest, min(time.monotonic() - began, at_work() - worked))
            asking.join(0.01)
        asking.join()
        [(status, answer)] = answers
        return slowest, status, answer


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with room("--no-worker") as running:
        yield Attacked(running)


def rule(kind: str, **of: Any) -> dict[str, Any]:
    return {"rule": {"type": kind, **of}, "time_zone": "Europe/Berlin", "count": 100}


def cases(room: Attacked) -> dict[str, tuple[str, str, Any, set[str]]]:
    """What is sent, by name: method, path, body, and the codes that may be answered; none for a success."""
    days = f"BYMONTH={many(1, 13)};BYMONTHDAY={many(1, 32)}"
    hours = f"BYHOUR={many(0, 24)};BYMINUTE={many(0, 60)}"
    runs = f"/processes/{room.process}/process-runs"
    regular = {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}
    return {
        "a payload for references that fan out": (
            *("POST", "/work-items", room.item(fan_out(30), "{}")),
            {"TOO_COSTLY"},
        ),
        "a payload for a recursive schema": (
            *("POST", "/work-items", room.item(RECURSIVE, DEEP)),
            {"TOO_COSTLY"},
        ),
        "a text for a regular expression": (
            *("POST", "/work-items", room.item(regular, json.dumps("a" * 500_000))),
            {"TOO_COSTLY", "PAYLOAD_REFUSED"},
        ),
        "a long list that does not fit": (
            *("POST", "/work-items"),
            room.item({"items": {"anyOf": [{"type": "string"}] * 50}}, json.dumps([1] * 100_000)),
            {"TOO_COSTLY", "PAYLOAD_REFUSED"},
        ),
        "a cron text of a megabyte": (
            *("POST", "/schedules/preview", rule("cron", expression=",".join(["0-59"] * 200_000) + " * * * *")),
            {"SCHEDULE_RULE_INVALID"},
        ),
        "a recurrence rule with a million occurrences": (
            *("POST", "/schedules/preview"),
            rule("rrule", rule=f"FREQ=YEARLY;{days};{hours};COUNT=9999", start="2000-01-01T00:00:00"),
            {"TOO_COSTLY", "SCHEDULE_RULE_INVALID", ""},
        ),
        "a recurrence rule that never comes": (
            *("POST", "/schedules/preview"),
            rule("rrule", rule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;BYSETPOS=7", start="2000-01-01T00:00:00"),
            {"TOO_COSTLY", "SCHEDULE_RULE_INVALID", ""},
        ),
        "fifteen million payloads": (
            *("POST", runs, b'{"payloads":[' + b"1," * 15_000_000 + b"1]}"),
            {"JSON_TOO_COMPLEX"},
        ),
        "a million payloads": ("POST", runs, b'{"payloads":[' + b"1," * 1_000_000 + b"1]}", {"TOO_MANY_ITEMS"}),
        "a payload of empty lists": (
            *("POST", "/work-items", room.item({}, "[" + "[]," * 900_000 + "1]")),
            {"", "PAYLOAD_TOO_LARGE"},
        ),
        "a secret of many strings": (
            *("POST", "/secrets/big", b'{"values":{"a":[' + b'"a",' * 5_000_000 + b'"a"]}}'),
            {"REQUEST_TOO_LARGE"},
        ),
        "a robot.yaml with a long list": (
            *("PUSH", "long", zipped(robot_yaml=f"{ROBOT}PATH: [{'a,' * 120_000}a]\n")),
            {"", "TOO_COSTLY"},
        ),
        "a nest of YAML": (
            *("PUSH", "nest", zipped(robot_yaml=f"{ROBOT}PATH: {'[' * 200_000}")),
            {"PACKAGE_INVALID", "TOO_COSTLY"},
        ),
        "a source of a megabyte": (
            *("PUSH", "source", zipped(robot_yaml=ROBOT, tasks_py="a = 1\n" * 170_000)),
            {"", "TOO_COSTLY"},
        ),
        "a zip of twenty thousand files": (
            *("PUSH", "many"),
            zipped(robot_yaml=ROBOT, **{f"f{number}": "" for number in range(19_000)}),
            {"", "TOO_COSTLY"},
        ),
    }


@pytest.mark.matrix
def test_nothing_that_a_caller_sends_holds_the_others_up(attacked):
    """Each kind of input that may take long: /healthz answers within a quarter of a second, the caller hears why."""
    late = {}
    for name, (method, path, body, codes) in cases(attacked).items():
        for _ in range(TRIES):
            slowest, status, answer = attacked.slowest_meanwhile(method, path, body)
            code = answer["error"]["code"] if status != 200 else ""
            assert code in codes, (name, status, answer)
            if slowest <= LONGEST:
                break
        else:
            late[name] = slowest
        print(f"{name}: {slowest:.3f} s, {status} {code}")

    assert late == {}

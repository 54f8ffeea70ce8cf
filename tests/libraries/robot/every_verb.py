"""A robot of our own library that leaves in the room what `every_verb.py` of the vendor's library leaves, item by item.

It has five items, and dies with the last one in hand, without giving it back.
"""

import os
from pathlib import Path

from controlroom_robot import ApplicationError, BusinessError, NotFound, RoomError, items, output

Path("a.txt").write_text("content ä", encoding="utf-8")
Path("b.bin").write_bytes(bytes(range(256)) * 5000)
for name in ("empty file.txt", "got.txt"):
    Path(name).write_bytes(b"")


def refused(call, *given, code: str, kind=RoomError):
    """A call is refused, by its code."""
    try:
        call(*given)
    except kind as refusal:
        found = refusal.code
    else:
        found = "not refused"
    assert found == code, (call, found)


left = items()

# ------------------------------------------------------------------ payloads, files and outputs
item = next(left)
with item:
    assert (item.payload, item.files) == ({"name": "ä"}, [])
    item.payload = {**item.payload, "saved": "ä", "nested": [1, None, {"x": 0.5}]}
    item.add_file("a.txt")
    item.add_file("ü b.bin", content=Path("b.bin"))
    item.add_file("empty file.txt")
    item.save()
    assert item.files == ["a.txt", "ü b.bin", "empty file.txt"]
    assert item.read_file("ü b.bin") == Path("b.bin").read_bytes()
    assert item.read_file("empty file.txt") == b""
    item.remove_file("a.txt")
    refused(item.remove_file, "not there", code="FILE_NOT_FOUND", kind=NotFound)
    refused(item.read_file, "not there", code="FILE_NOT_FOUND", kind=NotFound)
    item.add_file("empty file.txt", content=Path("b.bin"))
    Path("a.txt").write_text("another", encoding="utf-8")
    output({"order": 2}, files=sorted(Path().glob("*.txt")))
    output([1, 2])
    output(None)
    output({})
    child = os.fork()
    if child == 0:
        output({"by": "a child"})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    item.done()
    item.done()  # the same again is fine
    refused(item.fail, code="WORK_ITEM_NOT_HELD")
output({"report": "after the last release"})

# ------------------------------------------------------------------ failures in all forms
with next(left) as item:
    assert item.payload == {"name": "bad"}
    raise BusinessError("no good", code="NO")
with next(left) as item:
    raise ApplicationError("it fell over")

# ------------------------------------------------------------------ what is refused
item = next(left)
refused(output, "x" * 1_100_000, code="PAYLOAD_TOO_LARGE")
item.payload = "x" * 1_100_000
refused(item.save, code="PAYLOAD_TOO_LARGE")
refused(item.done, code="PAYLOAD_TOO_LARGE")
refused(item.add_file, "..", b"", code="FILE_NAME")
item.payload = "left"
item.fail(type="business")

# ------------------------------------------------------------------ dying with an item in hand
item = next(left)
item.payload = {"saved": "before it died"}
item.save()
item.output({"put out": "before it died"}, files={"much.bin": b"\0" * 100_000})  # too much to wait for the release
item.output({"never": "told"})
os._exit(3)

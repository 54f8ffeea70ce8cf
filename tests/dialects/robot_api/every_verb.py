"""A robot that does all that `robocorp-workitems` can do, and says what it saw: the same by every adapter.

It has five items, and dies with the last one in hand, without giving it back.
"""

import json
import os
import re
from pathlib import Path
from uuid import UUID

from robocorp import workitems
from robocorp.workitems import State

NOBODYS = str(UUID(int=7))
said: list[object] = []


def say(*words):
    """Without ids, which differ from run to run."""
    said.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", json.dumps(words, default=str)))


def refused(call, *given, **named):
    """What a call raises."""
    try:
        say("not refused", call(*given, **named))
    except Exception as refusal:  # noqa: BLE001 - whichever it is, is what is asked
        kinds = [kind.__name__ for kind in type(refusal).__mro__]
        code = (getattr(refusal, "status_code", None), getattr(refusal, "reason", None))
        say(kinds, code, str(refusal) if not isinstance(refusal, OSError) or "HTTPError" in kinds else "")


Path("a.txt").write_text("content ä", encoding="utf-8")
Path("b.bin").write_bytes(bytes(range(256)) * 5000)
Path("empty file.txt").write_bytes(b"")

# ------------------------------------------------------------------ payloads, files and outputs
item = workitems.inputs.current
adapter = item._adapter
say(item.payload, item.files, getattr(item, "saved", None))
item.payload = {**item.payload, "saved": "ä", "nested": [1, None, {"x": 0.5}]}
item.add_files("*.txt")
item.add_file("b.bin", name="ü b.bin")
item.save()
item.load()
say(item.payload, item.files, getattr(item, "saved", None))
say(Path(item.get_file("ü b.bin", "got.bin")).read_bytes() == Path("b.bin").read_bytes())
say(Path(item.get_file("empty file.txt", "got.txt")).read_bytes() == b"")
say(sorted(path.name for path in item.get_files("*.txt", "all")))
item.remove_file("a.txt")
item.remove_file("not there", missing_ok=True)
refused(item.remove_file, "not there")
item.save()
Path("a.txt").write_text("another", encoding="utf-8")
item.add_file("b.bin", name="empty file.txt")
item.save()
item.load()
say(item.files)
say(len(adapter.get_file(item.id, "empty file.txt")))
refused(adapter.get_file, item.id, "not there")
refused(adapter.remove_file, item.id, "not there")
first = workitems.outputs.create({"order": 1}, files="*.txt")
first.payload = {"order": 2}
first.save()
workitems.outputs.create([1, 2])
workitems.outputs.create(None)
workitems.outputs.create({})
unsaved = workitems.outputs.create({"never": "saved"}, save=False)
say(len(workitems.outputs), getattr(first, "saved", None), getattr(unsaved, "saved", None))
child = os.fork()
if child == 0:
    workitems.outputs.create({"by": "a child"})
    os._exit(0)
say(os.waitpid(child, 0)[1])
refused(workitems.inputs.reserve)
item.done()
refused(item.done)
report = adapter.create_output(item.id, {"report": "after the last release"})
say(adapter.load_payload(report), adapter.list_files(report))
refused(adapter.release_input, item.id, State.FAILED, {"type": "BUSINESS"})
adapter.release_input(item.id, State.DONE)

# ------------------------------------------------------------------ failures in all forms
with workitems.inputs.reserve() as item:
    say(item.payload)
    raise workitems.BusinessException(code=" NO ", message=" no good ")
item = workitems.inputs.reserve()
item.fail("APPLICATION", code="", message="it fell over")
say(item.payload, getattr(item, "exception", None), item.released)

# ------------------------------------------------------------------ what is refused
item = workitems.inputs.reserve()
item.payload = None
item.save()
item.load()
say(item.payload)
item.payload = "x" * 1_100_000
refused(item.save)
refused(adapter.create_output, item.id, "x" * 1_100_000)
refused(adapter.create_output, NOBODYS, {})
refused(adapter.save_payload, NOBODYS, {})
refused(adapter.list_files, NOBODYS)
refused(adapter.release_input, NOBODYS, State.DONE)
refused(adapter.add_file, item.id, "..", b"")
say(adapter.load_payload(NOBODYS))
item.payload = "left"
item.save()
item.fail(exception_type="BUSINESS")
say(getattr(item, "exception", None))

# ------------------------------------------------------------------ dying with an item in hand
item = workitems.inputs.reserve()
item.payload = {"saved": "before it died"}
item.save()
workitems.outputs.create({"put out": "before it died"})
say(type(adapter).__name__ in {"RobocorpAdapter", "Adapter"})
Path("said.json").write_text(json.dumps([type(adapter).__module__, said]), encoding="utf-8")
os._exit(3)

"""A robot as an author writes one with `robocorp-workitems`: it knows nothing of queues of another grammar."""

from robocorp import workitems

for item in workitems.inputs:
    with item:
        if item.payload["Invoice"] == "BAD":
            raise workitems.ApplicationException("it fell over")
        assert item.payload == {"Invoice": "A", "Amount": 20.5, "Due": "2026-11-29"}
        workitems.outputs.create({"paid": item.payload["Amount"]})

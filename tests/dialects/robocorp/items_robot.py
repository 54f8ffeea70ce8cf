"""A robot of the test's own, as an author writes one with `robocorp-workitems`."""

from pathlib import Path

from robocorp import workitems

for item in workitems.inputs:
    with item:  # the library releases the item, and swallows its own two exceptions
        name = item.payload["name"]
        if name == "bad":
            raise workitems.BusinessException(code="NO", message="no good")
        if name == "worse":
            raise workitems.ApplicationException("it fell over")
        Path("file.txt").write_text(f"content of {name}", encoding="utf-8")
        workitems.outputs.create({"name": f"output of {name}"}, files="file.txt")

assert len(workitems.inputs.released) == 3

"""Robots of our own library: the files that docs/robot.md shows, by their names, as somebody would copy them."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
EXAMPLE = PROJECT / "examples/native-robot"
_SHOWN = re.compile(r"^`([\w./]+\.\w+)`[^\n]*(?:\n(?!```)[^\n]*)*?\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown() -> dict[str, str]:
    """Name and text of each; and as `outputs` what the robot is said to put out."""
    text = (PROJECT / "docs/robot.md").read_text(encoding="utf-8")
    found = dict(_SHOWN.findall(text))
    outputs = re.search(r"`devdata/outputs.json`.*?```json\n(.*?)```", text, re.DOTALL)
    assert outputs
    return found | {"outputs": outputs[1]}


def copy_to(folder: Path) -> dict[str, str]:
    """Write the files of the robot into a folder; all that is shown."""
    files = shown()
    for name, content in files.items():
        if name != "outputs":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
    return files

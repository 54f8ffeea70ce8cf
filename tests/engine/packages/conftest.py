"""Robots as zip files in the object store."""

import io
import zipfile

import pytest

from controlroom.objects.store import Blob


def zipped(**files: str) -> bytes:
    """A zip of text files; `_` in a name stands for the dot before its extension."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in files.items():
            package.writestr(zipfile.ZipInfo(name.replace("_", ".")), text)
    return content.getvalue()


def robot_yaml(*tasks: str) -> str:
    """A robot.yaml with these tasks."""
    lines = "".join(f"  {task}:\n    shell: python tasks.py\n" for task in tasks)
    return f"tasks:\n{lines}artifactsDir: output\n"


@pytest.fixture
def robot(engine):
    """Stores a robot with these tasks; `content` makes it another one."""

    async def store(*tasks: str, content: str = "print()") -> Blob:
        return await engine.objects.put_bytes(zipped(robot_yaml=robot_yaml(*tasks), tasks_py=content))

    return store

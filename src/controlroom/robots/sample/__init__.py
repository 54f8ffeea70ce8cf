"""The sample robot that newcomers begin with: it needs nothing but a Python, and builds no environment."""

import io
import zipfile
from importlib.resources import files
from typing import Final

PACKAGE: Final = "sample"
PROCESS: Final = "Count words"
TASK: Final = "Count words"
_FILES: Final = {
    "robot.yaml": "robot.yaml",
    "controlroom.yaml": "controlroom.yaml",
    "count_words.py": "count_words.txt",  # no module of ours
}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def zipped() -> bytes:
    """The robot as a zip; the same bytes each time, so that it is one version however often it is pushed."""
    folder, content = files(__package__).joinpath("robot"), io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, ours in _FILES.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), folder.joinpath(ours).read_bytes())
    return content.getvalue()

"""Where the types of ids stand."""

import re
from pathlib import Path

ID = re.compile(r'= NewType\("\w+", UUID\)')
SOURCE = Path(__file__).parents[1] / "src/controlroom"


def test_the_types_of_ids_stand_together():
    """A row names its neighbours: whoever reads of an id finds its type among all others."""
    files = [path for path in SOURCE.rglob("*.py") if ID.search(path.read_text(encoding="utf-8"))]

    assert [path.relative_to(SOURCE).as_posix() for path in files] == ["ids.py"]

"""What CONTRIBUTING says is where it says."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TEXT = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACES = re.compile(r"`((?:src/controlroom|engine|dialects|border|cli|host|tests|docs)/[\w./<>{},-]+)`")
EXAMPLE = {"<noun>": "workers", "<grammar>": "robocorp", "<name>": "robot"}
"""The endpoint by which the recipe is walked, a worker is given another name; and a wheel of ours."""
FOUND_IN_EXAMPLE = {
    "engine/<noun>/store.py": "async def rename(",
    "engine/<noun>/actions.py": "async def rename(",
    "tests/engine/<noun>/": ".rename(",
    "dialects/<grammar>/<noun>.py": '@update("/workers/{worker_id:uuid}")',
    "tests/dialects/<grammar>/test_<noun>.py": 'ada.post(path, {"name": "Walter"})',
    "tests/contract/<grammar>/grammar.py": 'Row("POST", f"{W}/workers/{{worker}}"',
    "tests/contract/<grammar>/furnished.py": '"/workers/{worker}": {"name"',
    "docs/dialects/<grammar>.md": "| `POST /api/v1/workspaces/{workspace}/workers/{worker}` | served |",
    "cli/<noun>.py": "def rename(",
}


def section(title: str) -> str:
    """A recipe."""
    return TEXT.split(f"### {title}\n")[1].split("\n##")[0]


def places(text: str) -> list[str]:
    """The files and folders that a text names, each of `{a,b}` apart."""
    found = []
    for place in PLACES.findall(text):
        before, *rest = re.split(r"\{([\w,]+)\}", place)
        found += [before] if not rest else [f"{before}{each}{rest[1]}" for each in rest[0].split(",")]
    return found


def path_of(place: str) -> Path:
    """Where it is, of the noun and grammar of the example."""
    for placeholder, example in EXAMPLE.items():
        place = place.replace(placeholder, example)
    inside = PROJECT / "src/controlroom" / place
    return inside if inside.exists() else PROJECT / place


@pytest.mark.parametrize("place", sorted(set(places(TEXT))))
def test_what_is_named_is_there(place):
    """Every file and folder, with a noun and a grammar in their places; a noun need not have every kind of file."""
    if "<noun>" in place:
        assert list((PROJECT / "src/controlroom").glob(place.replace("<noun>", "*").replace("<grammar>", "*"))) or list(
            PROJECT.glob(place.replace("<noun>", "*").replace("<grammar>", "*"))
        )
    else:
        assert path_of(place).exists()


def test_the_recipe_of_an_endpoint_names_every_file_that_one_has_touched():
    """Walked for one that is there: each file that the recipe names has its part of it, and no other is needed."""
    named = dict.fromkeys(places(section("A new endpoint")))

    assert [*named] == [*FOUND_IN_EXAMPLE]
    for place, part in FOUND_IN_EXAMPLE.items():
        path = path_of(place)
        files = path.glob("test_*.py") if path.is_dir() else [path]
        assert any(part in file.read_text(encoding="utf-8") for file in files), place

"""The diagrams of states in `docs/domain/`, drawn from the tables of edges in the rules.

`python tests/state_diagrams.py` writes them (`make state-diagrams`); a test tells when one is out of date.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from controlroom.engine.assistants import rules as assistants
from controlroom.engine.deliveries import rules as deliveries
from controlroom.engine.runs import rules as runs
from controlroom.engine.work_items import rules as work_items

PAGES = Path(__file__).parents[1] / "docs/domain"


class Diagram(NamedTuple):
    """What is drawn in a page, behind the mark `<!-- states of NOUN -->`, and the table that keeps the states."""

    noun: str
    page: str
    table: str
    begins: Mapping[StrEnum, str]
    edges: Mapping[StrEnum, Mapping[StrEnum, str]]


DIAGRAMS = (
    Diagram("a run", "runs.md", "run", runs.RUN_BEGINS, runs.RUN_EDGES),
    Diagram("a step run", "runs.md", "step_run", runs.STEP_RUN_BEGINS, runs.STEP_RUN_EDGES),
    Diagram("a work item", "work-items.md", "work_item", work_items.BEGINS, work_items.EDGES),
    Diagram("a delivery", "webhooks.md", "delivery", deliveries.BEGINS, deliveries.EDGES),
    Diagram("an assistant's run", "assistants.md", "assistant_run", assistants.BEGINS, assistants.EDGES),
)


def drawn(diagram: Diagram) -> str:
    """The diagram, as Mermaid in Markdown."""
    lines = [f"[*] --> {state}: {why}" for state, why in diagram.begins.items()]
    for state, following in diagram.edges.items():
        lines += [f"{state} --> {after}: {why}" for after, why in following.items()] or [f"{state} --> [*]"]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def with_diagram(text: str, diagram: Diagram) -> str:
    """The page with the diagram as it is drawn now. Raises ValueError if there is no place for it."""
    mark = f"<!-- states of {diagram.noun} -->"
    text, count = re.subn(rf"{mark}\n```.*?\n```", lambda _: f"{mark}\n{drawn(diagram)}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{diagram.page} has {count} places for the states of {diagram.noun}")
    return text


def main() -> None:
    """Write all of them."""
    for diagram in DIAGRAMS:
        page = PAGES / diagram.page
        page.write_text(with_diagram(page.read_text(encoding="utf-8"), diagram), encoding="utf-8")


if __name__ == "__main__":
    main()

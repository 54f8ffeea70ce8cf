"""How benchmarks speak: rows of figure, value, goal and what stands beside it, measured in one run."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct


class Figure(Struct, frozen=True):
    """One measured figure. `beside` is what was measured in the same run to compare with."""

    figure: str
    value: str
    goal: str = ""
    beside: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(figures: Iterable[Figure]) -> None:
    """Print figures as a Markdown table, as docs/performance.md has them."""
    print("| Figure | Measured | Goal | Beside |\n|---|---|---|---|")
    for one in figures:
        print(f"| {one.figure} | {one.value} | {one.goal} | {one.beside} |", flush=True)


def compiled(source: str, folder: Path) -> Path | None:
    """A C program of this folder, compiled; None, with a note, when there is no compiler."""
    program = folder / Path(source).stem
    try:
        subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(Path(__file__).parent / source)], check=True)
    except FileNotFoundError:
        print(f"(no C compiler: {source} is left out)", file=sys.stderr)
        return None
    return program


def answer_of(*command: object) -> dict[str, float]:
    """What a program printed as JSON."""
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)

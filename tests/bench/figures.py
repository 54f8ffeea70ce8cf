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


def milliseconds(*seconds: float) -> str:
    """Durations as text: `12 / 34 ms`, with a decimal where they are short."""
    texts = [f"{each * 1000:.1f}" if abs(each) < 0.01 else f"{each * 1000:.0f}" for each in seconds]
    return " / ".join(texts) + " ms"


HEAD = "| Figure | Measured | Goal | Beside |\n|---|---|---|---|"
"""The head of the table in docs/performance.md."""


def row(figure: Figure) -> str:
    """A figure as a row of it."""
    return f"| {figure.figure} | {figure.value} | {figure.goal} | {figure.beside} |"


def show(figures: Iterable[Figure]) -> None:
    """Print figures as that table, each as soon as it is there."""
    print(HEAD, flush=True)
    for one in figures:
        print(row(one), flush=True)


def note(text: str) -> None:
    """Say beside the table what was left out, and why."""
    print(f"({text})", file=sys.stderr, flush=True)


def compiled(source: str, folder: Path) -> Path | None:
    """A C program of this folder, compiled; None, with a note, when there is no compiler."""
    program = folder / Path(source).stem
    try:
        subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(Path(__file__).parent / source)], check=True)
    except FileNotFoundError:
        note(f"no C compiler: {source} is left out")
        return None
    return program


def answer_of(*command: object) -> dict[str, float]:
    """What a program printed as JSON."""
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)

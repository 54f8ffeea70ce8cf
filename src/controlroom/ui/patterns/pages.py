"""Every part of the console with its states, to look at and to test."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.charts import Bar, Column, Segment, Span
from controlroom.ui.lists import Link
from controlroom.ui.routing import page

_HERE: Final = "/ui/patterns"


@page(_HERE, opt={"above_workspaces": True})
async def show_patterns(request: Asking) -> Shown:
    """The parts."""
    return await request.show("patterns/patterns.html", title="Patterns", crumbs=[Crumb("Patterns")], **shown())


def shown() -> dict[str, Any]:
    """What the parts are shown with: the same at every look, so that pictures can be compared."""
    heights = [0.3 + 0.25 * math.sin(i * 1.7) + 0.15 * math.sin(i * 0.6) for i in range(30)]
    tones = ["ok"] * 30
    tones[11], tones[17], tones[23], tones[26], tones[29] = "bad", "warn", "idle", "missed", "run"
    hours = [120] * 5 + [int(900 + 500 * math.sin(i / 3.3)) for i in range(5, 21)] + [120] * 3
    return {
        "segments": [
            Segment("ok", 600, "done"),
            Segment("bad", 9, "failed"),
            Segment("run", 6, "in progress"),
            Segment("hair", 129, "pending"),
        ],
        "bars": [
            Bar(tone, height, _HERE, f"Run {i}") for i, (tone, height) in enumerate(zip(tones, heights, strict=True))
        ],
        "sparks": [4.0, 6, 5, 7, 9, 8, 12, 11, 14, 13, 15, 18],
        "hours": [
            Column(
                f"{i:02}:00",
                done,
                [0, 0, 3, 0, 14][i % 5],
                _HERE,
                f"{i:02}:00, {done} done",
                is_now=i == len(hours) - 1,
            )
            for i, done in enumerate(hours)
        ],
        "spans": [
            [Span("wait", 0.02, 0.05), Span("environment", 0.05, 0.1), Span("ok", 0.1, 0.42)],
            [Span("wait", 0.1, 0.12), Span("environment", 0.12, 0.16), Span("run", 0.16, 0.63)],
            [Span("environment", 0.1, 0.14), Span("lost", 0.14, 0.4)],
        ],
        "tabs": [
            Link("Failed", _HERE, current=True, bad="61"),
            Link("Pending", _HERE, current=False, figure=1522),
            Link("All", _HERE, current=False, figure=1_200_000),
        ],
        "times": [timedelta(seconds=each) for each in (2, 190, 9000, 100_000, 400_000, 9_000_000, 50_000_000)],
        "spans_of_time": [timedelta(seconds=each) for each in (0.04, 3.4, 41, 761, 11_520, 187_200)],
        "moment": datetime.now(UTC),
    }

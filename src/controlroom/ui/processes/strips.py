"""Strips of last runs: pure, from runs to bars."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from controlroom.engine.runs.model import Result, Run, RunState
from controlroom.engine.runs.strips import Past
from controlroom.ui import words
from controlroom.ui.charts import Bar, share
from controlroom.ui.states import of_run

Shown = Past | Run
PLACES: Final = 30
_LEAST: Final = 0.1


def tone_of(past: Shown) -> str:
    """In which colour, and on which side of the line: done above, not done below, in part both."""
    if past.state is RunState.COMPLETED:
        return "idle" if past.result is Result.STOPPED else "ok"
    if past.state is RunState.UNRESOLVED:
        return {Result.STOPPED: "idle", Result.TIMED_OUT: "bad", Result.LOST: "bad"}.get(
            past.result or Result.FAILED, "warn"
        )
    return "run"


def bars_of(runs: Sequence[Shown], base: str, now: datetime) -> list[Bar]:
    """One a run, the oldest first; the longest one is the tallest."""
    tops = [_took(past, now) for past in runs]
    tallest = max(tops, default=timedelta()) or timedelta(seconds=1)
    return [
        Bar(tone_of(past), max(_LEAST, took / tallest), f"{base}/runs/{past.number}", title_of(past, took))
        for past, took in zip(runs, tops, strict=True)
    ]


def title_of(past: Shown, took: timedelta) -> str:
    """What a bar says: `#4821 Completed in 12 m 41 s`."""
    word = of_run(past.state, past.result).word
    said = f"for {words.duration(took)}" if past.ended_at is None else f"in {words.duration(took)}"
    return f"#{past.number} {word} {said}" if past.started_at is not None else f"#{past.number} {word}"


def _took(past: Shown, now: datetime) -> timedelta:
    began = past.started_at or past.created_at
    return max(timedelta(), (past.ended_at or now) - began)


def said_of(runs: Sequence[Shown]) -> str:
    """The strip in a sentence, for readers: `The last 30 runs: 28 completed, 2 unresolved`."""
    counts: dict[str, int] = {}
    for past in runs:
        word = of_run(past.state, past.result).word.lower()
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"The last {len(runs)} runs: {told}" if len(runs) > 1 else f"The last run: {told}"


# ---------------------------------------------------------------------------------------------------- many in a list
def brief(runs: Sequence[Shown], now: datetime, base: str | None = None) -> Markup:
    """A strip as one picture of a few paths, for pages with many: each bar of it is not a link.

    With a `base`, those are that did not complete: what somebody looks for.
    """
    if not runs:
        return Markup('<svg class="strip brief" aria-hidden="true"></svg>')
    shown = runs[-PLACES:]
    paths: dict[str, list[str]] = {}
    linked = []
    for place, bar in enumerate(bars_of(shown, base or "", now), start=PLACES - len(shown)):
        path = _path(place, bar)
        if base is None or bar.tone == "ok":
            paths.setdefault(bar.tone, []).append(path)
        else:
            link = Markup('<a href="{}"><title>{}</title><path class="fill-{}" d="{}"/></a>')
            linked.append(link.format(bar.href, bar.title, bar.tone, path))
    drawn = Markup("").join(
        [Markup('<path class="fill-{}" d="{}"/>').format(tone, "".join(path)) for tone, path in paths.items()] + linked
    )
    role = "group" if linked else "img"
    return Markup(
        '<svg class="strip brief" viewBox="0 0 300 100" preserveAspectRatio="none" role="{}" aria-label="{}">{}</svg>'
    ).format(role, said_of(shown), drawn)


def _path(place: int, bar: Bar) -> str:
    x, tall = place * 10 + 1, round(10 + 60 * bar.height)
    above = "" if bar.tone == "bad" else f"M{x} {72 - tall}h8v{tall}h-8z"
    below = f"M{x} 75h8v25h-8z" if bar.tone in {"bad", "warn"} else ""
    return above + below


# ---------------------------------------------------------------------------------------------------- one, at large
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
_LINE: Final = 0.72
_MARKED: Final = 5
_APART: Final = 0.16
"""Of the width: what a date needs on a phone."""


def history(runs: Sequence[Shown], base: str, now: datetime, days: Sequence[str], *, places: int = 60) -> Markup:
    """Runs at large: how long they took at the left, when they were beneath; `days` says it for each of them."""
    tops = [_took(past, now) for past in runs]
    tallest = max(tops, default=timedelta()).total_seconds() or 1.0
    step = next((each for each in _STEPS if tallest / each <= 3), _STEPS[-1] * max(1, round(tallest / _STEPS[-1] / 2)))  # noqa: PLR2004
    marks, axis = [], []
    for n in range(1, int(tallest // step) + 1):
        y = share(_LINE - 0.66 * n * step / tallest)
        marks.append(Markup('<line x1="0" x2="100%" y1="{}" y2="{}" class="line-dash"/>').format(y, y))
        said = words.duration(timedelta(seconds=n * step))
        axis.append(Markup('<text x="40" y="{}" dy="4" text-anchor="end">{}</text>').format(y, said))
    line = share(_LINE + 0.008)
    marks.append(Markup('<line x1="0" x2="100%" y1="{}" y2="{}" class="line-hair"/>').format(line, line))
    width, first = 1 / places, places - len(runs)
    for n, (past, took) in enumerate(zip(runs, tops, strict=True)):
        tone, x, inner = tone_of(past), (first + n) * width + width * 0.15, []
        tall = max(0.02, 0.66 * took.total_seconds() / tallest)
        if tone != "bad":
            inner.append(_rect(x, _LINE - tall, width * 0.7, tall, tone))
        if tone in {"warn", "bad"}:
            inner.append(_rect(x, _LINE + 0.02, width * 0.7, 0.12, tone))
        href, title = f"{base}/runs/{past.number}", title_of(past, took)
        marks.append(
            Markup('<a href="{}"><title>{}</title>{}</a>').format(href, f"{title}, {days[n]}", Markup("").join(inner))
        )
    marks += _dates(days, first, width)
    return Markup(
        '<div class="plot chart low history"><svg aria-hidden="true">{}</svg>'
        '<svg role="group" aria-label="{}">{}</svg></div>'
    ).format(Markup("").join(axis), said_of(runs), Markup("").join(marks))


def _dates(days: Sequence[str], first: int, width: float) -> list[Markup]:
    """About five dates beneath, none twice, none too near the end or another one."""
    every = max(-(-len(days) // _MARKED), round(_APART / width))
    text = Markup('<text x="{}" y="99%" text-anchor="middle">{}</text>')
    last, marks = "", []
    for n in range(min(every, len(days)) // 2, len(days), every):
        if days[n] != last:
            marks.append(text.format(share(min(0.95, max(0.05, (first + n + 0.5) * width))), days[n]))
            last = days[n]
    return marks


def _rect(x: float, y: float, width: float, height: float, fill: str) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="1" class="fill-{}"/>').format(
        share(x), share(y), share(width), share(height), fill
    )

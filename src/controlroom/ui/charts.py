"""Charts as SVG from the server: pure functions from values to Markup.

Everything is placed by attributes, in percent where it is to stretch: no style attribute, no script. Colours are
classes. Every mark that stands for something is a link with a title; every chart has a sentence for readers, and the
page a table behind it where the sentence does not say all.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from controlroom.ui import words

MOST_MARKS: Final = 300
"""Whoever has more joins them first (`binned`)."""
_A_LETTER: Final = 0.014
"""Of a lane's width: what a letter of 11 px needs where a lane is 450 px wide, as on a small laptop."""
_TONES: Final = {"ok": "ok", "bad": "bad", "warn": "warn", "run": "run", "idle": "idle", "mid": "mid", "hair": "hair"}


class Segment(Struct, frozen=True):
    """A part of a meter."""

    tone: str
    count: int
    word: str


class Bar(Struct, frozen=True):
    """One thing in a strip: how it went, how long it took (0 to 1 of the tallest), where its page is."""

    tone: str
    """`ok` above the line, `bad` below it, `warn` both; `run` and `idle` above; `missed` is a dash."""
    height: float
    href: str
    title: str


class Column(Struct, frozen=True):
    """What was done in an hour, and what failed."""

    label: str
    done: int
    failed: int
    href: str
    title: str
    is_now: bool = False


class Span(Struct, frozen=True):
    """A part of a lane, in shares (0 to 1) of its width."""

    fill: str
    """`wait`, `environment`, `ok`, `run`, `bad`, `idle` or `lost`."""
    start: float
    end: float
    title: str = ""


# ---------------------------------------------------------------------------------------------------- numbers as text
def share(value: float) -> str:
    """A share as SVG writes it: `12.5%`; never out of the picture."""
    return f"{100 * min(1.0, max(0.0, value)):.2f}".rstrip("0").rstrip(".") + "%"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def sentence(segments: Sequence[Segment]) -> str:
    """Of a meter, for readers: `744 items: 600 done, 9 failed`."""
    told = [f"{words.count(each.count)} {each.word}" for each in segments if each.count]
    return ", ".join(told) or "nothing yet"


# ---------------------------------------------------------------------------------------------------- meters
def meter(segments: Sequence[Segment], *, label: str = "", total: int | None = None, is_big: bool = False) -> Markup:
    """How much of a whole is in which state. What is there at all is seen: at least half a percent wide."""
    whole = max(1, sum(each.count for each in segments) if total is None else total)
    widths = [max(0.005, each.count / whole) if each.count else 0.0 for each in segments]
    over = max(1.0, sum(widths))
    marks, at = [], 0.0
    for segment, width in zip(segments, widths, strict=True):
        if width:
            marks.append(
                Markup('<rect x="{}" width="{}" height="100%" class="fill-{}"/>').format(
                    share(at), share(width / over), _TONES[segment.tone]
                )
            )
            at += width / over
    return Markup('<svg class="meter{}" role="img" aria-label="{}">{}</svg>').format(
        " big" if is_big else "", label or sentence(segments), Markup("").join(marks)
    )


# ---------------------------------------------------------------------------------------------------- strips
_ABOVE: Final = {"ok", "warn", "run", "idle"}
_BELOW: Final = {"bad", "warn"}


def strip(bars: Sequence[Bar], *, label: str, places: int = 30, is_tall: bool = False) -> Markup:
    """The last things of a kind, newest right: good ones stand above the line, bad ones hang below it."""
    shown = bars[-places:]
    width, line = 1 / places, 0.72
    marks = []
    for place, bar in enumerate(shown, start=places - len(shown)):
        x, tall = place * width + width * 0.12, 0.14 + 0.58 * min(1.0, max(0.0, bar.height))
        inner = []
        if bar.tone == "missed":
            inner.append(_rect(x, line - 0.03, width * 0.76, 0.06, "hair"))
        if bar.tone in _ABOVE:
            inner.append(_rect(x, line - tall, width * 0.76, tall, bar.tone))
        if bar.tone in _BELOW:
            inner.append(_rect(x, line + 0.03, width * 0.76, 0.25, bar.tone))
        marks.append(Markup('<a href="{}"><title>{}</title>{}</a>').format(bar.href, bar.title, Markup("").join(inner)))
    if len(shown) < places:
        marks.insert(
            0,
            Markup('<line x1="0" x2="{}" y1="{}" y2="{}" class="line-dash"/>').format(
                share((places - len(shown)) * width - 0.01), share(line), share(line)
            ),
        )
    return Markup('<svg class="strip{}" role="group" aria-label="{}">{}</svg>').format(
        " tall" if is_tall else "", label, Markup("").join(marks)
    )


def _rect(x: float, y: float, width: float, height: float, fill: str) -> Markup:
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="fill-{}"/>').format(
        share(x), share(y), share(width), share(height), fill
    )


# ---------------------------------------------------------------------------------------------------- sparks
def spark(values: Sequence[float], *, label: str, tone: str = "") -> Markup:
    """How a number went, as a line: from its least (or nothing) to its most."""
    top = max([*values, 0.0]) or 1.0
    step = 100 / max(1, len(values) - 1)
    points = " ".join(f"{_number(i * step)},{_number(21 - 19 * value / top)}" for i, value in enumerate(values))
    tone = f" is-{tone}" if tone else ""
    return Markup(
        '<svg class="spark{}" viewBox="0 0 100 22" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polygon points="0,22 {} 100,22"/><polyline points="{}"/></svg>'
    ).format(tone, label, points, points)


# ---------------------------------------------------------------------------------------------------- columns
def steps(most: float, *, wanted: int = 3) -> list[int]:
    """Round numbers from 0 to at least the most, for an axis."""
    if most <= 0:
        return [0, 1]
    raw = max(1.0, most / wanted)
    magnitude = 10 ** (len(str(int(raw))) - 1)
    step = next(int(magnitude * each) for each in (1, 2, 5, 10) if magnitude * each >= raw)
    return [step * i for i in range(int(-(-most // step)) + 1)]


def columns(of: Sequence[Column], *, label: str, every: int = 4, is_low: bool = False) -> Markup:
    """What was done by the hour above a line, and what failed below it on a scale of its own."""
    top, bottom = steps(max((each.done for each in of), default=0)), max((each.failed for each in of), default=0)
    high = 0.66 if bottom else 0.84
    width, marks = 1 / max(1, len(of)), []
    for value in top:
        y = share(0.04 + high * (1 - value / top[-1]))
        marks.append(Markup('<line x1="0" x2="100%" y1="{}" y2="{}" class="line-dash"/>').format(y, y))
    for place, each in enumerate(of):
        x, tall = place * width + width * 0.13, high * each.done / top[-1]
        inner = []
        if each.done:
            inner.append(_rect(x, 0.04 + high - tall, width * 0.74, tall, "run" if each.is_now else "ok"))
        if each.failed:
            inner.append(_rect(x, 0.055 + high, width * 0.74, max(0.012, 0.12 * each.failed / bottom), "bad"))
        if inner:
            marks.append(
                Markup('<a href="{}"><title>{}</title>{}</a>').format(each.href, each.title, Markup("").join(inner))
            )
        if place % every == 0:
            marks.append(
                Markup('<text x="{}" y="99%" text-anchor="middle">{}</text>').format(
                    share((place + 0.5) * width), each.label
                )
            )
    axis = [
        Markup('<text x="40" y="{}" dy="4" text-anchor="end">{}</text>').format(
            share(0.04 + high * (1 - value / top[-1])), words.count(value)
        )
        for value in top
    ]
    if bottom:
        axis.append(Markup('<text x="40" y="{}" dy="4" text-anchor="end">failed</text>').format(share(0.11 + high)))
    return Markup(
        '<div class="plot chart{}"><svg aria-hidden="true">{}</svg><svg role="group" aria-label="{}">{}</svg></div>'
    ).format(" low" if is_low else "", Markup("").join(axis), label, Markup("").join(marks))


# ---------------------------------------------------------------------------------------------------- lanes
_FILLS: Final = {
    "wait": ("hatch", 9, 10),
    "environment": ("mid", 7, 14),
    "ok": ("ok", 7, 14),
    "run": ("run", 7, 14),
    "bad": ("bad", 7, 14),
    "warn": ("warn", 7, 14),
    "idle": ("idle", 7, 14),
    "lost": ("lost", 7, 14),
}


def lane(
    spans: Sequence[Span],
    *,
    grid: Sequence[float] = (),
    failed: Sequence[float] = (),
    now: float | None = None,
    said: str = "",
) -> Markup:
    """One row of a timeline: what it waited, built and did; where items failed; a word behind it."""
    marks = [
        Markup('<line x1="{}" x2="{}" y1="0" y2="100%" class="line-hair"/>').format(share(x), share(x)) for x in grid
    ]
    for span in spans:
        fill, y, height = _FILLS[span.fill]
        wide = max(0.0015, span.end - span.start)
        title = Markup("<title>{}</title>").format(span.title) if span.title else Markup("")
        marks.append(
            Markup('<rect x="{}" width="{}" y="{}" height="{}" rx="2" class="fill-{}">{}</rect>').format(
                share(span.start), share(wide), y, height, fill, title
            )
        )
        if span.fill == "lost":
            marks.append(
                Markup('<line x1="{}" x2="{}" y1="4" y2="24" class="line-bad"/>').format(
                    share(span.end), share(span.end)
                )
            )
    red = Markup('<line x1="{}" x2="{}" y1="3" y2="25" class="line-bad"/>')
    marks += [red.format(share(x), share(x)) for x in failed]
    if now is not None:
        marks.append(Markup('<line x1="{}" x2="{}" y1="0" y2="100%" class="line-now"/>').format(share(now), share(now)))
    if said:
        marks.append(_behind(spans, said))
    return Markup('<svg class="lane chart" aria-hidden="true">{}</svg>').format(Markup("").join(marks))


def _behind(spans: Sequence[Span], said: str) -> Markup:
    """A word behind what is drawn; before it, where there is no room behind; on it, where there is none at all."""
    start, end = min((span.start for span in spans), default=1.0), max((span.end for span in spans), default=0.0)
    needed = 0.02 + _A_LETTER * len(said)
    behind, before = min(needed, 1 - end), min(needed, start)
    if behind >= max(before, min(needed, end)):
        return Markup('<text x="{}" dx="8" y="18" class="after">{}</text>').format(share(end), said)
    if before < min(needed, end):  # the blanks are the margins of its plate
        return Markup(
            '<text x="{}" dx="-8" y="18" text-anchor="end" class="after inside">\u00a0{}\u00a0</text>'
        ).format(share(end), said)
    return Markup('<text x="{}" dx="-8" y="18" text-anchor="end" class="after">{}</text>').format(share(start), said)


def binned(values: Sequence[float], most: int = MOST_MARKS) -> list[float]:
    """At most so many values, each the largest of those that it stands for: a peak is never lost."""
    if len(values) <= most:
        return list(values)
    return [max(values[i * len(values) // most : (i + 1) * len(values) // most]) for i in range(most)]

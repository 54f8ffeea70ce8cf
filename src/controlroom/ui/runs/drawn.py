"""What only the page of a run draws: ribbons between its steps, how many ran at a time, how far they are. Pure."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from controlroom.engine.runs.model import Progress
from controlroom.engine.runs.run_views import OfStep
from controlroom.ui import words
from controlroom.ui.charts import Segment, meter, share

_PARTS: Final = 1000


def ribbon(from_share: float, to_share: float) -> Markup:
    """What goes from one card to the next, as wide at each end as the items that it stands for; decoration alone."""
    left, right = 4 + 88 * min(1.0, from_share), 4 + 88 * min(1.0, to_share)
    a, b, c, d = 50 - left / 2, 50 - right / 2, 50 + right / 2, 50 + left / 2
    path = f"M0 {a:.1f} C22 {a:.1f} 22 {b:.1f} 44 {b:.1f} L44 {c:.1f} C22 {c:.1f} 22 {d:.1f} 0 {d:.1f} Z"
    return Markup(
        '<svg class="ribbon" viewBox="0 0 44 100" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}" class="fill-soft"/></svg>'
    ).format(path)


def band(running: Sequence[int], *, label: str, now: float | None = None) -> Markup:
    """How many ran at a time, from left to right; its height is the most at once."""
    top = max([1, *running])
    width = 1 / max(1, len(running))
    marks = [
        Markup('<rect x="{}" y="{}" width="{}" height="{}" class="fill-run"><title>{} at a time</title></rect>').format(
            share(place * width), share(1 - each / top), share(width), share(each / top), each
        )
        for place, each in enumerate(running)
        if each
    ]
    if now is not None:
        marks.append(Markup('<line x1="{}" x2="{}" y1="0" y2="100%" class="line-now"/>').format(share(now), share(now)))
    return Markup('<svg class="band chart" role="img" aria-label="{}">{}</svg>').format(label, Markup("").join(marks))


def segments(of: OfStep) -> list[Segment]:
    """The items of a step in one bar."""
    return [
        Segment("ok", of.done, "done"),
        Segment("bad", of.failed, "failed"),
        Segment("warn", of.invalid, "invalid"),
        Segment("run", of.in_progress, "in progress"),
        Segment("idle", of.held, "held"),
        Segment("hair", of.pending, "pending"),
    ]


def counts(of: OfStep) -> list[tuple[str, str, int, str]]:
    """What there is of them: word, tab of the list, how many, and the tone where somebody should look."""
    tabs = (
        ("done", "done", ""),
        ("failed", "failed", "bad"),
        ("invalid", "invalid", "warn"),
        ("in progress", "in_progress", ""),
        ("held", "held", ""),
        ("pending", "waiting", ""),
    )
    found = {"waiting": of.pending}
    told = [(word, tab, found.get(tab, getattr(of, tab, 0)), tone) for word, tab, tone in tabs]
    return [each for each in told if each[2]]


def how_far(of: Progress) -> Markup:
    """What a robot says of its progress: a bar, where it knows how much there is, and its words."""
    said = _number(of.done) if of.total is None else f"{_number(of.done)} of {_number(of.total)}"
    bar = Markup("")
    if of.share is not None:
        worked = round(of.share * _PARTS)
        parts = [Segment("run", worked, "done"), Segment("hair", _PARTS - worked, "to do")]
        bar = meter(parts, label=f"{said}, {words.percent(of.share, 1)}", is_big=True)
        said = f"{said}, {words.percent(of.share, 1)}"
    message = Markup(' <span class="dim">{}</span>').format(of.message) if of.message else ""
    return Markup('<span class="how-far">{}<span class="beneath"><b>{}</b>{}</span></span>').format(bar, said, message)


def _number(value: float) -> str:
    return words.count(int(value)) if value == int(value) else f"{value:,.2f}"

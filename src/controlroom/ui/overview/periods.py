"""The period that an overview is of, its five numbers, and its hours: pure, from parts to what is drawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

from controlroom.engine.statistics.overview import Part
from controlroom.engine.statistics.rules import hour_of
from controlroom.ui import words
from controlroom.ui.charts import Column

_HOUR: Final = timedelta(hours=1)


class Span(Struct, frozen=True):
    """A period that may be chosen."""

    key: str
    name: str
    part: timedelta
    parts: int
    before: str
    """What the period before it is called."""
    every: int
    """Each so manieth part is named beneath the chart."""
    title: str

    def since(self, now: datetime) -> datetime:
        """When it began: it ends with the hour that goes on now."""
        return hour_of(now) + _HOUR - self.part * self.parts


SPANS: Final = (
    Span("24h", "24 h", _HOUR, 24, "the day before", 4, "Work items by hour"),
    Span("7d", "7 d", timedelta(hours=6), 28, "the week before", 4, "Work items by six hours"),
    Span("30d", "30 d", timedelta(days=1), 30, "the 30 days before", 5, "Work items by day"),
)


def span_of(key: str) -> Span:
    """The period that an address names; else the day."""
    return next((each for each in SPANS if each.key == key), SPANS[0])


class Sum(Struct, frozen=True):
    """A period, all together."""

    runs: int
    completed: int
    done: int
    failed: int
    milliseconds: int
    wait: timedelta | None

    @property
    def each(self) -> timedelta | None:
        """What an item took."""
        worked = self.done + self.failed
        return timedelta(milliseconds=self.milliseconds / worked) if worked else None


def sums(parts: Sequence[Part]) -> tuple[Sum, Sum]:
    """The period, and the one before it."""
    return _sum([each for each in parts if each.part >= 0]), _sum([each for each in parts if each.part < 0])


def _sum(parts: Sequence[Part]) -> Sum:
    waited = next((each for each in parts if each.waits), None)
    return Sum(
        runs=sum(each.runs for each in parts),
        completed=sum(each.completed for each in parts),
        done=sum(each.done for each in parts),
        failed=sum(each.failed for each in parts),
        milliseconds=sum(each.milliseconds for each in parts),
        wait=None if waited is None else timedelta(milliseconds=waited.wait_milliseconds),
    )


class Number(Struct, frozen=True, kw_only=True):
    """One of the five."""

    of: str
    value: str
    unit: str = ""
    measure: str
    """What to compare it with."""
    href: str
    line: list[float] = []
    tone: str = ""
    title: str = ""


def numbers(span: Span, parts: Sequence[Part], base: str) -> list[Number]:
    """Runs, how many completed, items done and failed, and the wait for a worker."""
    now, before = sums(parts)
    by_part = {each.part: each for each in parts if each.part >= 0}
    waited = words.duration(now.wait) if now.wait is not None else words.NOTHING
    return [
        Number(
            of="Runs",
            value=words.count(now.runs),
            measure=f"{words.count(before.runs)} {span.before}",
            href=f"{base}/runs?{urlencode({'since': span.key})}",
            line=_line(span, by_part, "runs"),
        ),
        Number(
            of="Completed",
            value=_value(words.percent(now.completed, now.runs)),
            unit=_unit(words.percent(now.completed, now.runs)),
            measure=f"{words.percent(before.completed, before.runs)} {span.before}"
            if before.runs
            else f"{words.count(now.completed)} of {words.count(now.runs)} run{'' if now.runs == 1 else 's'}",
            href=f"{base}/runs?{urlencode({'tab': 'unresolved', 'since': span.key})}",
            line=_shares(span, by_part),
        ),
        Number(
            of="Items done",
            value=words.count(now.done),
            measure=_paced(now, before),
            href=f"{base}/items?{urlencode({'tab': 'done'})}",
            line=_line(span, by_part, "done"),
        ),
        Number(
            of="Items failed",
            value=words.count(now.failed),
            measure=f"{words.count(before.failed)} {span.before}",
            href=f"{base}/items?{urlencode({'tab': 'failed'})}",
            line=_line(span, by_part, "failed"),
            tone="bad" if now.failed else "",
        ),
        Number(
            of="Wait for a worker",
            value=_value(waited),
            unit=_unit(waited),
            measure="95 of 100 start sooner" if now.wait is not None else "nothing has waited",
            href=f"{base}/workers",
            title="" if before.wait is None else f"{words.duration(before.wait)} {span.before}",
        ),
    ]


def _value(said: str) -> str:
    return said.rpartition(" ")[0] or said


def _unit(said: str) -> str:
    return said.rpartition(" ")[2] if " " in said else ""


def _paced(now: Sum, before: Sum) -> str:
    if now.each is None:
        return f"{words.count(before.done)} before"
    usual = "" if before.each is None else f", before {words.duration(before.each)}"
    return f"{words.duration(now.each)} each{usual}"


def _line(span: Span, parts: Mapping[int, Part], field: str) -> list[float]:
    found = [float(getattr(parts[n], field)) if n in parts else 0.0 for n in range(span.parts)]
    return found if any(found) else []


def _shares(span: Span, parts: Mapping[int, Part]) -> list[float]:
    found = [100 * parts[n].completed / parts[n].runs for n in range(span.parts) if n in parts and parts[n].runs]
    return found if len(found) > 1 else []


# ---------------------------------------------------------------------------------------------------- by the hour
def columns(span: Span, parts: Sequence[Part], now: datetime, zone: tzinfo, base: str) -> list[Column]:
    """What was done in each part, and what failed; the last one goes on."""
    by_part, since, found = {each.part: each for each in parts}, span.since(now), []
    for n in range(span.parts):
        began = since + n * span.part
        part = by_part.get(n, Part(part=n))
        query = urlencode({"tab": "all", "since": began.isoformat(), "until": (began + span.part).isoformat()})
        here = began.astimezone(zone)
        said = f"{words.count(part.done)} done, {words.count(part.failed)} failed"
        found.append(
            Column(
                label=_label(span, here),
                done=part.done,
                failed=part.failed,
                href=f"{base}/items?{query}",
                title=f"{here:%a} {words.day(here)} {here:%H:%M}: {said}",
                is_now=n == span.parts - 1,
            )
        )
    return found


def _label(span: Span, here: datetime) -> str:
    return f"{here:%H:%M}" if span.part == _HOUR else words.day(here)


def told(columns: Sequence[Column], title: str) -> str:
    """The chart in a sentence."""
    done, failed = sum(each.done for each in columns), sum(each.failed for each in columns)
    most = max(columns, key=lambda each: each.done, default=None)
    peak = f", most {words.count(most.done)} at {most.label}" if most is not None and most.done else ""
    return f"{title}: {words.count(done)} done, {words.count(failed)} failed{peak}"


# ---------------------------------------------------------------------------------------------------- what comes
_DAY: Final = timedelta(days=1)


def soon(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When something comes, in few letters: the clock within a day, then the weekday, then the date."""
    here = at.astimezone(zone)
    if at - now < _DAY:
        return f"{here:%H:%M}"
    return f"{here:%a}" if at - now < 6 * _DAY else words.day(here)


def going_on(sentence: str) -> str:
    """A sentence behind a name: `every weekday at 07:30`."""
    return sentence[:1].lower() + sentence[1:]

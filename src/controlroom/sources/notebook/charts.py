"""The charts, each from the rows of one measure: quiet where things go well, loud where they do not; light and dark.

Colours are those of the room's console. A chart says by its tooltip what each mark counts.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import altair as alt

from controlroom.sources.notebook.measures import Row

_OUTCOMES: Final = ("completed", "failed", "stopped", "open")
_WIDTH: Final = "container"
_AIR: Final = 0.14
_LEAST: Final = 0.01
"""Seconds: less has no place on a scale of powers."""


class Theme(NamedTuple):
    """Colours of the marks and what stands around them."""

    text: str
    quiet: str
    line: str
    completed: str
    failed: str
    stopped: str
    open: str
    accent: str

    @property
    def outcomes(self) -> alt.Scale:
        """Of how runs ended."""
        return alt.Scale(domain=list(_OUTCOMES), range=[self.completed, self.failed, self.stopped, self.open])


LIGHT: Final = Theme(
    text="#2b2a28",
    quiet="#6f6b66",
    line="#e7e4df",
    completed="#6fae93",
    failed="#d1483f",
    stopped="#b9b4ac",
    open="#7c74e0",
    accent="#5d54d6",
)
DARK: Final = Theme(
    text="#e8e9ee",
    quiet="#9a9fac",
    line="#2c3038",
    completed="#4d8f76",
    failed="#f0665c",
    stopped="#5a606c",
    open="#8f88f0",
    accent="#9d96ff",
)

_SECONDS: Final = (
    "datum.value < 1 ? format(datum.value, '.2f') + ' s' : datum.value < 60 ? format(datum.value, '.0f') + ' s' : "
    "datum.value < 3600 ? format(datum.value / 60, '.0f') + ' m' : datum.value < 86400 ? "
    "format(datum.value / 3600, '.0f') + ' h' : format(datum.value / 86400, '.0f') + ' d'"
)


_TICKS: Final = [0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 43200, 86400, 259200, 864000]
"""Seconds that people count in, some three to a power of ten."""


def told_seconds(seconds: float | None) -> str:
    """A duration as people say it: `0.04 s`, `12 m 41 s`, `3 h 12 m`."""
    if seconds is None:
        return "–"  # noqa: RUF001 - nothing to tell
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m" if hours < 48 else f"{hours // 24} d {hours % 24} h"  # noqa: PLR2004 - two days


def volume(rows: Sequence[Row], theme: Theme) -> alt.LayerChart:
    """Runs over time, by how they ended: failed ones hang below the line, where nothing hides them."""
    bars = (
        alt.Chart(alt.Data(values=_stacked(rows)))
        .mark_rect(cornerRadius=1)
        .encode(
            x=alt.X("moment:T", title=None, scale=alt.Scale(type="utc"), axis=_times()),
            x2="right:T",
            y=alt.Y("low:Q", title=None, axis=alt.Axis(labelExpr="format(abs(datum.value), ',')", tickCount=5)),
            y2="high:Q",
            color=alt.Color("outcome:N", scale=theme.outcomes, legend=alt.Legend(title=None, orient="top")),
            tooltip=[
                _moment("moment", "From"),
                _moment("until", "To"),
                alt.Tooltip("outcome:N", title="Ended"),
                alt.Tooltip("count:Q", title="Runs", format=","),
            ],
        )
    )
    line = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=theme.quiet, strokeWidth=1).encode(y="zero:Q")
    return _dressed(alt.layer(bars, line), theme, 230)


def _stacked(rows: Sequence[Row]) -> list[Row]:
    """The rows as rectangles, with some air between two stretches of time."""
    tops: dict[dt.datetime, int] = {}
    stacked = []
    for row in sorted(rows, key=lambda row: _OUTCOMES.index(row["outcome"])):
        low = -row["count"] if row["outcome"] == "failed" else tops.get(row["moment"], 0)
        high = 0 if row["outcome"] == "failed" else low + row["count"]
        if high:
            tops[row["moment"]] = high
        right = row["until"] - (row["until"] - row["moment"]) * _AIR
        stacked.append({**row, "low": low, "high": high, "right": right})
    return _plain(stacked)


def processes(rows: Sequence[Row], theme: Theme) -> alt.HConcatChart:
    """Which processes run how often, and how long they take: half of the runs, and nine of ten."""
    order = list(dict.fromkeys(row["process"] for row in rows))
    data = alt.Data(values=_plain(rows))
    names = alt.Y("process:N", title=None, sort=order, axis=alt.Axis(labelLimit=220, domain=False, ticks=False))
    counts = (
        alt.Chart(data, title=_title("Runs", theme))
        .mark_bar(height={"band": 0.62}, cornerRadiusEnd=2)
        .encode(
            y=names,
            x=alt.X("count:Q", title=None, stack=True, axis=alt.Axis(format="~s", tickCount=4)),
            color=alt.Color("outcome:N", scale=theme.outcomes, legend=None),
            order=alt.Order("outcome:N"),
            tooltip=[
                "process:N",
                alt.Tooltip("outcome:N", title="ended"),
                alt.Tooltip("count:Q", title="runs", format=","),
            ],
        )
        .properties(width=365, height=alt.Step(26))
    )
    once = [row for row in _first(rows, "process") if row["median"] is not None]
    took = _ranges(once, "process", order, theme, "How long a run takes", names=False).properties(
        width=365, height=alt.Step(26)
    )
    return _dressed(alt.hconcat(counts, took, spacing=28), theme)


def causes(rows: Sequence[Row], theme: Theme) -> alt.LayerChart:
    """Why things failed, most often first."""
    order = [row["cause"] for row in rows]
    base = alt.Chart(alt.Data(values=_plain(rows))).encode(
        y=alt.Y("cause:N", title=None, sort=order, axis=alt.Axis(labelLimit=380, domain=False, ticks=False)),
        x=alt.X("count:Q", title=None, axis=None),
        tooltip=[
            alt.Tooltip("cause:N", title="Cause"),
            alt.Tooltip("count:Q", title="Times", format=","),
            alt.Tooltip("processes:N", title="In"),
            _moment("last", "Last"),
        ],
    )
    bars = base.mark_bar(color=theme.failed, height={"band": 0.62}, cornerRadiusEnd=2)
    counts = base.mark_text(align="left", dx=6, color=theme.text, fontWeight=600).encode(
        text=alt.Text("count:Q", format=",")
    )
    return _dressed(alt.layer(bars, counts), theme, alt.Step(26))


def queues(rows: Sequence[Row], theme: Theme) -> alt.LayerChart:
    """How long work waited in each queue: half of it, and nine of ten."""
    order = [row["queue"] for row in rows]
    return _dressed(_ranges(rows, "queue", order, theme, ""), theme, alt.Step(26))


def busy(rows: Sequence[Row], theme: Theme) -> alt.LayerChart:
    """How many robots were at work at once, under what could be."""
    data = alt.Data(values=_plain(rows))
    base = alt.Chart(data).encode(x=alt.X("moment:T", title=None, scale=alt.Scale(type="utc"), axis=_times()))
    area = base.mark_area(
        color=theme.accent, opacity=0.22, interpolate="step-after", line={"color": theme.accent, "strokeWidth": 1.5}
    ).encode(
        y=alt.Y("busy:Q", title=None, axis=alt.Axis(tickCount=5)),
        tooltip=[
            _moment("moment", "From"),
            _moment("until", "To"),
            alt.Tooltip("busy:Q", title="At work", format=".2f"),
        ],
    )
    capacity = rows[0]["capacity"] if rows else None
    if capacity is None:
        return _dressed(alt.layer(area), theme, 210)
    of = alt.Chart(alt.Data(values=[{"capacity": capacity, "says": f"{capacity:,} could be"}]))
    rule = of.mark_rule(color=theme.quiet, strokeDash=[4, 3]).encode(y="capacity:Q")
    says = of.mark_text(align="right", baseline="bottom", dy=-3, dx=-2, color=theme.quiet).encode(
        y="capacity:Q", x=alt.value("width"), text="says:N"
    )
    return _dressed(alt.layer(area, rule, says), theme, 210)


def _ranges(
    rows: Sequence[Row], name: str, order: Sequence[str], theme: Theme, title: str, *, names: bool = True
) -> alt.LayerChart:
    """From the median to the ninetieth per cent, on a scale on which seconds and days both have room."""
    told = [
        {
            **row,
            "says": f"{told_seconds(row['median'])} · {told_seconds(row['p90'])}",
            "low": max(row["median"], _LEAST),
            "high": max(row["p90"], _LEAST),
        }
        for row in _plain(rows)
    ]
    axis = alt.Axis(labelLimit=300, domain=False, ticks=False) if names else None
    base = alt.Chart(alt.Data(values=told), **({"title": _title(title, theme)} if title else {})).encode(
        y=alt.Y(f"{name}:N", title=None, sort=list(order), axis=axis),
        tooltip=[alt.Tooltip(f"{name}:N"), alt.Tooltip("says:N", title="half · nine of ten")],
    )
    scale = alt.Scale(type="log", nice=False, padding=14)
    ticks = alt.Axis(labelExpr=_SECONDS, values=_TICKS, labelOverlap=True)
    span = base.mark_bar(height=6, cornerRadius=3, color=theme.accent, opacity=0.32).encode(
        x=alt.X("low:Q", title=None, scale=scale, axis=ticks), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=80, color=theme.accent, opacity=1).encode(x=alt.X("low:Q", scale=scale))
    return alt.layer(span, dot)


def _dressed(chart: Any, theme: Theme, height: object = None) -> Any:
    if height is not None:
        chart = chart.properties(width=_WIDTH, height=height)
    font = "Inter, ui-sans-serif, system-ui, sans-serif"
    return (
        chart.properties(background="transparent", padding={"left": 4, "right": 12, "top": 4, "bottom": 4})
        .configure(font=font)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=theme.quiet,
            titleColor=theme.quiet,
            gridColor=theme.line,
            domainColor=theme.line,
            tickColor=theme.line,
            labelFontSize=12,
        )
        .configure_axisY(labelColor=theme.text)
        .configure_legend(labelColor=theme.text, labelFontSize=12, symbolType="square", symbolSize=90, offset=6)
    )


def _title(text: str, theme: Theme) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", color=theme.quiet, fontSize=12, fontWeight=500, offset=8)


def _times() -> alt.Axis:
    return alt.Axis(grid=False, labelOverlap=True, tickCount=8)


def _moment(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}_said:N", title=title)


def _plain(rows: Sequence[Row]) -> list[Row]:
    """Rows with moments as Vega reads them, and as people do: its own tooltips would be in the browser's zone."""
    plain = []
    for row in rows:
        moments = {name: value for name, value in row.items() if isinstance(value, dt.datetime)}
        read = {name: f"{value.isoformat()}Z" for name, value in moments.items()}
        plain.append(
            {**row, **read, **{f"{name}_said": f"{value:%d %b %Y %H:%M} UTC" for name, value in moments.items()}}
        )
    return plain


def _first(rows: Sequence[Row], name: str) -> list[Row]:
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row[name], row)
    return list(seen.values())

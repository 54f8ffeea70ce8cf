"""The notebook, as marimo reads it: `controlroom explore` opens it over a file that a source has loaded."""

import marimo

app = marimo.App(width="medium", app_title="Control room")


@app.cell
def _():
    import datetime as dt
    import os

    import duckdb
    import marimo as mo

    from controlroom.sources.notebook import charts, measures, tables

    return charts, dt, duckdb, measures, mo, os, tables


@app.cell
def _(duckdb, mo, os, tables):
    file = os.environ.get("CONTROLROOM_EXPLORED", "")
    try:
        with tables.opened(file) as database:
            known = tables.datasets(database)
        trouble = ""
    except (OSError, duckdb.Error, tables.NothingLoaded) as error:
        known, trouble = {}, str(error)
    mo.stop(bool(trouble), mo.md(f"## Nothing to show\n\n`{file}`: {trouble}").callout(kind="warn"))
    return file, known


@app.cell
def _(dt, known, mo):
    periods = {
        "24 hours": dt.timedelta(days=1),
        "7 days": dt.timedelta(days=7),
        "30 days": dt.timedelta(days=30),
        "All": None,
    }
    dataset = mo.ui.dropdown(
        options={f"{name} ({source})" if name != source else name: name for name, source in known.items()},
        value=next(iter(f"{name} ({source})" if name != source else name for name, source in known.items())),
        label="Loaded",
    )
    period = mo.ui.radio(options=periods, value="30 days", inline=True, label="The last")
    return dataset, period


@app.cell
def _(charts, dataset, file, known, measures, mo, os, period, tables):
    dark = os.environ.get("CONTROLROOM_EXPLORED_THEME") == "dark"
    theme = charts.DARK if dark else charts.LIGHT
    with tables.opened(file) as opened:
        tables.read(opened, dataset.value, known[dataset.value])
        since = measures.beginning(opened, period.value)
        figures = measures.overview(opened, since)
        volume = measures.volume(opened, since)
        processes = measures.processes(opened, since)
        causes = measures.causes(opened, since)
        queues = measures.queues(opened, since)
        busy = measures.busy(opened, since)
    mo.vstack(
        [
            mo.hstack(
                [mo.md("# What ran"), mo.hstack([dataset, period], gap=2)], justify="space-between", align="center"
            ),
            mo.md(f"Until {figures.until:%d %b %Y %H:%M} UTC, when the newest of it happened.")
            if figures.until
            else "",
        ]
    )
    return busy, causes, figures, processes, queues, theme, volume


@app.cell
def _(charts, figures, mo):
    rate = figures.failed / figures.runs if figures.runs else 0
    mo.hstack(
        [
            mo.stat(f"{figures.runs:,}", label="Runs", caption="asked for in this time", bordered=True),
            mo.stat(f"{figures.failed:,}", label="Failed", caption=f"{rate:.1%} of them", bordered=True),
            mo.stat(
                charts.told_seconds(figures.median_seconds), label="A run takes", caption="half of them", bordered=True
            ),
            mo.stat(charts.told_seconds(figures.wait_seconds), label="Work waits", caption="half of it", bordered=True),
        ],
        widths="equal",
        gap=1,
    )


@app.cell
def _(charts, mo, theme, volume):
    mo.vstack(
        [mo.md("## Runs over time"), charts.volume(volume, theme) if volume else mo.md("*No runs in this time.*")]
    )


@app.cell
def _(charts, mo, processes, theme):
    mo.vstack(
        [
            mo.md("## By process"),
            mo.md("The dot is what half of the runs take at most, the bar ends where nine of ten have ended."),
            charts.processes(processes, theme) if processes else mo.md("*No runs in this time.*"),
        ]
    )


@app.cell
def _(causes, charts, mo, theme):
    mo.vstack([mo.md("## Why things failed"), charts.causes(causes, theme) if causes else mo.md("*Nothing failed.*")])


@app.cell
def _(charts, mo, queues, theme):
    mo.vstack(
        [
            mo.md("## How long work waited"),
            mo.md("From when it was there, or due, until somebody began with it: half of it (dot), nine of ten (bar)."),
            charts.queues(queues, theme) if queues else mo.md("*Nothing has waited.*"),
        ]
    )


@app.cell
def _(busy, charts, mo, theme):
    mo.vstack(
        [
            mo.md("## Workers at work"),
            mo.md("Robots at work at once, on average of each stretch of time, and how many could be."),
            charts.busy(busy, theme) if busy else mo.md("*Nothing was at work.*"),
        ]
    )


if __name__ == "__main__":
    app.run()

"""Charts as SVG: what is drawn is what was given, and nothing of it is inline style or script."""

import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from controlroom.ui import charts
from controlroom.ui.charts import Bar, Column, Segment, Span

texts = st.text(max_size=20)
shares = st.floats(-1, 2, allow_nan=False)
segments = st.lists(
    st.builds(Segment, st.sampled_from(["ok", "bad", "run", "hair"]), st.integers(0, 10**9), texts), max_size=6
)
bars = st.lists(
    st.builds(Bar, st.sampled_from(["ok", "bad", "warn", "run", "idle", "missed"]), shares, st.just("/x"), texts),
    max_size=50,
)


def read(markup):
    """The markup as a tree; fails for what is not well-formed."""
    printable = "".join(each for each in str(markup) if each.isprintable())
    return ET.fromstring(printable)  # noqa: S314 - our own


def width(rect):
    return float(rect.get("width").rstrip("%"))


@given(segments)
def test_a_meter_is_as_wide_as_its_parts(of):
    """Whatever is there is seen, and all together are never wider than the whole."""
    rects = read(charts.meter(of)).findall("rect")
    assert len(rects) == sum(each.count > 0 for each in of)
    assert all(width(each) >= 0.4 for each in rects)
    assert sum(map(width, rects)) <= 100.1


@given(bars)
def test_a_strip_shows_the_newest_and_hangs_bad_ones_below(of):
    """At most thirty, each a link with a title; those that failed stand below the line, the others above it."""
    links = read(charts.strip(of, label="runs")).findall("a")
    shown = of[-30:]
    assert len(links) == len(shown)
    for link, bar in zip(links, shown, strict=True):
        below = [rect for rect in link.findall("rect") if float(rect.get("y").rstrip("%")) > 72]
        assert bool(below) == (bar.tone in {"bad", "warn"})


@given(st.lists(st.floats(0, 10**9), max_size=100))
def test_a_spark_stays_in_its_picture(values):
    """However large the values are."""
    line = read(charts.spark(values, label="x")).find("polyline").get("points").split()
    points = [tuple(map(float, each.split(","))) for each in line]
    assert len(points) == len(values)
    assert all(0 <= x <= 100.01 and 0 <= y <= 22 for x, y in points)


@given(
    st.lists(st.builds(Column, texts, st.integers(0, 10**7), st.integers(0, 10**5), st.just("/x"), texts), max_size=48)
)
def test_columns_stand_on_their_line(of):
    """What was done stands above, what failed hangs below; an hour without either is no link."""
    picture = read(charts.columns(of, label="items"))
    assert len(picture.findall(".//a")) == sum(bool(each.done or each.failed) for each in of)


@given(st.floats(0, 10**9))
def test_an_axis_has_round_numbers_up_to_the_most(most):
    """From 0, evenly, three to five of them."""
    found = charts.steps(most)
    assert found[0] == 0
    assert found[-1] >= most
    assert len({b - a for a, b in pairwise(found)}) == 1
    assert len(found) <= 6


@given(st.lists(st.builds(Span, st.sampled_from(["wait", "ok", "lost"]), shares, shares, texts), max_size=5), texts)
def test_a_lane_is_drawn_of_whatever_times(spans, said):
    """Also where they lie outside of the picture."""
    assert len(read(charts.lane(spans, now=0.5, said=said, failed=[0.1])).findall("rect")) == len(spans)


@given(shares, shares, st.sampled_from(["4.9 s", "3 h 12 m", "x" * 60]))
def test_a_word_of_a_lane_stands_in_its_picture(start, end, said):
    """Behind the bars where there is room, else before them, else on them: never over what stands beside it."""
    begun, ended = min(start, end), max(start, end)
    (word,) = read(charts.lane([Span("ok", begun, ended)], said=said)).findall("text")
    at, goes_left = float(word.get("x", "").rstrip("%")) / 100, word.get("text-anchor") == "end"
    wide = min(0.012 * len(said), max(1 - ended, begun, ended) - 0.001)
    if "inside" in word.get("class", "").split():
        assert abs(at - min(1, max(0, ended))) < 0.001
    else:
        assert at >= wide if goes_left else at + wide <= 1


@settings(max_examples=20)
@given(st.lists(st.integers(0, 100), min_size=301, max_size=900))
def test_no_peak_is_lost_when_values_are_joined(values):
    """The largest of all is among what is shown."""
    found = charts.binned(values)
    assert len(found) == charts.MOST_MARKS
    assert max(found) == max(values)


def test_titles_are_escaped():
    """A process may be called anything."""
    drawn = str(charts.strip([Bar("ok", 1, '/x"><script>', "<b>&")], label='"><script>'))
    assert "<script>" not in drawn
    assert "<b>" not in drawn

"""What commands print steers no terminal."""

import io

import pytest

from controlroom.cli.live_lines import Label, LiveLines
from controlroom.cli.screen import Guarded, harmless, line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Grüß Gott, 漢 🙂\tand\nmore", "plain, Grüß Gott, 漢 🙂\tand\nmore"),
        ("\x1b[31mred\x1b[0m \x1b[1;38:5:9mtoo\x1b[m", "\x1b[31mred\x1b[0m \x1b[1;38:5:9mtoo\x1b[m"),
        ("clear\x1b[2J\x1b[H up\x1b[1A gone\x1b[?25l", "clear up gone"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b]52;c;aGk=\x07c", "abc"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("\x1bP+q544e\x1b\\a\x1b_x\x1b\\b\x1b^y\x1b\\c", "abc"),
        ("\x9b2Ja\x9d0;t\x9cb\x90x\x9cc\x85d", "abcd"),
        ("\x1bca\x1b7b\x1b(0c\x1b#8d\x1b", "abcd"),
        ("bell\x07 back\x08space \rreturn \x00nul \x7fdel\x0b\x0c\x0e", "bell backspace return nul del"),
        ("\x1b[31\x1b[2J", ""),
        ("\x1b[>4;2mmode\x1b[?1049h\x1b[6n", "mode"),
    ],
)
def test_colours_pass_and_nothing_else(text, shown):
    """Text, tabs, line ends and colours stay; every other control and its sequence is gone."""
    assert harmless(text) == shown


@pytest.mark.parametrize("number", [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029])
def test_every_control_is_known(number):
    """Of all control characters only tab and line feed come through, whatever stands around them."""
    assert (chr(number) in harmless(f"a{chr(number)}b")) == (chr(number) in "\t\n")


def test_colours_end_with_their_line():
    """A line that hides or colours what follows does so to itself only."""
    assert line("\x1b[8mhidden") == "\x1b[8mhidden\x1b[0m"
    assert line("plain") == "plain"


def test_whatever_is_printed_goes_through():
    """A guarded stream is a stream like any other, to which nothing harmful is written."""
    under = io.StringIO()

    print("a\x1b[2Jb", "c\x07", file=Guarded(under), end="\x1bc\n")

    assert under.getvalue() == "ab c\n"


class Output(io.StringIO):
    """A file or a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.fixture
def live(monkeypatch):
    """Live lines, what they wrote, and a clock to put forward."""

    def make(*, is_terminal: bool):
        out, now = Output(is_terminal=is_terminal), [0.0]
        monkeypatch.setattr("sys.stdout", out)
        return LiveLines(clock=lambda: now[0]), out, now

    return make


ONE, TWO = Label("one#1", 36), Label("two#1", 33)


def test_in_a_file_a_growing_line_is_gone_on_with(live):
    """A question and its answer stand in one line, once."""
    lines, out, _ = live(is_terminal=False)

    lines.unfinished(ONE, "Name?")
    lines.unfinished(ONE, "Name? A")
    lines.line(ONE, "Name? Ada")
    lines.line(ONE, "next")

    assert out.getvalue() == "one#1 | Name? Ada\none#1 | next\n"


def test_in_a_file_a_bar_is_told_now_and_then(live):
    """A state that takes the place of another is told after some seconds, and the last one in any case."""
    lines, out, now = live(is_terminal=False)

    for percent in range(0, 101, 10):
        lines.unfinished(ONE, f"{percent}%")
        lines.unfinished(ONE, f"{percent}%")
        now[0] += 1
    lines.line(ONE, "100%")

    assert out.getvalue().splitlines() == ["one#1 | 0%", "one#1 | 50%", "one#1 | 100%"]


def test_two_robots_do_not_share_a_line(live):
    """What another console prints meanwhile begins on its own line; an unchanged line is not told again."""
    lines, out, now = live(is_terminal=False)

    lines.unfinished(ONE, "wait")
    lines.line(TWO, "hello")
    for _ in range(10):
        now[0] += 10
        lines.unfinished(ONE, "wait")
    lines.line(ONE, "waited")

    assert out.getvalue().splitlines() == ["one#1 | wait", "two#1 | hello", "one#1 | waited"]


def test_on_a_terminal_a_line_is_drawn_over(live, monkeypatch):
    """The same row shows its newest state, cut to the width, and nothing of a robot's own control sequences."""
    monkeypatch.setenv("COLUMNS", "40")
    lines, out, _ = live(is_terminal=True)

    lines.unfinished(ONE, "10%")
    lines.unfinished(ONE, "\x1b[2J20%" + "=" * 100)
    lines.line(ONE, "100%")

    label = "\x1b[36mone#1\x1b[0m | "
    assert out.getvalue() == f"{label}10%\r\x1b[K{label}{'=' * 31}\r\x1b[K{label}100%\n"

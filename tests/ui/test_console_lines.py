"""Lines of a console as they are shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.ui.console_lines import drawn_line, plain_line

TOLD = {
    "plain <b>&": "plain &lt;b&gt;&amp;",
    "10 %\r50 %\r100 %\r": "100 %",
    "\x1b[1;31mERROR\x1b[0m why": '<span class="ansi-1 ansi-bold">ERROR</span> why',
    "\x1b[38;5;196;44mx\x1b[39;49my": '<span class="ansi-9 ansi-on-4">x</span>y',
    "\x1b[38;2;1;250;3mx": '<span class="ansi-10">x</span>',
    "\x1b[97;100;4mx\x1b[24m\x1b[mz": '<span class="ansi-15 ansi-on-8 ansi-under">x</span>z',
    "\x1b]0;a title\x07\x1b[2Kx\x1b[?25l": "x",
    "\x1b[38mx\x1b[38;5mx\x1b[99999999999999999999mx\x1b[0m": '<span class="ansi-8">x</span>xx',
    'see https://example.com/?a="x"&b=1.': 'see <a class="" href="https://example.com/?a=" rel="noopener noreferrer" '
    'target="_blank">https://example.com/?a=</a>&#34;x&#34;&amp;b=1.',
    "javascript://x": "javascript://x",
}


@pytest.mark.parametrize("line", TOLD)
def test_a_line_is_shown_as_a_terminal_would(line):
    """Colours, what has been overwritten, links; what only a terminal obeys is left out."""
    assert str(drawn_line(line)) == TOLD[line]


@given(st.text(alphabet=st.sampled_from("ab<>&\"'\x1b[;:?]0123456789mK\r\x07 https://"), max_size=60))
def test_whatever_is_printed_makes_no_element_but_ours(line):
    """What is read of it is the plain line, whatever its codes."""
    drawn = str(drawn_line(line))
    kept = re.sub(
        r'</?(?:span class="[a-z0-9 -]+"|span|a class="[a-z0-9 -]*" href="[^"<>]*" rel="noopener noreferrer" '
        r'target="_blank"|a)>',
        "",
        drawn,
    )
    assert not re.search("[<>]", kept)
    for name, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        kept = kept.replace(name, sign)
    assert kept == plain_line(line)

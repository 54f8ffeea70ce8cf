import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.protocol import MAX_LINE_BYTES, MAX_UNFINISHED_BYTES
from controlroom.worker.lines import LineSplitter


def split(*chunks: bytes) -> list[bytes]:
    """What a console gets of these chunks."""
    splitter = LineSplitter()
    parts = [splitter.feed(chunk) for chunk in chunks] + [splitter.finish()]
    assert all(part.text.count(b"\n") == part.count for part in parts)
    return b"".join(part.text for part in parts).split(b"\n")[:-1]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"on", b"e\ntw", b"o"], [b"one", b"two"]),
        ([b"one\r\ntwo\r\n"], [b"one", b"two"]),
        ([b"\n\n"], [b"", b""]),
        ([], []),
        ([b"50%\r100%\n"], [b"100%"]),
        ([b"\r 5%", b"\r10", b"%\r", b"\n"], [b"10%"]),
        ([b"50%\r", b"\r", b"\r60%\r\r\nnext\r\n"], [b"60%", b"next"]),
        ([b"50%\r"], [b"50%"]),
        ([b"x" * MAX_LINE_BYTES * 2, b"\rlast", b" state\n"], [b"last state"]),
        ([b"a\0b\n"], ["a\N{REPLACEMENT CHARACTER}b".encode()]),
        ([b"\xff\xfe\n"], ["\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}".encode()]),
        (["gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n".encode()[:3], b"\xbcn\n"], ["gr\u00fcn".encode()]),
    ],
)
def test_chunks_become_lines(chunks, lines):
    """Lines come out whole wherever the chunks were cut, as UTF-8 without NUL."""
    assert split(*chunks) == lines


@pytest.mark.parametrize("chunk_bytes", [1000, 65_536, 300_000])
def test_a_long_line_is_cut(chunk_bytes):
    """A line over the limit is cut at a character, and the next line is whole."""
    text = ("\u00e9" * MAX_LINE_BYTES + "\nnext\n").encode()

    first, second = split(*(text[at : at + chunk_bytes] for at in range(0, len(text), chunk_bytes)))

    assert MAX_LINE_BYTES - 2 <= len(first) <= MAX_LINE_BYTES
    assert set(first.decode()) == {"\u00e9"}
    assert second == b"next"


@given(st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"d\r"]), max_size=30), st.data())
def test_lines_do_not_depend_on_how_they_come(parts, data):
    """However the same bytes are cut into chunks, the same lines come out, and the same state of an unfinished one."""
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    at_once, by_parts = LineSplitter(), LineSplitter()

    first, others = at_once.feed(whole), [by_parts.feed(chunk) for chunk in chunks]

    assert b"".join(lines.text for lines in others) == first.text
    assert by_parts.unfinished == at_once.unfinished
    assert by_parts.lines == at_once.lines == first.count
    assert by_parts.finish() == at_once.finish()


def test_an_unfinished_line_is_seen_as_it_stands():
    """What has no end yet is told as text, cut at a character to what people look at; it is no line."""
    splitter = LineSplitter()

    assert splitter.feed(b"done\n10%\r20%\0").count == 1
    assert splitter.unfinished == "20%\N{REPLACEMENT CHARACTER}".encode()
    splitter.feed(b"\r" + "ä".encode() * MAX_LINE_BYTES)
    assert splitter.unfinished == "ä".encode() * (MAX_UNFINISHED_BYTES // 2)
    splitter.feed(b"\n")
    assert splitter.unfinished == b""


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_line_is_lost(chunks):
    """Whatever bytes come, as many lines come out as there were line ends, and one for a last line without."""
    whole = b"".join(chunks)

    lines = split(*chunks)

    assert len(lines) == whole.count(b"\n") + (not whole.endswith(b"\n") and whole != b"")
    for line in lines:
        assert "\0" not in line.decode("utf-8")

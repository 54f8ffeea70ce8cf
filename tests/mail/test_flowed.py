"""Text whose lines the sender's program broke."""

from controlroom.mail.flowed import unflowed


def test_paragraphs_come_together():
    """Soft line ends go, quotations and the signature stay apart, stuffed spaces are taken out."""
    text = "One paragraph \nof two lines.\nNext.\n>> quoted \n>> deep\n> less \n From here\n-- \nJane \n"
    said = "One paragraph of two lines.\nNext.\n>> quoted deep\n> less \nFrom here\n-- \nJane \n"
    assert unflowed(text, deletes_space=False) == said


def test_spaces_that_mark_a_soft_end_can_go():
    """`delsp=yes`, for languages that divide no words."""
    assert unflowed("日本 \n語", deletes_space=True) == "日本語"

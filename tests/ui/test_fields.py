"""What a form has sent, as verbs read it."""

from controlroom.ui.asking import Fields


def test_names_typed_into_one_field():
    """Commas and line ends part them, blanks are theirs; nothing is no name."""
    sent = Fields([("to", " Ada Lovelace, ben\r\ncleo,, \n")])
    assert sent.listed("to") == ["Ada Lovelace", "ben", "cleo"]
    assert sent.listed("absent") == []


def test_words_typed_into_one_field():
    """Whatever people put between addresses and codes parts them."""
    sent = Fields([("to", "a@example.com; b@example.com,c@example.com\n d@example.com")])
    assert sent.words("to") == [f"{each}@example.com" for each in "abcd"]
    assert sent.words("absent") == []

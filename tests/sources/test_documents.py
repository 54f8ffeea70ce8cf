"""The pages of the sources tell their tables as they are."""

import pytest

from sources.documents import DOCUMENTS, SOURCES, document


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_tells_the_tables_of_its_source(source):
    """Else `make coverage-table` has not been called."""
    text = (DOCUMENTS / f"{source}.md").read_text(encoding="utf-8")

    assert document(source, text) == text

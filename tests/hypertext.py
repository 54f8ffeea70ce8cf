"""What a page of the console says, as a test reads it."""

import re


def links(html: str) -> list[str]:
    """Where the page's links lead."""
    return [href.replace("&amp;", "&") for href in re.findall(r'<a [^>]*href="([^"]+)"', html)]

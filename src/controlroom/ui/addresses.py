"""The addresses of pages: `/w/{workspace}/…`, where a workspace is called by its slug.

A slug is made of the name. Where several of somebody's workspaces would have the same, or a name makes none, the
number stands in it, too. The number alone and the id are understood, and lead to the slug.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from controlroom.engine.workspaces.model import Workspace

_NO_WORD: Final = re.compile(r"[^\w]+|_+")
_NUMBER: Final = re.compile(r"[0-9]+")
_LONGEST: Final = 60


def slug_of(name: str) -> str:
    """A name as it stands in an address: small letters and digits of any script, joined by `-`; may be empty."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", _NO_WORD.sub("-", plain.lower())).strip("-")[:_LONGEST].strip("-")


class Workspaces:
    """Those that somebody may enter, by how addresses name them."""

    def __init__(self, workspaces: Sequence[Workspace]) -> None:
        slugs = [slug_of(each.name) for each in workspaces]
        times = Counter(slugs)
        self.slugs: dict[str, Workspace] = {}
        """In the order of their names."""
        named = sorted(zip(slugs, workspaces, strict=True), key=lambda pair: (pair[1].name.casefold(), pair[1].number))
        for slug, workspace in named:
            is_clear = slug and times[slug] == 1 and not _NUMBER.fullmatch(slug)
            self.slugs[slug if is_clear else f"{slug}-{workspace.number}".lstrip("-")] = workspace
        self._by_id = {str(each.id): slug for slug, each in self.slugs.items()}
        self._by_id |= {
            str(each.number): slug for slug, each in self.slugs.items() if str(each.number) not in self.slugs
        }

    def find(self, text: str) -> tuple[str, Workspace] | None:
        """The slug and the workspace that a text names by slug, number or id; None for none of theirs."""
        slug = text if text in self.slugs else self._by_id.get(text.lower())
        return None if slug is None else (slug, self.slugs[slug])

    def slug(self, workspace: Workspace) -> str:
        """How addresses call one of them."""
        return self._by_id[str(workspace.id)]

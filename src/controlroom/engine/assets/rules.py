"""What an asset may be called, and what its content may be said to be."""

import re

from controlroom.engine.assets.errors import AssetNameInvalid, ContentTypeInvalid

LONGEST_NAME = 255

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}(\s*;\s*{_WORD}=({_WORD}|"[^"\\\x00-\x1f\x7f]*"))*')
_LONGEST_TYPE = 255


def checked_asset_name(name: str) -> str:
    """The name, if it can be addressed. Raises AssetNameInvalid.

    Clients put the name into a path with its slashes. That is fine but where a path loses them:
    our border collapses `//` and drops a slash at the end.
    """
    if not name or name != name.strip():
        raise AssetNameInvalid("is not empty and neither begins nor ends with a space")
    if len(name) > LONGEST_NAME:
        raise AssetNameInvalid(f"has at most {LONGEST_NAME} characters")
    if not name.isprintable() or "\ufffd" in name:  # which stands for bytes of a path that were no text
        raise AssetNameInvalid("has printable characters only")
    if name.endswith("/") or "//" in name:
        raise AssetNameInvalid("does not end with a slash and has no two in a row")
    if not {".", ".."}.isdisjoint(name.split("/")):
        raise AssetNameInvalid("has no part that is . or ..")
    return name


def checked_content_type(content_type: str) -> str:
    """The content type as it may stand in a header (RFC 9110 §8.3.1). Raises ContentTypeInvalid."""
    if len(content_type) > _LONGEST_TYPE or not content_type.isascii() or not _MEDIA_TYPE.fullmatch(content_type):
        raise ContentTypeInvalid
    return content_type

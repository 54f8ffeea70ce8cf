"""What people may call things."""

from controlroom.errors import Invalid

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 4000


def checked_name(name: str, *, what: str = "name") -> str:
    """The name, if it is one. Raises Invalid `NAME_INVALID` for an empty, overlong or unprintable one."""
    if not name.strip() or name != name.strip():
        raise Invalid(f"a {what} is not empty and neither begins nor ends with a space", code="NAME_INVALID")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"a {what} has at most {LONGEST_NAME} characters", code="NAME_INVALID")
    if not name.isprintable():
        raise Invalid(f"a {what} has printable characters only", code="NAME_INVALID")
    return name


def checked_text(text: str, *, what: str, longest: int = LONGEST_NAME) -> str:
    """A text that may be empty, if it is not too long. Raises Invalid `TEXT_TOO_LONG`."""
    if len(text) > longest:
        raise Invalid(f"a {what} has at most {longest} characters", code="TEXT_TOO_LONG")
    return text


def checked_description(text: str) -> str:
    """What something is for, if it is not too long. Raises Invalid `TEXT_TOO_LONG`."""
    return checked_text(text, what="description", longest=LONGEST_DESCRIPTION)

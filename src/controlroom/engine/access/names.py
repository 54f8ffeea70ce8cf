"""What people may call things."""

from controlroom.errors import Invalid

LONGEST_NAME = 255


def checked_name(name: str, *, what: str = "name") -> str:
    """The name, if it is one. Raises Invalid `NAME_INVALID` for an empty, overlong or unprintable one."""
    if not name.strip() or name != name.strip():
        raise Invalid(f"a {what} is not empty and neither begins nor ends with a space", code="NAME_INVALID")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"a {what} has at most {LONGEST_NAME} characters", code="NAME_INVALID")
    if not name.isprintable():
        raise Invalid(f"a {what} has printable characters only", code="NAME_INVALID")
    return name

"""What a secret may be called."""

from controlroom.engine.vault.errors import SecretNameInvalid

RESERVED = frozenset({"publicKey"})
"""Names that a grammar's addresses take for themselves: under this one clients ask for the key to encrypt for."""

LONGEST_NAME = 255
LONGEST_DESCRIPTION = 10_000
_UNADDRESSABLE = frozenset("/:?#\\\ufffd")  # the last one stands for bytes of a path that were no text


def checked_secret_name(name: str) -> str:
    """The name, if vault clients can address it: they put it into a path by a relative join.

    Raises SecretNameInvalid.
    """
    if not name or name != name.strip():
        raise SecretNameInvalid("is not empty and neither begins nor ends with a space")
    if len(name) > LONGEST_NAME:
        raise SecretNameInvalid(f"has at most {LONGEST_NAME} characters")
    if not name.isprintable() or not _UNADDRESSABLE.isdisjoint(name):
        raise SecretNameInvalid("has printable characters only, none of them / : ? # or \\")
    if name in RESERVED or name in {".", ".."}:
        raise SecretNameInvalid(f"cannot be {name}")
    return name

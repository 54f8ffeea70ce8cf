"""What a grammar calls things, where a list tells and finds them by its words."""


def literal(text: str) -> str:
    """A word of a grammar as SQL; written in code, never by a caller. `%` begins a parameter there."""
    if "%" in text or "\0" in text or text.startswith("\\'"):
        raise ValueError(f"{text!r} is no word")
    return "'" + text.replace("'", "''") + "'"

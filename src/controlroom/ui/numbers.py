"""Addresses have the numbers of things. Who comes by an id or a name, as programs tell them, is led on."""

from controlroom.ui.asking import Asking
from controlroom.ui.entrance import Moved


def ensure_number(request: Asking, named: str, number: int) -> None:
    """Go on if the address has the number; raises Moved to the address that has it."""
    if named == str(number):
        return
    path = request.scope["path"].replace(f"/{named}", f"/{number}", 1)
    query = request.scope["query_string"].decode("latin-1")
    raise Moved(f"{path}?{query}" if query else path)

"""One of the actor's workspaces in a form: they are known with each request, and so in no list of the engine."""

from controlroom.engine.workspaces.model import Workspace
from controlroom.ui.asking import Asking
from controlroom.ui.pickers.picker import FEW, SUGGESTED, Offer, PickRefused


def offered(request: Asking, chosen: str) -> Offer:
    """What a form draws, with what is chosen now: an id, or what was typed."""
    found = request.workspaces.slugs
    if len(found) <= FEW:
        return Offer("", [(str(each.id), each.name) for each in found.values()], value=chosen)
    value = next((slug for slug, each in found.items() if str(each.id) == chosen), chosen)
    return Offer("", [("", slug) for slug in [*found][:SUGGESTED]], is_typed=True, value=value)


def meant(request: Asking, text: str) -> Workspace | None:
    """The workspace that a form names by its id, its slug or its name; None for none. Raises PickRefused."""
    if not text:
        return None
    found = request.workspaces.slugs
    if (by_slug := found.get(text)) is not None:
        return by_slug
    named = [each for each in found.values() if text in {str(each.id), each.name, f"#{each.number}"}]
    if not named:
        raise PickRefused(f"there is no workspace “{text[:100]}”")
    if len(named) > 1:
        told = ", ".join(f"#{each.number}" for each in named[:SUGGESTED])
        raise PickRefused(f"several workspaces are called “{text[:100]}”: {told}. Name one by its number")
    return named[0]

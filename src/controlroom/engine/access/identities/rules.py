"""Who is meant by an identity. Pure."""

from collections.abc import Sequence

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.identities.model import Candidate, Found, Identity, Known, ToLink, ToProve, Unknown


def found(identity: Identity, candidates: Sequence[Candidate]) -> Found:
    """The user who is meant. Raises WrongCredential for one who is disabled.

    By the subject first: an address may be given to somebody else later. By an address only if the provider has
    verified it, if it is that of one user, and if that user comes by no other identity of this provider.
    """
    for each in candidates:
        if each.is_known:
            if each.is_disabled:
                raise WrongCredential("user")
            return Known(each.id)
    meant = [each for each in candidates if not each.is_disabled]
    if not identity.is_email_verified or not identity.email or len(meant) != 1 or meant[0].is_linked:
        return Unknown()
    [user] = meant
    return ToProve(user.id, user.username) if user.has_password else ToLink(user.id, user.username)

"""What of the room stands beside the engine, and pages need: how to ask it itself, how it is, its backups."""

from collections.abc import Mapping

from msgspec import Struct, field

from controlroom.border.health import Check
from controlroom.border.itself import Itself
from controlroom.border.oidc import Provider
from controlroom.border.ticks import Ticks
from controlroom.outgoing import Outgoing
from controlroom.ui.backups import Backups


class Around(Struct, frozen=True, kw_only=True):
    """It is made by the composition root, with what there is; a console without it is whole, too."""

    itself: Itself = field(default_factory=Itself)
    mail_domain: str = "localhost"
    """Of the addresses of processes."""
    checks: Mapping[str, Check] = {}
    """The parts that a server needs, as `/readyz` asks them."""
    ticks: Ticks | None = None
    """Of the loops of this process."""
    objects: str = ""
    """Where objects lie, without what is secret in it."""
    backups: Backups | None = None
    outgoing: Outgoing | None = None
    """The client for requests that leave the room: prompts to models."""
    oidc: Provider | None = None
    """By which people log in, beside passwords."""
    oidc_creates_users: bool = False
    """Whether who is not known here becomes a user, without a place in a workspace."""

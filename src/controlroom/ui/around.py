"""What of the room stands beside the engine, and pages need: how to ask the room itself."""

from msgspec import Struct, field

from controlroom.border.itself import Itself


class Around(Struct, frozen=True, kw_only=True):
    """It is made by the composition root, with what there is; a console without it is whole, too."""

    itself: Itself = field(default_factory=Itself)
    mail_domain: str = "localhost"
    """Of the addresses of processes."""

"""What clients ask of the Control Room itself; not in the vendor's document."""

from controlroom import __version__
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.routing import get


class VersionDetails(Shape, frozen=True):
    """Which release this is."""

    version: str
    build_number: str
    product: str = "controlroom"


@get("/v2/settings/version/details")
async def get_version_details(request: Asking) -> VersionDetails:  # noqa: ARG001 - whoever is known may ask
    """Get the version of the Control Room."""
    return VersionDetails(__version__, __version__)

"""License API v2 (§2.18). Nothing is bought here and nothing ends: what is told is who holds which licence."""

from typing import Final

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Permission
from controlroom.dialects.automation360.columns import Columns
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.people import LICENCES, RUNTIME, licence_word
from controlroom.dialects.automation360.routing import Pair, get, post, put
from controlroom.engine.access.scope import throughout
from controlroom.engine.access.users import licences
from controlroom.engine.access.users.licences import HeldLicence, Licence
from controlroom.engine.lists.model import EVERYTHING, OLDEST_FIRST
from controlroom.engine.workspaces import store

_PAIR: Final = Pair("licensemanagement", "licensemanagement")
_NEVER: Final = "2099-12-31T23:59:59.000Z"
"""Clients want a moment."""
_UNLIMITED: Final = 2**31 - 1
_NAMES: Final = {
    "DEVELOPMENT": "Development",
    "RUNTIME": "Runtime",
    "ANALYTICSCLIENT": "AnalyticsClient",
    "ATTENDEDRUNTIME": "AttendedRuntime",
    "DISCOVERYBOTANALYZER": "DiscoveryBotAnalyzer",
    "DISCOVERYBOTRECORDER": "DiscoveryBotRecorder",
    "AARIUSER": "AARIUser",
    "CITIZENDEVELOPER": "CitizenDeveloper",
    "CLOUDBOTRUNNER": "CloudBotRunner",
}


class LicenseDetails(Shape, frozen=True, kw_only=True):
    """The licence of the whole room."""

    type: str = "PURCHASED"
    installation_date: str
    expiration_date: str = _NEVER
    fail_safe_status: int = 0
    control_room_license_server_sync_status: bool = True
    installed_cr_id: str
    license_mode: str = "FileLicense"
    tenant_license_token: str = ""
    cr_ls_sync_error_text: str = ""


class Feature(Shape, frozen=True, kw_only=True):
    """What a licence allows, and how many hold it."""

    id: int
    name: str
    enable: bool = True
    purchased_count: int = _UNLIMITED
    used_count_by_this_cr: int
    used_count_by_all_cr: int
    available_count: int
    license_count_unit: str = "NUMBER"


class Product(Shape, frozen=True, kw_only=True):
    """A licence."""

    id: int
    name: str
    license_type: str = "PURCHASED"
    feature: Feature


_COLUMNS: Final = Columns(
    licences.listing(
        [
            Licence(_NAMES[each], permission=Permission.RUNTIME)
            if each == RUNTIME
            else Licence(_NAMES[each], word=licence_word(each))
            for each in LICENCES
        ]
    ),
    {
        "id": As("id"),
        "name": "name",
        "licenseType": Words({"PURCHASED": EVERYTHING}),
        "feature.name": "name",
        "usedCountByThisCr": "held",
    },
    order=OLDEST_FIRST,
)


@put("/v2/license/sync", pair=_PAIR, number_codes=True)
async def sync_license(request: Asking) -> None:
    """Ask the licence server anew: there is none, so that what is told is so already."""
    throughout(request.actor, Permission.READ_MEMBERS)


@get("/v2/license/details", pair=_PAIR, number_codes=True)
async def get_license_details(request: Asking) -> LicenseDetails:
    """Get the licence of the room."""
    throughout(request.actor, Permission.READ_MEMBERS)
    organization = request.actor.organization_id
    founded = await store.founded_at(request.db, organization)
    return LicenseDetails(installation_date=moment(founded), installed_cr_id=str(organization))


@post("/v2/license/product/list", pair=_PAIR, number_codes=True)
async def list_license_products(request: Asking, data: Sought = None) -> Listed[Product]:
    """List the licences and how many users hold each."""
    within = throughout(request.actor, Permission.READ_MEMBERS)
    return await listed(request, data, _COLUMNS, HeldLicence, _show, within=within)


def _show(row: HeldLicence) -> Product:
    feature = Feature(
        id=row.id,
        name=row.name,
        used_count_by_this_cr=row.held,
        used_count_by_all_cr=row.held,
        available_count=_UNLIMITED - row.held,
    )
    return Product(id=row.id, name=row.name, feature=feature)

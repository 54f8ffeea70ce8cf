"""License API v2, and what else is asked of the room itself."""

import pytest

from controlroom import __version__

PRODUCTS = "/v2/license/product/list"


async def test_licences_are_counted_by_who_holds_them(root, nobody):
    """All kinds are there; nobody runs out of one, and the room's own never ends."""
    products = {row["name"]: row["feature"] for row in await root.rows(PRODUCTS)}
    [runtime] = await root.rows(PRODUCTS, "name", "Runtime")
    details = await root.get("/v2/license/details")

    assert len(products) == 9
    assert products["Runtime"]["usedCountByThisCr"] >= 1  # an admin may run robots
    assert runtime["feature"] == products["Runtime"]
    assert all(each["availableCount"] > 0 for each in products.values())
    assert (details["type"], details["expirationDate"][:4], details["installedCrId"]) == (
        "PURCHASED",
        "2099",
        str(root.actor.organization_id),
    )
    assert (await root.call("PUT", "/v2/license/sync")).status_code == 200
    refused = await nobody.call("GET", "/v2/license/details")
    assert (refused.status_code, refused.json()["code"]) == (403, 403)


@pytest.mark.parametrize("version", ["v3", "v4"])
async def test_nothing_has_been_migrated(root, nobody, version):
    """Three lists, each empty, for who may see the migrations."""
    for path in ("list", "7/results/list", "7/journal/9/actionmappings/list"):
        answer = await root.post(f"/{version}/migration/{path}", {"page": {"offset": "5", "length": 10}})

        assert answer == {"page": {"offset": 5, "total": 0, "totalFilter": 0}, "list": []}
        assert (await nobody.call("POST", f"/{version}/migration/{path}")).status_code == 403


async def test_the_version_is_told(nobody):
    """To every user."""
    assert (await nobody.get("/v2/settings/version/details"))["version"] == __version__

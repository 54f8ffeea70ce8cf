"""Invitations by the management API: made, listed, followed in a browser, taken back."""

from live import client_of


async def test_somebody_is_invited_and_comes(room, ada, ben, cleo):
    """The link is told once; who may not write members invites nobody, and an outsider knows of nothing."""
    made = await ada.post("/invitations", {"role": "operator", "email": "dora@example.com", "days": 2})
    listed = await ada.every("/invitations")

    assert made["url"].startswith(f"{room.url}/invite/cri_")
    assert [each for each in listed if each["id"] == made["id"]] == [{k: v for k, v in made.items() if k != "url"}]
    assert (made["role"], made["email"], made["expired"]) == ("operator", "dora@example.com", False)
    for refused in (ben.call("POST", "/invitations", json={"role": "viewer"}), ben.call("DELETE", _at(made))):
        assert (await refused).status_code == 403
    assert (await cleo.call("DELETE", _at(made))).status_code == 404
    assert made["id"] not in [each["id"] for each in await cleo.every("/invitations")]
    async with client_of(room.url) as http:
        path = made["url"].removeprefix(room.url)
        assert "operator" in (await http.get(path)).text
        assert (await ada.call("DELETE", _at(made))).json() == {"id": made["id"], "deleted": True}
        assert (await http.get(path)).status_code == 404
    gone = await ada.call("DELETE", _at(made))
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "INVITATION_NOT_FOUND")


async def test_what_is_asked_is_checked(ada):
    """A role that there is, and 1 to 90 days."""
    for wrong in ({"role": "king"}, {"role": "viewer", "days": 0}, {"role": "viewer", "days": 91}, {}):
        assert (await ada.call("POST", "/invitations", json=wrong)).status_code == 400, wrong


def _at(invitation):
    return f"/invitations/{invitation['id']}"

"""Addresses, credentials and errors of the dialect as a whole."""


async def test_a_key_opens_its_workspace(room, ada, workspace):
    """The workspace is told to anybody with a key of it, under both prefixes and both schemes."""
    for prefix in ("/api/v1", "/v1", "//api//v1"):
        for scheme in ("RC-WSKEY", "Bearer"):
            answer = await ada.http.get(
                f"{prefix}/workspaces/{workspace}/", headers={"Authorization": f"{scheme} {ada.key}"}
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["id"] == str(workspace)
            assert answer.json()["organization"] == {"id": str(room.organization), "name": "Control Room"}

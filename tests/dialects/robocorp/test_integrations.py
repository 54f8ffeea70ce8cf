"""The integrations endpoint: any body starts a run, the key is in the query; Asana shakes hands before."""

import hashlib
import hmac
import json


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_the_whole_body_becomes_the_payload(ada, cleo, stranger, process):
    """The token in the query counts, whatever header comes with it."""
    url = f"/api/v1/workspaces/{ada.workspace}/processes/{process}/process-runs-integrations"

    answer = await stranger.post(
        url, params={"token": ada.key}, json={"any": ["thing"]}, headers={"authorization": "RC-WSKEY nonsense"}
    )
    missing = await ada.http.post(url, json={})
    foreign = await stranger.post(url, params={"token": cleo.key}, json={})

    assert answer.json()["started"] is True
    [item] = await ada.every("/work-items", process_run_id=answer.json()["id"])
    assert (await ada.get(f"/work-items/{item['id']}"))["payload"] == {"any": ["thing"]}
    assert (missing.status_code, foreign.status_code) == (401, 404)


async def test_asana_shakes_hands_and_signs_afterwards(ada, stranger, process):
    """The secret is sent back and starts nothing; signed events start runs, unsigned and empty ones do not."""
    url = f"/v1/workspaces/{ada.workspace}/processes/{process}/process-runs-integrations"
    asana = {"token": ada.key, "with_handshake": "asana"}
    events, beat = json.dumps({"events": [{"action": "added"}]}).encode(), b'{"events": []}'

    async def post(body: bytes, **headers: str):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await stranger.post(url, params=asana, content=body, headers=names)

    early = await post(events, x_hook_signature=signature("shared", events))
    shaken = await post(b"{}", x_hook_secret="shared")
    quiet = await post(beat, x_hook_signature=signature("shared", beat))
    assert await ada.every("/process-runs") == []
    started = await post(events, x_hook_signature=signature("shared", events))
    forged = await post(events, x_hook_signature=signature("other", events))
    unsigned = await post(events)

    assert (early.status_code, early.json()["error"]["code"]) == (400, "HANDSHAKE_MISSING")
    assert (shaken.status_code, shaken.headers["x-hook-secret"], shaken.json()) == (200, "shared", {"started": False})
    assert quiet.json() == {"started": False}
    assert started.json()["started"] is True
    assert [forged.status_code, unsigned.status_code] == [400, 400]
    assert len(await ada.every("/process-runs")) == 1

"""Where packages are fetched from, over the management API, and pushes that are told by hooks."""

import hashlib
import hmac


async def test_a_source_is_set_told_and_removed(ada, stranger, process):
    """The hook's address and secret are told once; a signed push wants a fetch, an unsigned one does not."""
    [package] = await ada.every("/task-packages")
    path = f"/task-packages/{package['id']}/source"
    assert (await ada.call("GET", path)).status_code == 404

    made = await ada.post(path, {"url": "https://git.invalid/robot.git", "branch": "main"})
    hook = made["push_hook"]
    signature = "sha256=" + hmac.new(hook["secret"].encode(), b"{}", hashlib.sha256).hexdigest()
    signed = await stranger.post(hook["url"], content=b"{}", headers={"x-hub-signature-256": signature})
    token = await stranger.post(hook["url"], content=b"{}", headers={"x-gitlab-token": hook["secret"]})
    forged = await stranger.post(hook["url"], content=b"{} ", headers={"x-hub-signature-256": signature})
    unsigned = await stranger.post(hook["url"], content=b"{}")

    assert (made["branch"], made["tag"], made["commit"]) == ("main", None, None)
    assert [answer.status_code for answer in (signed, token, forged, unsigned)] == [200, 200, 401, 401]
    assert (await ada.get(path))["push_hook"] == {"url": hook["url"]}
    assert [each["package_id"] for each in await ada.every("/task-package-sources")] == [package["id"]]
    assert (await ada.post(f"/task-packages/{package['id']}/fetch"))["url"] == made["url"]
    kept = await ada.post(path, {"url": made["url"], "tag": "v1", "keep_push_hook": True})
    again = await stranger.post(hook["url"], content=b"{}", headers={"x-gitlab-token": hook["secret"]})
    assert (kept["tag"], kept["push_hook"], again.status_code) == ("v1", {"url": hook["url"]}, 200)
    assert (await ada.call("DELETE", path)).status_code == 200
    assert (await ada.call("POST", f"/task-packages/{package['id']}/fetch")).status_code == 404


async def test_one_thing_of_a_repository_is_fetched(ada, cleo, process):
    """A branch, a tag or a commit, of an address that git may speak to; outsiders see no package."""
    [package] = await ada.every("/task-packages")
    path, url = f"/task-packages/{package['id']}/source", "https://git.invalid/robot.git"

    statuses = [
        (await ada.call("POST", path, json=body)).status_code
        for body in (
            {"url": url},
            {"url": url, "branch": "a", "tag": "b"},
            {"url": url, "commit": "abc"},
            {"url": "file:///etc", "branch": "main"},
        )
    ]

    assert statuses == [400] * 4
    assert (await cleo.call("GET", path)).status_code == 404
    assert (await cleo.call("POST", path, json={"url": url, "branch": "main"})).status_code == 404
    assert await cleo.every("/task-package-sources") == []

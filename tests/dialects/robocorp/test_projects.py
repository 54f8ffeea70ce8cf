"""Projects over our own management API: made of workspaces, seen by colleagues, and by nobody outside."""


async def test_a_workspace_is_made_a_project_and_back(room, ada, ben, cleo):
    """By who may change the workspace, in as many calls as they like; what it was like stays known."""
    at, projects = "/project", f"{room.url}/api/v1/projects"
    assert (await ada.call("GET", at)).status_code == 404
    package = (await ada.post("/task-packages", {"name": "shop", "type": "zip"}))["id"]

    made = await ada.post("/project", {"subdirectory": "transform", "package_id": package})
    assert (made["id"], made["subdirectory"], made["package_id"]) == (str(ada.workspace), "transform", package)
    assert await ada.post("/project", {"description": None} | {"description": ""}) == made
    assert await ben.get("/project") == made
    assert (await ben.call("POST", at, json={"name": "x"})).status_code == 403
    assert (await cleo.call("GET", f"{room.url}/api/v1/workspaces/{ada.workspace}/project")).status_code == 404
    assert (await ada.call("POST", at, json={"revision": 1, "name": "x"})).status_code == 409

    [listed] = (await ben.call("GET", projects)).json()["data"]
    assert listed == made
    assert (await cleo.call("GET", projects)).json()["data"] == []
    assert (await ada.call("DELETE", at)).json() == {"id": str(ada.workspace), "deleted": True}
    assert (await ben.call("GET", projects)).json()["data"] == []

"""Task packages come and go by the public API; their content by signed links."""

import datetime as dt
import hashlib
import io
import zipfile

import httpx2
import pytest

from controlroom.engine.access.model import Permission


def robot_zip(*tasks: str, conda: str = "", declared: str = "") -> bytes:
    """A robot with these tasks, and perhaps a conda.yaml."""
    lines = "".join(f'  "{task}":\n    shell: "true"\n' for task in tasks)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        named = "condaConfigFile: conda.yaml\n" if conda else ""
        archive.writestr(zipfile.ZipInfo("robot.yaml"), f"tasks:\n{lines}artifactsDir: output\n{named}")
        if declared:
            archive.writestr(zipfile.ZipInfo("controlroom.yaml"), declared)
        if conda:
            archive.writestr(zipfile.ZipInfo("conda.yaml"), conda)
    return buffer.getvalue()


async def post_form(upload: dict, content: bytes) -> httpx2.Response:
    """Post a file as a form, as clients of signed uploads do."""
    async with httpx2.AsyncClient(timeout=120, trust_env=False) as client:
        return await client.post(upload["url"], data=upload["form_data"], files={"file": ("robot.zip", content)})


async def test_a_package_is_created_uploaded_and_downloaded(ada):
    """From its name over the form to the zip again, tasks included."""
    made = await ada.post("/task-packages", {"name": "invoices", "type": "zip"})
    assert (made["name"], made["type"], made["tasks"], made["download"]) == ("invoices", "zip", [], None)
    content = robot_zip("Produce", "Consume")

    assert (await post_form(made["upload"], content)).status_code == 204
    package = await ada.get(f"/task-packages/{made['id']}")

    assert [task["name"] for task in package["tasks"]] == ["Produce", "Consume"]
    async with httpx2.AsyncClient(timeout=120, trust_env=False) as client:
        answer = await client.get(package["download"]["url"])
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(content).digest()
    assert "invoices.zip" in answer.headers["content-disposition"]


async def test_the_older_routes_give_the_links_alone(ada):
    """`/upload` and `/download` answer what the package itself has in its fields."""
    made = await ada.post("/task-packages", {"name": "invoices"})
    path = f"/task-packages/{made['id']}"
    empty = await ada.call("GET", f"{path}/download")
    assert (empty.status_code, empty.json()["error"]["code"]) == (404, "TASK_PACKAGE_EMPTY")

    assert (await post_form(await ada.get(f"{path}/upload"), robot_zip("Run"))).status_code == 204

    assert (await ada.get(f"{path}/download"))["url"].startswith("http")


async def test_a_refused_upload_tells_the_reason_and_keeps_the_version_before(ada):
    """What is no robot changes nothing."""
    made = await ada.post("/task-packages", {"name": "invoices"})
    await post_form(made["upload"], robot_zip("Run"))
    package = await ada.get(f"/task-packages/{made['id']}")

    refused = await post_form(package["upload"], b"no zip")

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PACKAGE_INVALID")
    package = await ada.get(f"/task-packages/{made['id']}")
    refused = await post_form(package["upload"], robot_zip("Old", conda="dependencies: [python=2.7.18]"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PACKAGE_INVALID")
    assert "Python 2.7.18 is asked for" in refused.text
    assert [task["name"] for task in (await ada.get(f"/task-packages/{made['id']}"))["tasks"]] == ["Run"]


async def test_packages_are_listed_in_pages_and_found_by_name(ada):
    """Our own list goes by pages; `name` finds the one that is called so."""
    names = [f"package {n}" for n in range(5)]
    for name in names:
        await ada.post("/task-packages", {"name": name})

    assert [row["name"] for row in await ada.every("/task-packages", limit=2)] == names
    assert [row["name"] for row in await ada.every("/task-packages", name="package 3")] == ["package 3"]
    assert await ada.every("/task-packages", name="other") == []
    assert all("upload" not in row for row in await ada.every("/task-packages"))


async def test_a_name_is_taken_once(ada):
    """A second package of a name is a conflict, until the first is deleted."""
    made = await ada.post("/task-packages", {"name": "invoices"})
    taken = await ada.call("POST", "/task-packages", json={"name": "invoices"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "PACKAGE_NAME_TAKEN")

    deleted = await ada.call("DELETE", f"/task-packages/{made['id']}")

    assert deleted.json() == {"id": made["id"], "deleted": True}
    assert (await ada.call("GET", f"/task-packages/{made['id']}")).status_code == 404
    await ada.post("/task-packages", {"name": "invoices"})


async def test_how_new_the_world_may_be_is_edited(ada, hire, workspace):
    """A date is meant with its whole day; junk and readers change nothing."""
    made = await ada.post("/task-packages", {"name": "invoices"})
    path = f"/task-packages/{made['id']}"
    assert (made["exclude_newer"], (await ada.get(path))["exclude_newer"]) == (None, None)

    edited = await ada.post(path, {"exclude_newer": "2023-05-01"})

    assert dt.datetime.fromisoformat(edited["exclude_newer"]) == dt.datetime(2023, 5, 2, tzinfo=dt.UTC)
    for body in ({"exclude_newer": "soon"}, {"exclude_newer": 5}, {"exclude_newer": "9999-12-31"}, {}, {"name": "x"}):
        assert (await ada.call("POST", path, json=body)).status_code == 400
    reader = await hire("reader", workspace, frozenset({Permission.READ_PACKAGES}))
    assert (await reader.call("POST", path, json={"exclude_newer": None})).status_code == 403
    assert (await ada.get(path))["exclude_newer"] == edited["exclude_newer"]
    assert (await ada.post(path, {"exclude_newer": None}))["exclude_newer"] is None


async def test_what_is_said_at_the_creation_holds_or_is_refused(ada):
    """How new the world may be, of uploaded and fetched packages; a folder beside a source is refused with the rest."""
    source = {"url": "https://git.example.com/robots.git", "branch": "main"}
    for name, more in (("uploaded", {}), ("fetched", {"source": source})):
        made = await ada.post("/task-packages", {"name": name, "exclude_newer": "2023-05-01", **more})
        assert dt.datetime.fromisoformat(made["exclude_newer"]) == dt.datetime(2023, 5, 2, tzinfo=dt.UTC)
        assert ("push_hook" in made, "upload" in made) == (bool(more), not more)
        assert (await ada.get(f"/task-packages/{made['id']}"))["exclude_newer"] == made["exclude_newer"]

    for more in ({"exclude_newer": "soon"}, {"source": source, "folder": "one"}, {"folder": "../one"}):
        refused = await ada.call("POST", "/task-packages", json={"name": "refused", **more})
        assert refused.status_code == 400, refused.text
    assert (await ada.get("/task-packages", name="refused"))["data"] == []


async def test_a_package_in_use_stays(ada, process):
    """Deleting what a step runs is a conflict that names the process."""
    [package] = await ada.every("/task-packages")
    answer = await ada.call("DELETE", f"/task-packages/{package['id']}")
    assert (answer.status_code, answer.json()["error"]["processes"]) == (409, ["Invoices"])


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 1}, {"name": "x", "type": "git"}, [], None])
async def test_a_wrong_request_is_refused(ada, body):
    """A package has a name and is a zip."""
    assert (await ada.call("POST", "/task-packages", json=body)).status_code == 400


async def test_an_upload_to_a_deleted_package_is_told_in_the_words_of_its_caller(ada):
    """The address that the link stands under belongs to no grammar; who was given the link has one."""
    made = await ada.post("/task-packages", {"name": "gone"})
    await ada.call("DELETE", f"/task-packages/{made['id']}")

    refused = await post_form(made["upload"], robot_zip("Run"))

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "TASK_PACKAGE_NOT_FOUND")
    assert refused.json()["message"].startswith("there is no task package")


async def test_readers_get_no_upload_and_outsiders_nothing(ada, cleo, hire, workspace):
    """Who may only read is told no upload; another workspace's key is told that there is no such workspace."""
    made = await ada.post("/task-packages", {"name": "invoices"})
    reader = await hire("reader", workspace, frozenset({Permission.READ_PACKAGES}))

    assert "upload" not in await reader.get(f"/task-packages/{made['id']}")
    for method, path in (("POST", ""), ("DELETE", f"/{made['id']}"), ("GET", f"/{made['id']}/upload")):
        answer = await reader.call(method, f"/task-packages{path}", json={"name": "x"} if method == "POST" else None)
        assert (answer.status_code, answer.json()["error"]["permission"]) == (403, "Tasks.write_task_packages")
    foreign = f"{cleo.http.base_url}/api/v1/workspaces/{workspace}/task-packages/{made['id']}"
    assert (await cleo.call("GET", foreign)).status_code in {403, 404}
    assert (await cleo.call("GET", f"/task-packages/{made['id']}")).status_code == 404


async def test_a_package_is_pushed_by_its_name(ada, cleo):
    """The upload makes it; what is refused leaves nothing; the folder of the robot is chosen with it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}/robot.yaml", f"tasks: {{{name}: {{shell: x}}}}\nartifactsDir: output\n")

    refused = await post_form(await ada.post("/task-package-uploads", {"name": "mono"}), buffer.getvalue())
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PACKAGE_INVALID")
    assert "`a`, `b`" in refused.json()["error"]["message"]
    assert await ada.every("/task-packages") == []

    upload = await ada.post("/task-package-uploads", {"name": "mono", "folder": "b"})
    assert (await post_form(upload, buffer.getvalue())).status_code == 204
    [package] = await ada.every("/task-packages")
    assert (package["name"], [task["name"] for task in package["tasks"]]) == ("mono", ["b"])

    upload = await ada.get(f"/task-packages/{package['id']}/upload?folder=a")
    assert (await post_form(upload, buffer.getvalue())).status_code == 204
    [package] = await ada.every("/task-packages")
    assert [task["name"] for task in package["tasks"]] == ["a"]

    for body in ({"name": ""}, {"name": "x", "folder": "../x"}, {"name": "x", "directory": "a"}):
        assert (await ada.call("POST", "/task-package-uploads", json=body)).status_code == 400
    wrong = {"name": "x", "source": {"url": "git@git.invalid:a.git", "branch": "main"}}
    assert (await ada.call("POST", "/task-packages", json=wrong)).status_code == 400
    assert (await ada.call("POST", "/task-packages", json={"name": "x", "folder": "/x"})).status_code == 400
    assert len(await ada.every("/task-packages")) == 1
    right = {"name": "x", "source": {"url": "https://git.invalid/a.git", "branch": "main", "folder": "r"}}
    made = await ada.post("/task-packages", right)
    assert made["push_hook"]["secret"]
    assert (await ada.get(f"/task-packages/{made['id']}/source"))["folder"] == "r"


async def test_a_task_tells_its_interface(ada, ben, cleo):
    """Inputs and outputs of a task by name: of the latest version, of an older one, and of the one with a label."""
    made = await ada.post("/task-packages", {"name": "greeter", "type": "zip"})
    for inputs in ("{name: string}", "{name: {type: string, default: x, description: Who., insight: true}}"):
        form = await ada.get(f"/task-packages/{made['id']}/upload")
        declared = f"tasks: {{Greet: {{inputs: {inputs}, outputs: {{text: string}}}}}}"
        assert (await post_form(form, robot_zip("Greet", declared=declared))).status_code == 204
    await ada.post(f"/task-packages/{made['id']}/labels/production", {"version": 1})
    [task] = (await ada.get(f"/task-packages/{made['id']}"))["tasks"]
    path = f"/tasks/{task['id']}/interface"

    latest = await ben.get(path)

    assert latest == {
        "version": 2,
        "inputs": [{"name": "name", "type": "string", "default": "x", "description": "Who.", "insight": True}],
        "outputs": [{"name": "text", "type": "string", "description": "", "insight": False}],
    }
    for query in ("?version=1", "?label=production"):
        older = await ada.get(path + query)
        assert (older["version"], older["inputs"][0]) == (
            1,
            {"name": "name", "type": "string", "description": "", "insight": False},
        )
    for version in (3, 0, 2**40):
        assert (await ada.call("GET", f"{path}?version={version}")).status_code == 404
    assert (await cleo.call("GET", path)).status_code == 404

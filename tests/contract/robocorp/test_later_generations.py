"""What the last generation of the API added to the vendor's document, and the older spellings beside it."""

import pytest

from contract.robocorp.furnished import Furnished


async def test_lists_have_pages_everywhere(furnished: Furnished, ada):
    """Also those that had none in the document: processes, assets, webhooks."""
    for path in ("/processes", "/assets", "/webhooks"):
        page = await ada.get(path, limit=1)
        assert set(page) == {"next", "has_more", "data"}
        assert len(page["data"]) == 1


async def test_a_process_has_its_steps(furnished: Furnished, ada):
    """In the order of the process."""
    shown = await ada.get(furnished_path(furnished, "/processes/{process}"))

    assert [step["name"] for step in shown["steps"]] == ["read", "write"]
    assert all(set(step) >= {"id", "name"} for step in shown["steps"])


async def test_a_task_package_tells_its_tasks_and_its_links(furnished: Furnished, ada, hire):
    """Tasks and download once it has content; an upload for those who may write."""
    shown = await ada.get(furnished_path(furnished, "/task-packages/{package}"))
    empty = await ada.post("/task-packages", {"name": "empty", "type": "zip"})

    assert (shown["type"], [task["name"] for task in shown["tasks"]]) == ("zip", ["Read"])
    assert shown["download"]["url"].startswith("http")
    assert set(shown["upload"]) == {"url", "form_data"}
    assert (empty["tasks"], empty["download"]) == ([], None)


async def test_an_upload_is_announced_in_either_form(furnished: Furnished, ada):
    """Wrapped in `upload`, and flat under the older address."""
    body = {"file_name": "a.txt", "file_size": 3}
    path = furnished_path(furnished, "/work-items/{item}/files")

    new, old = await ada.post(path, body), await ada.post(f"{path}/upload", body)

    assert set(new["upload"]) == set(old) == {"url", "form_data"}


async def test_files_of_items_have_links(furnished: Furnished, ada, stranger):
    """A file that was posted as the form says is fetched by its link, without a key."""
    path = furnished_path(furnished, "/work-items/{item}")
    form = (await ada.post(f"{path}/files", {"file_name": "a.txt", "file_size": 3}))["upload"]
    posted = await stranger.post(form["url"], data=form["form_data"], files={"file": ("a.txt", b"abc")})

    [file] = (await ada.get(path))["files"]

    assert posted.status_code == 204
    assert (file["name"], file["size"]) == ("a.txt", 3)
    assert (await stranger.get(file["download"]["url"])).content == b"abc"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/workers/{worker}", {"name": "changed"}),
        ("/worker-groups/{group}", {"name": "changed"}),
        ("/worker-groups/{group}/link-tokens/{token}", {"name": "changed", "expires_at": None}),
        ("/work-items/{item}/payload", {"payload": [1, None]}),
    ],
)
async def test_updates_are_post_and_put(furnished: Furnished, ada, path, body):
    """Both do the same and answer the same."""
    answers = [await ada.call(verb, furnished_path(furnished, path), json=body) for verb in ("POST", "PUT")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_outputs_and_assistant_runs_have_two_addresses(furnished: Furnished, ada):
    """The list of a run's outputs and of an assistant's runs, by path and by query."""
    run, assistant = furnished.ids["run"], furnished.ids["assistant"]

    outputs = [await ada.every(f"/process-runs/{run}/outputs"), await ada.every("/outputs", process_run_id=run)]
    runs = [
        await ada.every(f"/assistants/{assistant}/assistant-runs"),
        await ada.every("/assistant-runs", assistant_id=assistant),
    ]

    assert outputs[0] == outputs[1] != []
    assert runs[0] == runs[1] != []


def furnished_path(furnished: Furnished, path: str) -> str:
    """A path with the ids of what is there."""
    return path.format(**furnished.ids)

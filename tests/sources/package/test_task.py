"""The task: what its console tells of a load that fails."""

import dlt

from controlroom.sources.package import task
from controlroom.sources.package.settings import DATASET, DESTINATION, RESOURCES, SECRET, SOURCE
from sources.serving import listing


def test_a_wrong_resource_is_told_in_a_sentence(monkeypatch, tmp_path, capsys):
    """As at the prompt: which there is not, and which there are; no traceback."""
    assert _run(monkeypatch, tmp_path, {RESOURCES: "runs"}) == 1

    said = capsys.readouterr().err
    assert "Not loaded: there is no resource runs. There are" in said
    assert "Traceback" not in said


def test_a_refused_key_is_told_in_the_servers_words(monkeypatch, tmp_path, capsys):
    """And is not in them."""
    with listing() as server:
        assert _run(monkeypatch, tmp_path, {RESOURCES: "workspace"}, base_url=server.url) == 1

    said = capsys.readouterr().err
    assert "Not loaded: GET api/v1/workspaces/w-1" in said
    assert "Traceback" not in said
    assert "crk-very-secret" not in said


def _run(monkeypatch, tmp_path, variables, base_url="http://127.0.0.1:1") -> int:
    place = {DESTINATION: f"duckdb:{tmp_path}/x.duckdb", DATASET: "d", SOURCE: "robocorp", SECRET: "key"}
    for name, value in {**place, **variables, "ROBOT_ARTIFACTS": str(tmp_path / "output")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RC_WORKITEM_ID", raising=False)
    monkeypatch.setattr(dlt.secrets.writable_provider, "_config_doc", {})  # what the task keeps there goes again
    secret = {"workspace_id": "w-1", "api_key": "crk-very-secret", "base_url": base_url}
    monkeypatch.setattr(task, "_secret", lambda _: secret)
    return task.main()

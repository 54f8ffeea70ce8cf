"""Programs from PyPI that were written for Automation 360's Control Room, as they are, against a room of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from rooms import Room, clean_environment, room

pytestmark = [pytest.mark.e2e, pytest.mark.network]

CLIENTS = (
    *("automation-anywhere==2.1.7", "requests==2.32.5"),
    *("rpa-automationanywhere==2.0.0", "defusedxml==0.7.1"),
)
"""Neither says that it needs what stands behind it."""

ROBOT = {
    "robot.yaml": "tasks:\n  Greet:\n    shell: python greet.py\nartifactsDir: output\n",
    "greet.py": "print('hello')\n",
}

EXECUTOR = """
import sys, time
from automation_anywhere.executor import Executor

url, name, password = sys.argv[1:4]
try:
    Executor(url + "/", name, "wrong")
except Exception as refused:
    assert "username/password" in str(refused), refused
robot = Executor(url + "/", name, password, multiple_logins=True)
assert robot.validate() == (True, None)
assert robot.refresh() == (True, None)
assert robot.validate() == (True, None)
devices, page, error = robot.list_devices(run_as_user=name)
assert (len(devices), error) == (1, None), error
user = devices[0]["defaultUsers"][0]["id"]
found, page, error = robot.list_automations("Greet")
assert (len(found), error) == (1, None), error
success, error, deployment, automation = robot.deploy(int(found[0]["id"]), [int(user)])
assert success, error
assert automation.startswith("Greet.")
success, error, told = robot.status(deployment)
assert len(told["executions"]) == 1
until = time.monotonic() + 120
while told["executions"][0]["progress"] != 100 and time.monotonic() < until:
    time.sleep(0.3)
    success, error, told = robot.status(deploy_id=deployment, deploy_name=automation)
    assert success, error
assert told["executions"][0]["status"] == "COMPLETED", told
success, error, *_ = robot.deploy(987654321, [int(user)])
assert not success
assert robot.logout() == (True, None)
assert robot.validate() == (False, None)
"""

SERVICES = """
import sys, time, types
import rpa_automationanywhere as R
from rpa_automationanywhere.API.models import automation_models, blm_models, repository_models, wlm_models
from rpa_automationanywhere import *

url, name, password = sys.argv[1:4]
there = types.SimpleNamespace(control_room_uri=url, username=name, password=password, api_key=None)
with R.AAClient(there) as room:
    [bot] = [each for each in room.repository.list_workspace_files("public") if each.name == "Greet"]
    named = Filter(operator="eq", field="name", value="Greet")
    assert [each.id for each in room.repository.list_files(named)] == [bot.id]
    assert room.repository.download_file(int(bot.id))
    assert room.repository.get_file_parents(int(bot.id)) == []
    assert room.repository.get_file_dependencies(int(bot.id)).dependencies == []
    path = "Automation Anywhere\\\\Bots\\\\Default"
    [root] = [each for each in room.repository.list_workspace_files("public") if each.path == path]
    made = room.repository.create_folder(int(root.id), "Finance")
    assert "Finance" in [each.name for each in room.repository.list_folder_contents(int(root.id))]
    models = repository_models
    edited = room.repository.edit_folder(models.EditFolderRequest(folder_id=made.id, name="Money", parent_id=root.id))
    assert (edited.id, edited.name) == (made.id, "Money")
    clerks = {"name": "clerks", "description": "", "permissions": []}
    role = room.api_client.post("/v2/usermanagement/roles", json=clerks)
    may = [models.FolderPermission(folder_id=int(made.id), permissions=[{"name": "viewcontent", "enabled": True}])]
    room.repository.update_role_permissions(int(role["id"]), may)
    [told] = room.repository.get_role_folder_permissions(int(role["id"]), int(made.id))
    assert [each.name.value for each in told.permissions if each.enabled] == ["viewcontent"]
    room.repository.delete_folder(int(made.id))
    room.repository.update_file_dependencies(int(bot.id), 0, [])
    room.repository.assign_label(models.AssignLabelRequest(file_id=int(bot.id), version_number=1))
    packages = [models.PackageVersionUpdateInfo(package_name="greeter", package_version="1")]
    room.repository.update_packages_version(
        models.PackageVersionUpdateRequest(name="x", package_info=packages, file_ids=[int(bot.id)])
    )
    [bot] = room.repository.list_files(named)
    assert (bot.latest_version, bot.production_version) == ("1", "1")

    asked = room.blm.export_bots(
        blm_models.BlmExportRequest(name="nightly", file_ids=[int(bot.id)], archive_password="sesame")
    )
    exported = room.blm.get_status(asked.request_id, 60000)
    assert exported.status.value == "COMPLETED", exported
    archive = sys.argv[4] + "/nightly.zip"
    with open(archive, "wb") as file:
        file.write(room.blm.download_exported_bots(exported.download_file_id))
    for word, status in (("sesame", "COMPLETED"), ("other", "FAILED")):
        taken = room.blm.import_bots(archive, overwrite=True, public_workspace=True, archive_password=word)
        assert room.blm.get_status(taken.request_id, 60000).status.value == status
    versions = [blm_models.FileIdentity(id=int(bot.id), version=1)]
    asked = room.blm.export_bots_version(blm_models.BlmExportVersionRequest(name="v1", files=versions))
    assert room.blm.get_status(asked.request_id, 60000).status.value == "COMPLETED"
    target = blm_models.TargetControlRoom(url=url, username=name, api_key="x")
    asked = room.blm.promote_bots(
        blm_models.BlmPromoteRequest(name="p", files=versions, target_control_room=target)
    )
    assert "outgoing_allow" in room.blm.get_status(asked.request_id, 60000).error_message

    [device] = room.devices.list_devices()
    assert room.devices.get_by_id(device.id).host_name == room.devices.get_by_hostname(device.host_name).host_name
    assert [each.id for each in room.devices.get_by_status("connected")] == [device.id]
    user = int(device.default_users[0].id)

    request = UnattendedDeployRequest(
        bot_id=int(bot.id),
        unattended_request={"run_as_user_ids": [user], "device_usage_type": "RUN_ONLY_ON_DEFAULT_DEVICE"},
    )
    deployed = room.automations.deploy_bot(request)
    until = time.monotonic() + 120
    mine = Filter(operator="eq", field="deploymentId", value=deployed.deployment_id)
    while True:
        [run] = room.automations.list_activities(mine)
        if run.progress == 100 or time.monotonic() > until:
            break
        time.sleep(0.3)
    assert run.status == "COMPLETED", run
    assert room.automations.get_activity_details(run.id).id == run.id
    assert room.automations.get_execution_metrics().total_bots >= 1
    assert room.automations.get_performance_summary()
    assert room.automations.stop_executions([run.id])

    summary = room.policy.analyze_code_summary(CodeAnalysisRequest(file_id=bot.id))
    assert summary.rule_violation_summary.high_severity_count == 0, summary
    assert room.policy.analyze_code_details(CodeAnalysisRequest(file_id=bot.id)) == []
    assert room.audit.list_audit_logs(Filter(operator="eq", field="activityType", value="LOGIN"))
    assert room.license.get_license_details().license_type == "PURCHASED"
    assert len(room.license.list_products()) == 9
    assert room.license.sync_license()

    model = room.wlm.create_work_item_model(
        WorkItemModelWithoutId(name="Invoices", attributes=[{"name": "number", "type": "TEXT"}])
    )
    assert room.wlm.get_work_item_model(model.id).name == "Invoices"
    assert room.scheduler.list_schedules() == []
    assert room.api_task.list_allocations() == []
    assert room.users.get_by_username("nobody-of-this-name") is None
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """An environment of its own, with the clients."""
    folder: Path = tmp_path_factory.mktemp("clients")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *CLIENTS], check=True)
    return folder / "bin/python"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A room with a worker, and a bot."""
    robot = tmp_path_factory.mktemp("robot")
    for name, text in ROBOT.items():
        (robot / name).write_text(text)
    with room() as started:
        started.cli("push", str(robot), "--name", "greeter")
        yield started


@pytest.mark.parametrize("program", [EXECUTOR, SERVICES], ids=["automation-anywhere", "rpa-automationanywhere"])
def test_the_client_does_what_it_does_there(python: Path, here: Room, program: str, tmp_path: Path):
    """Whatever its own models let work (`users.list` is a fault of the client's: it knows other words for licences)."""
    admin = here.facts["admin"]
    words = [python, "-c", program, here.url, admin["username"], admin["password"], str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stdout + done.stderr

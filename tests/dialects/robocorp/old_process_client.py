"""Uses `RPA.Robocorp.Process` as its users do, and prints what it was told. Run by a Python that has rpaframework."""

import json
import os
import sys

from RPA.Robocorp.Process import Process

client = Process(
    workspace_id=os.environ["WORKSPACE"],
    workspace_api_key=os.environ["KEY"],
    robocorp_api_server=os.environ["SERVER"],
)
process_id = client.get_process_id_by_name("Invoices")
client.set_process_id(process_id)
started = client.start_process(work_items={"orderid": 5})
print(json.dumps({"process": process_id, "item": started["workItemIds"][0]}), flush=True)
sys.stdin.readline()

run = started["id"]
status = client.get_process_run_status(process_run_id=run)
step_run = status["robotRuns"][0]["id"]
client.get_process_run_status(process_run_id=run, step_run_id=step_run)
failed = [item["id"] for item in client.list_process_run_work_items(run, include_data=True, item_state="FAILED")]
[artifact] = client.list_run_artifacts(process_run_id=run, step_run_id=step_run)
address = client.get_robot_run_artifact(
    process_run_id=run, step_run_id=step_run, artifact_id=artifact["id"], filename=artifact["fileName"]
)
assert [item["id"] for item in client.list_process_runs()] == [run]
assert [item["id"] for item in client.list_process_runs_in_workspace(run_state="PENDING")] == [run]
assert client.get_work_item(failed[0], include_data=True)["payload"] == {"orderid": 5}
retried = client.retry_work_item(failed[0])
uploaded = client.create_input_work_item({"a": 1}, files=os.environ["UPLOAD"])
assert uploaded in [item["id"] for item in client.list_process_work_items()]
json.loads(client.start_configured_process(config_type="work_items", extra_info=[uploaded]))
print(
    json.dumps(
        {
            "failed": failed,
            "retried": retried["state"],
            "state": status["state"],
            "uploaded": uploaded,
            "artifact": address,
        }
    )
)

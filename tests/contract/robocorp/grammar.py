"""Every row of the grammar, as facts: method, path, permission, and what is worth a note.

The sections are those of the interfaces as we know them; whether we serve a row is computed, never written here.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """A route that the grammar's clients call."""

    method: str
    path: str
    """Whole, without the host; what is in braces is any value."""
    permission: str = ""
    """Which one an API key needs; empty: none, or another kind of credential."""
    note: str = ""
    is_alias: bool = False
    """An older spelling of another row."""


class Deed(NamedTuple):
    """What the grammar has the server do by itself."""

    what: str
    by: str
    """The name of what does it, as Python imports it."""
    note: str = ""


class Section(NamedTuple):
    """Rows that belong together."""

    title: str
    rows: tuple[Row | Deed, ...]


_READ_ASSETS, _WRITE_ASSETS = "Assets.read_asset_storage_assets", "Assets.write_asset_storage_assets"
_READ_ASSISTANTS, _WRITE_ASSISTANTS = "Assistants.read_assistants", "Assistants.write_assistants"
_READ_PROCESSES, _TRIGGER = "Processes.read_processes", "Processes.trigger_processes"
_READ_RUNS, _READ_OUTPUTS = "Processes.read_runs", "Processes.read_run_outputs"
_READ_ITEMS, _WRITE_ITEMS = "Processes.read_work_items", "Processes.write_work_items"
_READ_PACKAGES, _WRITE_PACKAGES = "Tasks.read_task_packages", "Tasks.write_task_packages"
_READ_WEBHOOKS, _WRITE_WEBHOOKS = "Webhooks.read_webhooks", "Webhooks.write_webhooks"
_READ_WORKERS, _WRITE_WORKERS = "Workers.read_workers", "Workers.write_workers"

W = "/api/v1/workspaces/{workspace}"
P = "/process-v1/workspaces/{workspace}/processes/{process}"
J = "/json-v1/workspaces/{workspace}/workitems/{item}"
_OLDEST = "/workspace-v1/workspaces/{workspace}/processes/{process}/runs"
_STEP = f"{P}/runs/{{run}}/robotRuns/{{step_run}}"
_LINK = f"{W}/worker-groups/{{group}}/link-tokens"
_ASSISTANTS = "/assistant-v1/workspaces/{workspace}/assistants"

PUBLIC = Section(
    "Public API v1, last generation (under `/api/v1` and `/v1`)",
    (
        Row("GET", W, note="any credential of the workspace"),
        Row("GET", f"{W}/assets", _READ_ASSETS),
        Row("POST", f"{W}/assets", _WRITE_ASSETS, "names are unique: 409"),
        Row("GET", f"{W}/assets/{{asset}}", _READ_ASSETS, "by id or `name:…`"),
        Row("DELETE", f"{W}/assets/{{asset}}", _WRITE_ASSETS, "by id or `name:…`"),
        Row("POST", f"{W}/assets/{{asset}}/uploads", _WRITE_ASSETS, "inline as base64, or by a link"),
        Row("GET", f"{W}/assets/{{asset}}/uploads/{{upload}}", _WRITE_ASSETS),
        Row("GET", f"{W}/assistants", _READ_ASSISTANTS),
        Row("POST", f"{W}/assistants", _WRITE_ASSISTANTS),
        Row("GET", f"{W}/assistants/{{assistant}}", _READ_ASSISTANTS),
        Row("GET", f"{W}/assistant-runs", _READ_ASSISTANTS),
        Row("GET", f"{W}/assistant-runs/{{assistant_run}}", _READ_ASSISTANTS),
        Row("GET", f"{W}/processes", _READ_PROCESSES),
        Row("GET", f"{W}/processes/{{process}}", _READ_PROCESSES, "with steps"),
        Row("GET", f"{W}/process-runs", _READ_RUNS),
        Row("GET", f"{W}/process-runs/{{run}}", _READ_PROCESSES),
        Row("DELETE", f"{W}/process-runs/{{run}}", _READ_RUNS, "409 while it goes on"),
        Row("POST", f"{W}/process-runs/{{run}}/stop", _TRIGGER),
        Row("POST", f"{W}/processes/{{process}}/process-runs", _TRIGGER, "four bodies, with callback"),
        Row("POST", f"{W}/processes/{{process}}/process-runs-integrations", _TRIGGER, "API key in `?token=`; Asana"),
        Row("GET", f"{W}/outputs", _READ_ITEMS),
        Row("GET", f"{W}/step-runs", _READ_PROCESSES),
        Row("GET", f"{W}/step-runs/{{step_run}}", _READ_RUNS),
        Row("GET", f"{W}/step-runs/{{step_run}}/artifacts", _READ_OUTPUTS),
        Row("GET", f"{W}/step-runs/{{step_run}}/artifacts/{{artifact}}", _READ_OUTPUTS),
        Row("GET", f"{W}/step-runs/{{step_run}}/console-messages", _READ_OUTPUTS, "takes `limit`, too"),
        Row("GET", f"{W}/step-runs/{{step_run}}/events", _READ_OUTPUTS),
        Row("GET", f"{W}/work-items", _READ_ITEMS),
        Row("POST", f"{W}/work-items", _WRITE_ITEMS),
        Row("GET", f"{W}/work-items/{{item}}", _READ_ITEMS),
        Row("POST", f"{W}/work-items/{{item}}/files", _WRITE_ITEMS),
        Row("POST", f"{W}/work-items/{{item}}/payload", _WRITE_ITEMS),
        Row("POST", f"{W}/work-items/batch", _WRITE_ITEMS, "all or none"),
        Row("POST", f"{W}/task-packages", _WRITE_PACKAGES),
        Row("GET", f"{W}/task-packages/{{package}}", _READ_PACKAGES, "with `upload` for a key that may write"),
        Row("DELETE", f"{W}/task-packages/{{package}}", _WRITE_PACKAGES),
        Row("GET", f"{W}/webhooks", _READ_WEBHOOKS),
        Row("POST", f"{W}/webhooks", _WRITE_WEBHOOKS, "also for a whole workspace: `process` null"),
        Row("GET", f"{W}/webhooks/{{webhook}}", _READ_WEBHOOKS),
        Row("DELETE", f"{W}/webhooks/{{webhook}}", _WRITE_WEBHOOKS),
        Row("GET", f"{W}/workers", _READ_WORKERS),
        Row("GET", f"{W}/workers/{{worker}}", _READ_WORKERS),
        Row("POST", f"{W}/workers/{{worker}}", _WRITE_WORKERS),
        Row("DELETE", f"{W}/workers/{{worker}}", _WRITE_WORKERS),
        Row("GET", f"{W}/worker-groups", _READ_WORKERS),
        Row("POST", f"{W}/worker-groups", _WRITE_WORKERS),
        Row("GET", f"{W}/worker-groups/{{group}}", _READ_WORKERS),
        Row("POST", f"{W}/worker-groups/{{group}}", _WRITE_WORKERS),
        Row("DELETE", f"{W}/worker-groups/{{group}}", _WRITE_WORKERS),
        Row("POST", f"{W}/worker-groups/{{group}}/workers", _WRITE_WORKERS),
        Row("DELETE", f"{W}/worker-groups/{{group}}/workers/{{worker}}", _WRITE_WORKERS),
    ),
)

EARLIER = Section(
    "Public API v1, earlier generations",
    (
        Row("POST", f"{W}/workers/link-tokens", _WRITE_WORKERS),
        Row("GET", _LINK, _READ_WORKERS),
        Row("POST", _LINK, _WRITE_WORKERS),
        Row("GET", f"{_LINK}/{{token}}", _READ_WORKERS),
        Row("POST", f"{_LINK}/{{token}}", _WRITE_WORKERS),
        Row("DELETE", f"{_LINK}/{{token}}", _WRITE_WORKERS),
        Row("GET", f"{W}/process-runs/{{run}}/outputs", _READ_ITEMS, "now `/outputs`", is_alias=True),
        Row(
            "GET",
            f"{W}/assistants/{{assistant}}/assistant-runs",
            _READ_ASSISTANTS,
            "now `/assistant-runs`",
            is_alias=True,
        ),
        Row("GET", f"{W}/task-packages/{{package}}/download", _READ_PACKAGES),
        Row("GET", f"{W}/task-packages/{{package}}/upload", _WRITE_PACKAGES),
        Row(
            "POST",
            f"{W}/work-items/{{item}}/files/upload",
            _WRITE_ITEMS,
            "answers without `upload` around it",
            is_alias=True,
        ),
        Row("PUT", f"{_LINK}/{{token}}", _WRITE_WORKERS, "now POST", is_alias=True),
        Row("PUT", f"{W}/workers/{{worker}}", _WRITE_WORKERS, "now POST", is_alias=True),
        Row("PUT", f"{W}/worker-groups/{{group}}", _WRITE_WORKERS, "now POST", is_alias=True),
        Row("PUT", f"{W}/worker-groups/{{group}}/workers", _WRITE_WORKERS, "now POST", is_alias=True),
        Row("PUT", f"{W}/work-items/{{item}}/payload", _WRITE_ITEMS, "now POST", is_alias=True),
    ),
)

OLD_PROCESS = Section(
    "Process-specific and old Process API, old Robot API",
    (
        Row("POST", f"{P}/runs", _TRIGGER, "the whole body is the payload"),
        Row("POST", f"{P}/runs-qs-authorization", _TRIGGER, "API key in `?token=`"),
        Row("POST", f"{P}/runs-batch", _TRIGGER, "one item per element, one run"),
        Row("POST", f"{P}/run-request", _TRIGGER),
        Row("POST", f"{P}/work-items", _WRITE_ITEMS),
        Row("GET", f"{P}/work-items", _READ_ITEMS),
        Row("GET", f"{P}/work-items/{{item}}", _READ_ITEMS),
        Row("POST", f"{P}/work-items/{{item}}/retry", _WRITE_ITEMS),
        Row("POST", f"{P}/work-items/{{item}}/files/upload", _WRITE_ITEMS),
        Row("GET", f"{P}/runs", _READ_RUNS),
        Row("GET", f"{P}/runs/{{run}}", _READ_PROCESSES),
        Row("GET", f"{P}/runs/{{run}}/work-items", _READ_ITEMS),
        Row("GET", f"{P}/runs/{{run}}/robotRuns", _READ_PROCESSES),
        Row("GET", _STEP, _READ_RUNS),
        Row("GET", f"{_STEP}/events", _READ_OUTPUTS),
        Row("GET", f"{_STEP}/messages", _READ_OUTPUTS),
        Row("GET", f"{_STEP}/artifacts", _READ_OUTPUTS, "`fileSIze` and `fileSize`"),
        Row("GET", f"{_STEP}/artifacts/{{artifact}}/{{file}}", _READ_OUTPUTS, "a bare JSON string"),
        Row("GET", "/process-v1/workspaces/{workspace}/processes", _READ_PROCESSES),
        Row("GET", "/process-v1/workspaces/{workspace}/pruns", _READ_RUNS),
        Row("GET", "/robot-v2/workspaces/{workspace}/robots/{robot}/file/uploadlink", _WRITE_PACKAGES),
        Row("POST", _OLDEST, note="by the process's secret in `robocloud-process-secret`"),
        Row("GET", f"{_OLDEST}/{{run}}", note="likewise"),
        Row("GET", f"{_OLDEST}/{{run}}/robotRuns/{{step_run}}/artifacts", note="likewise"),
        Row("GET", f"{_OLDEST}/{{run}}/robotRuns/{{step_run}}/artifacts/{{artifact}}/{{file}}", note="likewise"),
    ),
)

ROBOTS = Section(
    "What robots call: work items, vault, assets (by the token of the step run)",
    (
        Row("GET", f"{J}/data"),
        Row("PUT", f"{J}/data", note="an empty body is `null`"),
        Row("GET", f"{J}/files"),
        Row("POST", f"{J}/files"),
        Row("GET", f"{J}/files/{{file}}"),
        Row("DELETE", f"{J}/files/{{file}}"),
        Row("POST", f"{P}/work-items/{{item}}/output"),
        Row("POST", f"{_STEP}/reserve-next-work-item", note="idempotent while an item is held"),
        Row("POST", f"{_STEP}/release-work-item", note="the same one twice is fine"),
        Deed(
            "what is still held when a step run ends is released",
            "controlroom.engine.runs.reports.finish",
            "done if it succeeded, failed if not",
        ),
        Row("GET", "/secrets-v1/workspaces/{workspace}/secrets/publicKey"),
        Row("GET", "/secrets-v1/workspaces/{workspace}/secrets/{name}", note="`robocloud-vault-transit-v2`"),
        Row("PUT", "/secrets-v1/workspaces/{workspace}/secrets/{name}", note="creates, too"),
        Row("GET", "/v1/workspaces/{workspace}/assets"),
        Row("POST", "/v1/workspaces/{workspace}/assets"),
        Row("GET", "/v1/workspaces/{workspace}/assets/{asset}", note="`name:` and a name with slashes"),
        Row("DELETE", "/v1/workspaces/{workspace}/assets/{asset}"),
        Row("POST", "/v1/workspaces/{workspace}/assets/{asset}/uploads"),
        Row("GET", "/v1/workspaces/{workspace}/assets/{asset}/uploads/{upload}"),
    ),
)

RCC = Section(
    "What rcc and editors call (user access credentials)",
    (
        Row("POST", "/token-vendor-v1/workspaces/{workspace}/tokenrequest", note="signed"),
        Row("POST", "/token-vendor-v1/user/tokenrequest", note="signed"),
        Row("GET", "/token-vendor-v1/user/details", note="signed"),
        Row("DELETE", "/token-vendor-v1/credential", note="signed"),
        Row("GET", "/workspace-v1/workspaces"),
        Row("GET", "/workspace-v1/workspaces/{workspace}/tree", note="`robots` and `activities`"),
        Row("POST", "/robot-v1/workspaces/{workspace}/robots"),
        Row("GET", "/robot-v1/workspaces/{workspace}/robots/{robot}/file/uploadlink"),
        Row("GET", "/robot-v1/workspaces/{workspace}/robots/{robot}/file/downloadlink"),
        Row("GET", _ASSISTANTS),
        Row("POST", f"{_ASSISTANTS}/{{assistant}}/runs", note="the answer is encrypted (`rc-encryption-v1`)"),
        Row("POST", f"{_ASSISTANTS}/{{assistant}}/runs/{{run}}/heartbeat"),
        Row("PUT", f"{_ASSISTANTS}/{{assistant}}/runs/{{run}}/complete"),
        Row("POST", "/assistant-v1/artifacts/{token}", note="the address is ours: `artifactPostURL`"),
    ),
)

_PROVIDING = "controlroom.engine.provisioners"

OUTSIDE = Section(
    "What the room tells others, and what others tell it",
    (
        Deed(
            "webhooks of a workspace or a process",
            "controlroom.engine.webhooks.recipients.of_webhooks",
            "at least once",
        ),
        Deed(
            "callbacks of a single run",
            "controlroom.engine.webhooks.recipients.of_callbacks",
            "with the caller's secret",
        ),
        Deed(
            "`x-rc-signature` over the body",
            "controlroom.dialects.robocorp.messages.RobocorpGrammar.headers",
            "and Standard Webhooks headers beside it",
        ),
        Deed("retries for a day, then given up visibly", "controlroom.maintenance.deliverer.record"),
        Deed("a log of deliveries for two weeks, redelivery", "controlroom.engine.webhooks.redelivery.redeliver"),
        Deed("a test event", "controlroom.engine.webhooks.actions.test"),
        Deed("a mail becomes a work item", "controlroom.engine.triggers.mail.read_mail", "`email`, or `failedEmail`"),
        Deed(
            "Asana's handshake", "controlroom.engine.triggers.handshakes.shake", "`X-Hook-Secret`, `X-Hook-Signature`"
        ),
        Deed("a worker is started on demand", f"{_PROVIDING}.providing.ask", "`start`"),
        Deed("a worker on demand that is not needed", f"{_PROVIDING}.model.Stop", "`stop`"),
        Deed(
            "orders to provisioners are signed",
            "controlroom.dialects.robocorp.provisioner_requests.ProvisionerRequests.headers",
            "`x-rc-signed-headers`",
        ),
        Deed("orders by AWS EventBridge", f"{_PROVIDING}.eventbridge.order", "provisioners by https only"),
        Deed("`status` asked of provisioners", f"{_PROVIDING}.model.Status", "the vendor did not ask either"),
    ),
)

SECTIONS = (PUBLIC, EARLIER, OLD_PROCESS, ROBOTS, RCC, OUTSIDE)

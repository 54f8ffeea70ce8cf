"""Every operation of the grammar, as facts: method, path, and what is worth a note.

The sections are the modules of the vendor's index, and what clients call beside them; whether we serve a row is
computed, never written here.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Row(NamedTuple):
    """An operation that the grammar's clients call."""

    method: str
    path: str
    """Whole, without the host; what is in braces is any value."""
    note: str = ""


class Section(NamedTuple):
    """Operations that belong together."""

    title: str
    rows: tuple[Row, ...]


def _rows(base: str, *rows: str) -> Iterator[Row]:
    """`METHOD /path` or `METHOD /path: note`, below a base."""
    for row in rows:
        what, _, note = row.partition(": ")
        method, _, path = what.partition(" ")
        yield Row(method, base + path, note)


def _section(title: str, base: str, *rows: str) -> Section:
    return Section(title, tuple(_rows(base, *rows)))


_ACC = "/v1/acc/automation"
_WLM = "/v3/wlm"
_OF_QUEUE = "/queues/{queue}"

SECTIONS = (
    _section(
        "Authentication v1",
        "/v1/authentication",
        "POST : older clients log in here",
        "POST /token",
        "GET /token",
        "POST /logout",
        "POST /app/login: for the vendor's own services: 403",
    ),
    _section("Audit v1", "/v1/audit", "POST /messages/list"),
    _section(
        "Device v1",
        "/v1/devices",
        "POST /runasusers/list",
        "POST /runasusers/default",
        "POST /runasusers/default/unset",
        "DELETE /{device}",
    ),
    _section(
        "Automations v1 (scheduler)",
        "/v1/schedule/automations",
        "POST ",
        "PUT /{schedule}",
        "DELETE /{schedule}",
        "POST /list",
    ),
    _section(
        "Trigger v1",
        "/v1/triggers/triggermapping",
        "POST : stored; fires nothing, because there are no attended devices",
        "DELETE /{mapping}",
        "POST /list: ours; the vendor publishes no list",
    ),
    _section(
        "API Task v1 (real-time)",
        "/orchestrator/v1/hotbot",
        "PUT /config/create",
        "POST /config",
        "POST /config/accessdetails",
        "POST /{task}/execute: the address that access details give",
    ),
    _section("Policy Management v1", "/v1/policy/bot/analysis", "GET /download/{report}"),
    _section(
        "AI Agent Studio v1",
        "/gai/prompttools/v1/custommodel",
        "POST ",
        "POST /list",
        "GET /vendors/{vendor}/models/{model}",
        "DELETE /vendors/{vendor}/models/{model}",
    ),
    _section(
        "ACC Automations v1",
        _ACC,
        "POST /overview",
        "POST /runduration",
        "POST /runduration/total",
        "POST /mostrunning",
        "POST /longestrunning",
        "POST /mostfailed",
        "POST /failures",
        "POST /botexecution/list",
        "POST /bot/completed",
        "POST /bot/failed",
        "POST /mostrunning/export",
        "POST /longestrunning/export",
        "POST /mostfailed/export",
        "POST /runhistory/export",
        "GET /{bot}/about",
        "POST /overview/{workspace}",
        "POST /mostrunning/{workspace}",
        "POST /mostrunning/{workspace}/export",
        "POST /runhistory/{workspace}",
        "POST /runhistory/{workspace}/export",
        "POST /about/{workspace}",
        "POST /{group}/runduration",
        "POST /{group}/runduration/list",
        "POST /{group}/runduration/list/export",
    ),
    _section("Authentication v2", "/v2/authentication", "POST ", "POST /token"),
    *(
        _section(
            f"User Management {version}",
            f"/{version}/usermanagement",
            "POST /roles/list",
            "POST /roles",
            "GET /roles/{role}",
            "PUT /roles/{role}",
            "DELETE /roles/{role}",
            "POST /users/list",
            "POST /users",
            "GET /users/{user}",
            "PUT /users/{user}",
            "DELETE /users/{user}",
        )
        for version in ("v2", "v1")
    ),
    *(
        _section(
            f"Credential Vault {version}",
            f"/{version}/credentialvault",
            "POST /credentials",
            "POST /credentials/list",
            "GET /credentials/{credential}",
            "PUT /credentials/{credential}",
            "DELETE /credentials/{credential}",
            "PUT /credentials/{credential}/owner/{user}",
            "GET /credentials/{credential}/attributevalues",
            "POST /credentials/{credential}/attributevalues",
            "PUT /credentials/{credential}/attributevalues/{value}",
            "DELETE /credentials/{credential}/attributevalues/{value}",
            "POST /lockers",
            "POST /lockers/list",
            "GET /lockers/{locker}",
            "PUT /lockers/{locker}",
            "DELETE /lockers/{locker}",
            "GET /lockers/{locker}/consumers",
            "POST /lockers/{locker}/consumers",
            "DELETE /lockers/{locker}/consumers/{role}",
            "GET /lockers/{locker}/members",
            "PUT /lockers/{locker}/members/{user}",
            "DELETE /lockers/{locker}/members/{user}",
            "GET /lockers/{locker}/credentials",
            "PUT /lockers/{locker}/credentials/{credential}",
            "DELETE /lockers/{locker}/credentials/{credential}",
            "GET /mode",
            "PUT /mode",
            "POST /keys",
            "PUT /keys",
            "GET /keys/private",
            "PUT /keys/private",
            "GET /keys/transport/public",
            "PUT /loginsetting",
        )
        for version in ("v2", "v1")
    ),
    _section(
        "Bot Execution Orchestrator v2", "/v2", "POST /devices/list", "POST /devices/reset", "POST /activity/list"
    ),
    _section(
        "Repository Management v2",
        "/v2/repository",
        "POST /file/list",
        "POST /workspaces/{workspace}/files/list",
        "POST /folders/{folder}/list",
        "POST /folders/{folder}",
        "PUT /folders/{folder}",
        "DELETE /folders/{folder}",
        "DELETE /files/{file}",
        "GET /files/{file}/content",
        "GET /files/{file}/parents",
        "GET /files/{file}/dependencies",
        "PUT /files/{file}/dependencies/{workspace}",
        "POST /files/packagesVersionUpdate",
        "POST /recover",
        "POST /files/version/assignLabel",
        "PUT /role/{role}/permissions",
        "GET /role/{role}/folder/{folder}/permissions",
        "GET /files/{file}: not in the vendor's document",
        "POST /files: likewise",
        "PUT /files/{file}/content: likewise",
        "POST /files/{file}/copy: likewise",
        "POST /dependencies: likewise",
        "GET /files/{file}/metadata/content: likewise",
    ),
    _section("Bot interface v1", "/v1/filecontent", "GET /{file}/interface: not in the vendor's document"),
    _section(
        "BotInsight v2",
        "/v2/botinsight/data/api",
        "GET /getbotrundata",
        "GET /getaudittraildata",
        "GET /gettasklogdata",
        "GET /gettaskvariableprofile",
        "DELETE /deletetasklogdata",
    ),
    _section(
        "BLM v2",
        "/v2/blm",
        "POST /export",
        "POST /export/version",
        "POST /promoteBot",
        "POST /import",
        "GET /status/{request}",
        "GET /status/{request}/timeout/{milliseconds}",
        "GET /download/{file}",
    ),
    _section(
        "Device Pool v2",
        "/v2/devices/pools",
        "POST /list",
        "POST ",
        "GET /{pool}",
        "PUT /{pool}",
        "DELETE /{pool}",
    ),
    _section("License v2", "/v2/license", "PUT /sync", "GET /details", "POST /product/list"),
    _section(
        "Process Composer v2",
        "/aari/v2",
        "POST /requests/create",
        "GET /processes/{process}/form",
        "GET /requests/ref/{ref}",
        "POST /automations/list: not in the vendor's document",
        "GET /processes/{process}/initmethod: likewise",
        "GET /requests/{request}: likewise",
        "GET /tasks/humans/{task}: likewise",
        "POST /tasks/humans/submit: likewise",
        "PUT /files: likewise",
    ),
    _section("Process Composer's files", "/storage/v1/file", "POST /{token}"),
    _section(
        "Team Management v2",
        "/aari/v2/teams",
        "POST ",
        "DELETE /{team}",
        "PUT /{team}/members/add",
        "PUT /{team}/members/remove",
    ),
    _section(
        "Automations v2 (scheduler)",
        "/v2/schedule/automations",
        "POST ",
        "PUT /{schedule}",
        "DELETE /{schedule}",
        "POST /list",
        "PUT /changeOwner",
        "PUT /activate/{schedule}",
        "PUT /deactivate/{schedule}",
        "PUT /activate",
        "PUT /deactivate",
    ),
    _section("Policy Management v2", "/v2/policy/bot", "POST /analysis", "POST /analysis/details"),
    _section(
        "Packages and settings",
        "",
        "POST /v2/packages/{name}/versions/usage",
        "POST /v2/packages/package/list: not in the vendor's document",
        "POST /v3/packages/package/list: likewise",
        "POST /v2/packages/package/version/list: likewise",
        "GET /v2/packages/package/version/{version}: likewise",
        "GET /v2/settings/version/details: likewise",
        "GET /v1/settings/smtp: likewise",
        "GET /v1/settings/password: likewise",
    ),
    _section(
        "Bot deploy",
        "",
        "POST /v3/automations/deploy",
        "POST /v4/automations/deploy",
        "POST /v2/automations/deploy: v11",
    ),
    _section(
        "Workload Management v3",
        _WLM,
        "POST /workitemmodels",
        "POST /workitemmodel: as the vendor's index writes it",
        "POST /workitemmodels/list",
        "GET /workitemmodels/{model}",
        "DELETE /workitemmodels/{model}",
        "POST /queues",
        "POST /queues/list",
        f"GET {_OF_QUEUE}",
        f"PUT {_OF_QUEUE}",
        f"DELETE {_OF_QUEUE}",
        "POST /queues/delete",
        "POST /queues/export",
        "POST /queues/import",
        "GET /queues/export/download/status/{request}",
        "GET /queues/export/download/{file}",
        f"GET {_OF_QUEUE}/consumers",
        f"GET {_OF_QUEUE}/participants",
        f"POST {_OF_QUEUE}/consumers",
        f"POST {_OF_QUEUE}/participants",
        f"DELETE {_OF_QUEUE}/consumers/{{role}}",
        f"DELETE {_OF_QUEUE}/participants/{{role}}",
        f"GET {_OF_QUEUE}/members",
        f"PUT {_OF_QUEUE}/members/{{user}}",
        f"DELETE {_OF_QUEUE}/members/{{user}}",
        f"POST {_OF_QUEUE}/file",
        f"POST {_OF_QUEUE}/workitems",
        f"POST {_OF_QUEUE}/workitems/list",
        f"GET {_OF_QUEUE}/workitems/{{item}}",
        f"PUT {_OF_QUEUE}/workitems/{{item}}",
        f"DELETE {_OF_QUEUE}/workitems/{{item}}",
        f"POST {_OF_QUEUE}/workitems/delete",
        f"POST {_OF_QUEUE}/workitems/updateStatus: not in the vendor's document",
        f"POST {_OF_QUEUE}/workitems/export",
        "GET /queues/workitems/export/download/status/{request}",
        "GET /queues/workitems/export/download/{file}",
        "POST /automations",
        "POST /automations/list",
        "GET /automations/{automation}",
        "PUT /automations/{automation}",
        "DELETE /automations/{automation}",
    ),
    _section(
        "Workload Management v4",
        "/v4/wlm",
        "POST /workitemmodels",
        "POST /workitemmodel: as the vendor's index writes it",
        "GET /workitemmodels/{model}",
        f"GET {_OF_QUEUE}",
        f"POST {_OF_QUEUE}/consumers",
        f"POST {_OF_QUEUE}/participants",
        f"PUT {_OF_QUEUE}/members/{{user}}",
        f"POST {_OF_QUEUE}/file",
        f"PUT {_OF_QUEUE}/workitems/{{item}}",
    ),
    *(
        _section(
            f"Migration {version}",
            f"/{version}/migration",
            "POST /list: always empty: there is nothing to migrate from",
            "POST /{migration}/results/list: likewise",
            "POST /{migration}/journal/{journal}/actionmappings/list: likewise",
        )
        for version in ("v3", "v4")
    ),
    _section(
        "Bot Execution Orchestrator v3 (activities)",
        "",
        "POST /v3/activity/list",
        "GET /v3/activity/execution/{execution}",
        "POST /v3/activity/manage",
        "POST /v3/activity/metrics",
        "POST /v1/activity/history/list: v11's words",
        "PUT /v1/activity/auditunknown: not in the vendor's document",
    ),
    _section(
        "What dltHub's page calls",
        "",
        "GET /v3/automations",
        "GET /v3/automations/{bot}",
        "GET /v3/automations/executions",
        "GET /v3/automations/executions/{execution}",
        "GET /v1/users",
        "GET /v1/robots",
        "POST /api-task-real-time-endpoint",
    ),
)

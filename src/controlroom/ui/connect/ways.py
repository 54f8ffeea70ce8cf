"""Ways to connect: for each kind of client the code that does it, filled in for this room. Pure.

No key ever stands in the code: it reads it from the environment, by the name that all our commands know.
"""

import json
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct


class Facts(Struct, frozen=True, kw_only=True):
    """What code is filled in with."""

    url: str
    """`https://room.example:8170`."""
    workspace_id: str
    account: int
    """The organization's number."""
    key: str
    """A key's name, never its value."""
    process: str
    process_id: str
    process_number: int
    username: str

    @property
    def host(self) -> str:
        """Name and port."""
        return self.url.partition("://")[2]


class Way(Struct, frozen=True, kw_only=True):
    """A kind of client."""

    key: str
    name: str
    hint: str
    icon: str
    group: str
    says: str
    """What the code does, and of what it reads its credential."""
    code: Callable[[Facts], str]
    language: str = "sh"
    tries: Callable[[Facts], tuple[str, str]] | None = None
    """The path and the scheme of `Authorization` by which the try asks; without a scheme it shows no key."""
    needs_process: bool = True
    vendor: str = ""
    """Whose clients it is about."""
    reads: str = ""
    """What the try reads."""
    more: Sequence[tuple[str, str]] = ()
    """Where to read on: what it is called, and its address."""


class Change(Struct, frozen=True):
    """What a program says now, and what it is to say."""

    vendor: str
    having: str
    now: str
    then: str
    note: str = ""


def _python(of: Facts) -> str:
    return f"""import os, time, requests

room = requests.Session()
room.headers["Authorization"] = f"RC-WSKEY {{os.environ['CONTROLROOM_API_KEY']}}"
url = "{of.url}/api/v1/workspaces/{of.workspace_id}"

run = room.post(f"{{url}}/processes/{of.process_id}/process-runs",
                json={{"type": "with_payloads", "payloads": [{{"order": 4711}}]}}).json()

while (state := room.get(f"{{url}}/process-runs/{{run['id']}}").json()["state"]) in ("new", "in_progress"):
    time.sleep(2)
print(state)   # completed, or unresolved where an item has failed"""


def _curl(of: Facts) -> str:
    return f'''# start a run with one item
curl -s "{of.url}/api/v1/workspaces/{of.workspace_id}/processes/{of.process_id}/process-runs" \\
    -H "Authorization: RC-WSKEY $CONTROLROOM_API_KEY" -H "Content-Type: application/json" \\
    -d '{{"type": "with_payloads", "payloads": [{{"order": 4711}}]}}'

# what became of the last ones
curl -s "{of.url}/api/v1/workspaces/{of.workspace_id}/process-runs?process_id={of.process_id}&limit=5" \\
    -H "Authorization: RC-WSKEY $CONTROLROOM_API_KEY"'''


def _command(of: Facts) -> str:
    return f"""export CONTROLROOM_URL="{of.url}"
export CONTROLROOM_WORKSPACE="{of.workspace_id}"
# and CONTROLROOM_API_KEY, from where you keep secrets

controlroom run {_quoted(of.process)} --input '{{"order": 4711}}' --follow
controlroom items list --json"""


def _robocorp(of: Facts) -> str:
    return f"""import os, requests

API = "{of.url}/api/v1"        # was https://cloud.robocorp.com/api/v1
WORKSPACE = "{of.workspace_id}"
KEY = {{"Authorization": f"RC-WSKEY {{os.environ['CONTROLROOM_API_KEY']}}"}}

page = f"{{API}}/workspaces/{{WORKSPACE}}/work-items?state=failed&process_id={of.process_id}"
while page:
    answer = requests.get(page, headers=KEY).json()
    for item in answer["data"]:
        print(item["id"], item["exception"])
    page = answer["next"]"""


def _rcc(of: Facts) -> str:
    return f"""# your credentials are under your name, at the top right: an identifier and a secret
rcc configure credentials -e "{of.url}" "$RCC_CREDENTIALS"

rcc cloud workspace
rcc cloud push --workspace {of.workspace_id} --robot ROBOT --directory ."""


def _automation360(of: Facts) -> str:
    return f"""import os, requests

ROOM = "{of.url}"      # was https://TENANT.my.automationanywhere.digital
login = {{"username": {json.dumps(of.username)}, "apiKey": os.environ["CONTROLROOM_USER_KEY"]}}
token = requests.post(f"{{ROOM}}/v2/authentication", json=login).json()["token"]

bots = requests.post(f"{{ROOM}}/v2/repository/workspaces/public/files/list",
                     headers={{"X-Authorization": token}}, json={{}}).json()
for bot in bots["list"]:
    print(bot["id"], bot["name"])"""


def _dbt(of: Facts) -> str:
    return f"""import os
from dbtc import dbtCloudClient           # or Airflow, Dagster, Prefect: host, account and token are all they need

client = dbtCloudClient(host="{of.host}", service_token=os.environ["CONTROLROOM_API_KEY"])
for job in client.cloud.list_jobs(account_id={of.account})["data"]:
    print(job["id"], job["name"])"""


def _dlt(of: Facts) -> str:
    return f"""pip install "controlroom[sources]"

export CONTROLROOM_URL="{of.url}"
export CONTROLROOM_WORKSPACE="{of.workspace_id}"
controlroom load robocorp --destination duckdb     # the first time all of it
controlroom load robocorp --destination duckdb     # later what has changed
controlroom explore                                # look at it"""


def _webhooks(_: Facts) -> str:
    return """import os, standardwebhooks

def receive(body: bytes, headers: dict[str, str]) -> None:
    secret = os.environ["CONTROLROOM_WEBHOOK_SECRET"]
    event = standardwebhooks.Webhook(secret).verify(body, headers)     # raises for what we have not sent
    print(event)"""


def _of_process(of: Facts) -> tuple[str, str]:
    return f"/api/v1/workspaces/{of.workspace_id}/processes/{of.process_id}", "RC-WSKEY"


def _of_items(of: Facts) -> tuple[str, str]:
    return f"/api/v1/workspaces/{of.workspace_id}/work-items", "RC-WSKEY"


_READS_PROCESS: Final = "reads the process and starts nothing"
_FROM_ENVIRONMENT: Final = "The key is in no page: the example reads it from the environment."

WAYS: Final[tuple[Way, ...]] = (
    Way(
        key="python",
        name="Python",
        hint="plain requests",
        icon="code",
        group="Start here",
        says=f"Start a run with one item, and wait for its end. {_FROM_ENVIRONMENT}",
        code=_python,
        language="python",
        tries=_of_process,
        reads=_READS_PROCESS,
    ),
    Way(
        key="curl",
        name="curl",
        hint="from any shell",
        icon="terminal",
        group="Start here",
        says=f"Start a run with one item, and look at the last ones. {_FROM_ENVIRONMENT}",
        code=_curl,
        tries=_of_process,
        reads=_READS_PROCESS,
    ),
    Way(
        key="controlroom",
        name="controlroom",
        hint="the command line",
        icon="terminal",
        group="Start here",
        says="Start a run, follow its console, and end as it ends. The key is read from the environment.",
        code=_command,
        tries=_of_process,
        reads=_READS_PROCESS,
    ),
    Way(
        key="robocorp",
        name="Robocorp scripts",
        hint="API v1, Process API",
        icon="assistants",
        group="Bring what you have",
        says="Scripts go on as they are: only the address and the key change. This one reads the items that failed.",
        code=_robocorp,
        language="python",
        tries=_of_items,
        reads="reads the list of work items",
        vendor="Robocorp",
        more=(("Its API reference", "/api/v1/docs"),),
    ),
    Way(
        key="rcc",
        name="rcc",
        hint="user credentials",
        icon="packages",
        group="Bring what you have",
        says="rcc signs with a pair of your own, and knows this room as an endpoint. The pair is in no page.",
        code=_rcc,
        tries=lambda _: ("/api/v1/openapi.json", ""),
        reads="asks for the description of the grammar, without a log-in",
        needs_process=False,
        vendor="Robocorp",
    ),
    Way(
        key="automation360",
        name="Automation 360",
        hint="Control Room API v1 to v4",
        icon="processes",
        group="Bring what you have",
        says="Programs log in as a user, by a key of that user. This one lists the bots, robots among them.",
        code=_automation360,
        language="python",
        tries=lambda _: ("/swagger/openapi.json", ""),
        reads="asks for the description of the grammar, without a log-in",
        needs_process=False,
        vendor="Automation 360",
        more=(("Its API reference", "/swagger/docs"),),
    ),
    Way(
        key="dbt",
        name="dbt Cloud",
        hint="Airflow, Dagster, Prefect, dbtc",
        icon="csv",
        group="Bring what you have",
        says="Clients are given this host, the account and a key. This one lists the jobs.",
        code=_dbt,
        language="python",
        tries=lambda of: (f"/api/v2/accounts/{of.account}/jobs", "Token"),
        reads="reads the list of jobs",
        needs_process=False,
        vendor="dbt Cloud",
        more=(("Its API reference", "/api/v3/docs"),),
    ),
    Way(
        key="dlt",
        name="dlt",
        hint="runs into a warehouse",
        icon="download",
        group="Take it out",
        says="Load the whole room into DuckDB, PostgreSQL or another destination, and later what has changed.",
        code=_dlt,
        tries=_of_items,
        reads="reads the list of work items",
        needs_process=False,
    ),
    Way(
        key="webhooks",
        name="Webhooks",
        hint="be told, not ask",
        icon="webhooks",
        group="Take it out",
        says="Be told as it happens: each delivery is signed, and this checks that it is ours.",
        code=_webhooks,
        language="python",
        needs_process=False,
    ),
)

NAMED: Final = {way.key: way for way in WAYS}


def changes(of: Facts) -> list[Change]:
    """What unmodified programs say now, and what they are to say."""
    host, https = of.host, of.url.startswith("https:")
    alone = "" if https else "Most speak https alone: start the room with --tls."
    return [
        Change("Robocorp", "API v1", "cloud.robocorp.com/api/v1", f"{host}/api/v1"),
        Change("Robocorp", "Process API", "api.eu1.robocloud.eu/process-v1", f"{host}/process-v1"),
        Change("Robocorp", "Workspace id", "WORKSPACE", of.workspace_id),
        Change("Robocorp", "rcc", "rcc configure credentials …", f"… -e {of.url}"),
        Change("Automation 360", "Control Room", "TENANT.my.automationanywhere.digital", host),
        Change(
            "Automation 360",
            "A folder's path",
            "Automation Anywhere\\Bots\\…",
            "the workspace is a folder below Bots",
        ),
        Change("dbt Cloud", "Host", "cloud.getdbt.com", host, alone),
        Change("dbt Cloud", "Account id", "12345", str(of.account)),
        Change("dbt Cloud", "Token", "dbtc_…, dbtu_…", "any key above"),
    ]


def _quoted(text: str) -> str:
    """A word of a shell's line."""
    return "'" + text.replace("'", "'\\''") + "'"

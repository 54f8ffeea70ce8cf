"""What stands on the pages of connections, variables and files: addresses for the walk, and a room with some of each.

It is filled as people fill it: by the forms of the pages.
"""

import io
import zipfile

import httpx2

from rooms import Room, until

PAGES = {
    "repository": "/repository",
    "repository-mine": "/repository/mine",
    "file": "/repository/{file}",
    "file-difference": "/repository/{file}/versions/2",
    "file-needs": "/repository/{file}/needs",
    "file-delete": "/repository/{file}/delete",
    "file-copy": "/repository/{file}/copy",
    "file-edit": "/repository/{file}/edit",
    "connections": "/connections",
    "connection": "/connections/{connection}",
    "connection-new": "/connections/new",
    "connection-edit": "/connections/{file_connection}/edit",
    "connection-delete": "/connections/{file_connection}/delete",
    "logins": "/logins",
    "login": "/logins/{login}",
    "login-edit": "/logins/{login}/edit",
    "profiles": "/profiles",
    "profile-new": "/profiles/new",
    "overlays": "/attributes",
    "overlay-new": "/attributes/new",
    "variables": "/variables",
    "variable": "/variables/DBT_SCHEMA",
    "variable-edit": "/variables/DBT_ENV_SECRET_TOKEN/edit",
    "target": "/targets/{target}",
    "shared-secrets": "/shared-secrets",
    "shared-secret": "/shared-secrets/{shared_secret}",
    "shared-secret-edit": "/shared-secrets/{shared_secret}/edit",
    "shared-assets": "/shared-assets",
    "shared-asset-new": "/shared-assets/new",
    "project": "/project",
    "project-edit": "/project/edit",
    "service-tokens": "//admin/service-tokens",
    "service-token-new": "//admin/service-tokens/new",
    "models": "/models",
    "model": "/models/{model}",
    "model-new": "/models/new",
    "requests": "/tasks/requests",
    "assistant-edit": "/assistants/Ask%20me/edit",
    "service-token": "//admin/service-tokens/{service_token}",
    "service-token-edit": "//admin/service-tokens/{service_token}/edit",
    "model-edit": "/models/{model}/edit",
    "model-provider": "/models/{model}/provider",
    "trigger-mappings": "/trigger-mappings",
    "trigger-mapping": "/trigger-mappings/{trigger_mapping}",
    "trigger-mapping-new": "/trigger-mappings/new",
    "allocations": "/allocations",
    "allocation": "/allocations/{allocation}",
    "allocation-edit": "/allocations/{allocation}/edit",
    "locks": "/locks",
    "lock": "/locks/workspace?name=mailbox%20of%20the%20Buchhaltung",
    "lock-new": "/locks/new",
    "slots": "/locks/slots",
    "notifications": "/notifications",
    "notification": "/notifications/{notification}",
    "notification-new": "/notifications/new",
    "notification-delete": "/notifications/{notification}/delete",
    "notices": "/notices",
    "notice": "/notices/{notice}",
    "notice-edit": "/notices/{notice}/edit",
    "code-policies": "/code-policies",
    "code-policy": "/code-policies/{code_policy}",
    "code-policy-new": "/code-policies/new",
    "code-findings": "/packages/shell/code",
    "transfers": "/transfers",
    "transfer": "/transfers/{transfer}",
    "transfer-failed": "/transfers/{import}",
    "export-new": "/transfers/export",
    "import-new": "/transfers/import",
    "package-checked-out": "/packages/shell",
    "group-open": "/groups/{pool}",
    "rights": "/repository/{folder}/rights",
}


class Forms:
    """Somebody who fills in forms of a room's first workspace."""

    def __init__(self, running: Room) -> None:
        self.http = httpx2.Client(base_url=running.url, headers={"Origin": running.url}, timeout=60)
        admin = running.facts["admin"]
        self._post("/login", {"username": admin["username"], "password": admin["password"]})

    def _post(self, path: str, fields: dict[str, str] | None = None, **more: object) -> str:
        answer = self.http.post(path, data=fields, **more)  # type: ignore[arg-type]
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def post(self, path: str, **fields: str) -> str:
        """Post a form; what stands last in the address that it leads to: the number of what is made."""
        return self._post(f"/w/default{path}", fields).rpartition("/")[2]

    def send(self, path: str, name: str, content: bytes) -> str:
        """Send a file, as a form does."""
        return self._post(f"/w/default{path}", files={"file": (name, content)}).rpartition("/")[2]

    def send_as(self, path: str, part: str, name: str, content: bytes, **fields: str) -> str:
        """Likewise, in a part of another name, with fields beside it."""
        return self._post(f"/w/default{path}", fields, files={part: (name, content)}).rpartition("/")[2]

    def get(self, path: str) -> str:
        """A page."""
        return self.http.get(f"/w/default{path}").text


def fill(running: Room) -> dict[str, str]:
    """Databases, who logs in, variables, and a file that somebody edits."""
    forms = Forms(running)
    facts = {
        "connection": forms.post(
            "/connections/new", kind="postgres", name="Sales", host="db.example.com", database="sales"
        ),
        "file_connection": forms.post(
            "/connections/new", kind="duckdb", name="Reports of the Buchhaltung", file="reports.duckdb"
        ),
        "login": forms.post("/logins/new", kind="postgres", username="reader", password="long", schema_name="marts"),
    }
    forms.post("/attributes/new", attributes='{"keepalives_idle": 5, "password": "another"}')
    options = forms.get("/profiles/new").split('value="')
    by_name = {option.partition(">")[2].partition("<")[0]: option.partition('"')[0] for option in options}
    connection, login = by_name["Sales"], next(value for name, value in by_name.items() if name.startswith("reader"))
    forms.post("/profiles/new", key="main", connection=connection, login=login)
    facts["target"] = forms.post(
        "/targets/new", name="Production", kind="deployment", purpose="production", connection=connection, login=login
    )
    forms.post("/targets/new", name="Entwicklung der Abteilung", kind="development")
    target = next(
        option.partition('"')[0] for option in forms.get("/variables/new").split('name="target:') if "-" in option[:9]
    )
    forms.post("/variables/new", name="DBT_SCHEMA", workspace="marts", **{f"target:{target}": "marts_live"})
    forms.post("/variables/new", name="DBT_ENV_SECRET_TOKEN", workspace="long")
    forms.post("/variables/new", name="REPORTS_FOLDER", workspace="/srv/reports/of/the/whole/company/and/all/others")
    root = forms.get("/repository").split("/folder")[0].rpartition("/repository/")[2]
    facts["folder"] = forms.post(f"/repository/{root}/folder", name="Finance")
    facts["file"] = forms.send(f"/repository/{root}/upload", "rates.csv", b"country,rate\nNO,3.5\nDE,4\n")
    forms.send(f"/repository/{facts['file']}/upload", "rates.csv", b"country,rate\nNO,3.75\nDE,4\nSE,2\n")
    forms.post(f"/repository/{facts['file']}/check-out")
    return facts | _shared(forms) | _kept(forms, running)


def _kept(forms: Forms, running: Room) -> dict[str, str]:
    """What is kept of tasks and processes: who has which triggers, who is told, who waits for whom, what is found."""
    options = forms.get("/allocations/new").split('<option value="')
    task = next(each.partition('"')[0] for each in options if ">words: Count words<" in each)
    running.cli("process", "create", "Night", "--step", "count=words:Count words", "--place", "count=group:linux-fin")
    night = next(str(each["id"]) for each in running.get("/processes")["data"] if each["name"] == "Night")
    for _ in range(3):  # nobody is in the group: one holds the lock, and two wait for it
        running.post(f"/processes/{night}/process-runs", {"locks": [{"name": "mailbox of the Buchhaltung"}]})
    forms.post("/locks/new", name="licence of the ERP", of="organization", capacity="5")
    policy = forms.post("/code-policies/new", name="strict", rules="S6, S5, E9", high="S602", critical="E9")
    forms.post("/code-policies/give", policy=policy)
    shell = forms.send_as("/packages/upload", "zip", "shell.zip", shell_zip())
    read = f"/w/default/packages/{shell}/code"
    until(lambda: forms.http.post(read).status_code == 303, "a worker reads the code")
    forms.post(f"/repository/{shell}/check-out")
    role = forms.http.get("/admin/service-tokens/new").text.partition('name="role" value="')[2].partition('"')[0]
    forms.http.post("/admin/service-tokens/new", data={"name": "airflow", "role": role})
    token = forms.http.get("/admin/service-tokens").text.partition('<tr id="token-')[2].partition('"')[0]
    forms.post(
        "/notifications/new", process="Words", way="chat", to="https://chat.example.com/T1", event="run.completed"
    )
    return {
        "service_token": token,
        "trigger_mapping": forms.post("/trigger-mappings/new", task=task, users="admin", label="production"),
        "allocation": forms.post("/allocations/new", task=task, most="2", run_as="admin"),
        "notification": forms.post(
            "/notifications/new",
            process="Words",
            way="email",
            to="betrieb@buchhaltung.example.com, ada@example.com",
            event="run.unresolved",
        ),
        "notice": forms.post("/notices/new", to="ops@example.com", failure="Words", stop="Words"),
        "code_policy": policy,
        "transfer": forms.post("/transfers/export", name="Nightly of the Buchhaltung", file=shell, password="sesame"),
        "import": forms.send_as("/transfers/import", "archive", "broken.zip", b"no archive", where="own"),
    }


def shell_zip() -> bytes:
    """A robot whose code a policy minds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("robot.yaml", "tasks:\n  Run:\n    command: [python, task.py]\nartifactsDir: output\n")
        archive.writestr(
            "task.py",
            "import subprocess\n\nimport requests\n\nsubprocess.run('ls', shell=True)\n"
            "requests.get('https://example.com', verify=False)\n",
        )
    return buffer.getvalue()


def _shared(forms: Forms) -> dict[str, str]:
    """What belongs to the organization: a secret, assets, a model, a role, and a group that is open to few."""
    forms.post("/project/found")
    forms.post("/roles", name="Buchhaltung", description="Reads bills", may="packages.read")
    forms.post("/shared-assets/new", name="erp/address", content_type="text/plain", content="https://erp.example.com")
    pool = forms.post("/groups/new", name="Abrechnung")
    forms.post(f"/groups/{pool}/open-to", user="admin")
    forms.post(f"/groups/{pool}/open-to", role="Buchhaltung")
    return {
        "shared_secret": forms.post(
            "/shared-secrets/new", name="ERP", description="Of the Buchhaltung", name0="username", name1="password"
        ),
        "model": forms.post(
            "/models/new", provider="Ours", name="large", uri="https://models.example.com/v1/chat", key_header="Key"
        ),
        "pool": pool,
    }

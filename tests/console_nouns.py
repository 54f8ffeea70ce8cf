"""What stands on the pages of connections, variables and files: addresses for the walk, and a room with some of each.

It is filled as people fill it: by the forms of the pages.
"""

import httpx2

from rooms import Room

PAGES = {
    "repository": "/repository",
    "repository-mine": "/repository/mine",
    "file": "/repository/{file}",
    "file-difference": "/repository/{file}/versions/2",
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
    return facts | _shared(forms)


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

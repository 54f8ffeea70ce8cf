"""What people do with packages, files, secrets, variables and dbt projects: each verb once, through the browser."""

from typing import Any

import pytest

from console_hand import Hand, walks
from console_nouns import shell_zip
from rooms import Room, until

pytestmark = pytest.mark.timeout(900)


def file(name: str, content: bytes) -> dict[str, Any]:
    """A file as somebody chooses it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@walks("/packages", "/repository/{number:str}/check-out", "/repository/{number:str}/check-in")
def test_a_package(hand: Hand) -> None:
    """Uploaded, checked out and in, labelled, rolled back, pinned in time, read for its code, fetched, and deleted."""
    hand.open("/packages")
    hand.open("/packages/new")
    shell = hand.do("/packages/upload", zip=file("shell.zip", shell_zip()))
    hand.titled("shell")
    hand.do(f"/repository/{shell}/check-out")
    hand.says("checked out")
    hand.open("/repository/mine")
    copy = hand.link(f"shell {shell}")
    hand.do(f"/repository/{copy}/upload", file=file("shell.zip", shell_zip()))
    hand.do(f"/repository/{copy}/check-in")
    hand.open(f"/packages/{shell}")
    hand.do(f"/packages/{shell}/labels", label="production")
    hand.says("production")
    hand.do(f"/packages/{shell}/labels/delete")
    hand.do(f"/packages/{shell}/versions/1/roll-back")
    hand.do(f"/packages/{shell}/newest", moment="2024-05-01")
    hand.says("do not count")
    hand.do(f"/packages/{shell}/source", url="https://git.invalid/shell.git", ref_kind="branch", ref="main")
    hand.open(f"/packages/{shell}")
    hand.do(f"/packages/{shell}/source/fetch")
    hand.do(f"/packages/{shell}/source/remove")
    hand.lacks("git.invalid")
    hand.open(f"/packages/{shell}/code")
    hand.do(f"/packages/{shell}/code")
    hand.open("/packages/new")
    hand.do("/packages/from-git", name="elsewhere", url="https://git.invalid/robots.git")
    hand.open(f"/packages/{shell}")
    hand.do(f"/packages/{shell}/delete")
    hand.lacks("shell")
    hand.undo()
    hand.titled("shell")


@walks("/code-policies", "/repository/{number:str}/code-policy")
def test_a_code_policy_and_what_it_finds(hand: Hand) -> None:
    """Made, given to the workspace and to a folder, and what it minds in a package stands on the package's page."""
    hand.open("/code-policies")
    policy = hand.do("/code-policies/new", name=f"strict {hand.base}", rules="S6, E9", high="S602", critical="E9")
    hand.do(f"/code-policies/{policy}/edit", refuses="critical")
    hand.open("/code-policies")
    hand.do("/code-policies/give", policy=f"strict {hand.base}")
    hand.open("/repository")
    folder = hand.do("/repository/*/folder", name="Buchhaltung")
    hand.open(f"/repository/{folder}")
    hand.do(f"/repository/{folder}/code-policy", policy=f"strict {hand.base}")
    hand.open("/packages/new")
    loud = hand.do("/packages/upload", name="loud", zip=file("loud.zip", shell_zip()))

    def is_read() -> bool:
        hand.open(f"/packages/{loud}/code")
        return bool(hand.page.locator("main").get_by_text("S602").count())

    until(is_read, "a worker has read the code")
    hand.open(f"/repository/{folder}")
    hand.do(f"/repository/{folder}/code-policy", policy="")
    hand.open("/code-policies")
    hand.do("/code-policies/give", policy="")
    hand.open(f"/code-policies/{policy}")
    hand.do(f"/code-policies/{policy}/delete")


@walks(
    "/repository",
    but={f"/w/{{workspace:str}}/repository/{{number:str}}/{verb}" for verb in ("check-in", "code-policy")},
)
def test_a_file_of_the_repository(hand: Hand) -> None:
    """Uploaded twice, gone back to, checked out and taken back, labelled, copied, deleted; a folder's rights."""
    hand.open("/repository")
    folder = hand.do("/repository/*/folder", name="Finance")
    hand.open(f"/repository/{folder}")
    rates = hand.do(f"/repository/{folder}/upload", file=file("rates.csv", b"country,rate\nNO,3.5\n"))
    hand.open(f"/repository/{rates}")
    hand.do(f"/repository/{rates}/upload", file=file("rates.csv", b"country,rate\nNO,4\nSE,2\n"))
    hand.open(f"/repository/{rates}/versions/2")
    hand.says("SE,2")
    hand.open(f"/repository/{rates}")
    hand.do(f"/repository/{rates}/versions/1/go-back")
    hand.do(f"/repository/{rates}/labels", label="production", version="2")
    hand.says("production")
    hand.do(f"/repository/{rates}/check-out")
    hand.open(f"/repository/{rates}")
    hand.do(f"/repository/{rates}/unlock")
    hand.open(f"/repository/{rates}")
    copied = hand.do(f"/repository/{rates}/copy", name="rates (copy).csv")
    hand.open(f"/repository/{copied}")
    hand.do(f"/repository/{copied}/edit", name="old rates.csv", description="of last year")
    hand.titled("old rates.csv")
    hand.open(f"/repository/{rates}")
    hand.do(f"/repository/{rates}/needs", need=[copied])
    hand.says("old rates.csv")
    hand.open(f"/repository/{copied}")
    hand.do(f"/repository/{copied}/delete")
    hand.undo()
    hand.open(f"/repository/{folder}")
    hand.link("old rates.csv")
    hand.do("/repository/*/delete")
    hand.lacks("old rates.csv")
    hand.open("/roles/new")
    role = hand.do("/roles", name=f"Reads bills {folder}", may="packages.read")
    hand.open(f"/repository/{folder}/rights")
    hand.do(f"/repository/{folder}/rights", right=["view"])
    hand.open(f"/roles/{role}")
    hand.do(f"/roles/{role}/delete")


@walks("/transfers")
def test_what_leaves_and_what_comes_back(hand: Hand, there: Room) -> None:
    """Files are exported into an archive with a password, which is imported again; both are forgotten."""
    hand.open("/packages/new")
    hand.do("/packages/upload", name="moving", zip=file("moving.zip", shell_zip()))
    hand.open("/transfers")
    hand.open("/transfers/export")
    hand.page.get_by_label("moving").first.check()
    export = hand.do("/transfers/export", name="Move of the ledger", password="sesame")
    download = hand.page.get_by_role("link", name="Download the archive")
    until(lambda: download.count() or not hand.open(f"/transfers/{export}"), "the archive is made")
    with hand.page.expect_download() as loaded:
        download.click()
    archive = loaded.value.path().read_bytes()
    hand.open("/transfers")
    imported = hand.do(
        "/transfers/import",
        archive=file("nightly.zip", archive),
        where="public",
        existing="overwrite",
        password="sesame",
    )
    until(
        lambda: "under way" not in hand.page.locator("main").inner_text() or hand.open(f"/transfers/{imported}"), "in"
    )
    hand.open(f"/transfers/{imported}")
    hand.do(f"/transfers/{imported}/delete")
    hand.open(f"/transfers/{export}")
    hand.do(f"/transfers/{export}/delete")
    hand.lacks("Move of the ledger")


@walks("/assets", "/shared-assets")
def test_an_asset(hand: Hand) -> None:
    """Typed, changed, given a file and deleted; likewise one of the organization."""
    hand.open("/assets")
    made = hand.do("/assets/new", name="tariff", content_type="application/json", content='{"NO": 3.5}')
    hand.open(f"/assets/{made}")
    hand.do(f"/assets/{made}/edit", content='{"NO": 4}')
    hand.open(f"/assets/{made}/edit")
    hand.do(f"/assets/{made}/upload", content_type="text/csv", file=file("prices.csv", b"NO,4\n"))
    hand.open(f"/assets/{made}")
    hand.do(f"/assets/{made}/delete")
    hand.lacks("tariff")
    hand.open("/shared-assets")
    shared = hand.do("/shared-assets/new", name=f"erp{made}", content="https://erp.example.com")
    hand.open(f"/shared-assets/{shared}")
    hand.do(f"/shared-assets/{shared}/edit", content="https://erp.example.com/v2")
    hand.says("v2")
    hand.do(f"/shared-assets/{shared}/delete")


@walks("/secrets", "/shared-secrets", "/lockers")
def test_a_secret(hand: Hand) -> None:
    """Kept, changed and deleted without its values being shown; one of the organization has a locker and an owner."""
    hand.open("/secrets")
    made = hand.do("/secrets/new", name="erp", key="password", value="correct horse")
    assert "correct horse" not in hand.page.content()
    hand.open(f"/secrets/{made}")
    hand.do(f"/secrets/{made}/edit", description="Of the ERP")
    hand.says("Of the ERP")
    hand.do(f"/secrets/{made}/delete")
    hand.lacks("erp")
    hand.open("/lockers")
    locker = hand.do("/lockers/new", name=f"Locker {made}")
    hand.open(f"/lockers/{locker}")
    hand.do(f"/lockers/{locker}/edit", description="Of the Buchhaltung")
    hand.do(f"/lockers/{locker}/members", user="admin", right=["own"])
    hand.open("/roles/new")
    role = hand.do("/roles", name=f"Clerks {made}", may="secrets.use")
    hand.open(f"/lockers/{locker}")
    hand.do(f"/lockers/{locker}/consumers", role=f"Clerks {made}")
    hand.open("/shared-secrets")
    secret = hand.do("/shared-secrets/new", name=f"ERP {made}", name0="username", name1="password", password1=True)
    hand.open(f"/shared-secrets/{secret}")
    hand.page.locator('form[action$="/values"] input[type=password]').first.fill("ida")
    hand.do(f"/shared-secrets/{secret}/values")
    hand.open(f"/shared-secrets/{secret}")
    hand.do(f"/shared-secrets/{secret}/values/*/remove")
    hand.open(f"/shared-secrets/{secret}")
    hand.do(f"/shared-secrets/{secret}/locker", locker=f"Locker {made}")
    hand.do(f"/shared-secrets/{secret}/edit", description="Changed")
    hand.open(f"/shared-secrets/{secret}")
    hand.do(f"/shared-secrets/{secret}/owner", user="admin")
    hand.open(f"/shared-secrets/{secret}")
    hand.do(f"/shared-secrets/{secret}/delete")
    hand.open(f"/lockers/{locker}")
    hand.do(f"/lockers/{locker}/delete")
    hand.undo()
    hand.do(f"/lockers/{locker}/delete")
    hand.open(f"/roles/{role}")
    hand.do(f"/roles/{role}/delete")


@walks("/variables", "/connections", "/logins", "/attributes", "/profiles", "/targets", "/project", "/jobs")
def test_a_dbt_project(hand: Hand) -> None:
    """From the workspace that becomes one over its connection, environment and job to its end."""
    hand.open("/project")
    hand.do("/project/found")
    hand.open("/connections")
    name = f"Reports {hand.base}"
    hand.open("/connections/new?kind=duckdb")
    connection = hand.do("/connections/new", name=name, file="reports.duckdb")
    hand.open(f"/connections/{connection}")
    hand.do(f"/connections/{connection}/edit", extensions="httpfs")
    hand.open("/logins")
    login = hand.do("/logins/new", kind="duckdb", username="reader", schema_name="marts")
    hand.open(f"/logins/{login}")
    hand.do(f"/logins/{login}/edit", threads="4")
    hand.open("/attributes")
    hand.do("/attributes/new", attributes='{"threads": 2}')
    hand.open("/attributes")
    hand.do("/attributes/*/edit", attributes='{"threads": 3}')
    hand.open("/profiles")
    hand.do("/profiles/new", key="main", connection=name, login="reader → marts")
    hand.open("/profiles")
    hand.do("/profiles/*/edit", key="night")
    hand.open("/targets")
    target = hand.do(
        "/targets/new",
        name="Production",
        kind="deployment",
        purpose="production",
        connection=name,
        login="reader → marts",
    )
    hand.open(f"/targets/{target}")
    hand.do(f"/targets/{target}/edit", branch="main")
    hand.open("/variables")
    hand.do("/variables/new", name="DBT_SCHEMA", workspace="marts")
    hand.open("/variables/DBT_SCHEMA")
    hand.do("/variables/DBT_SCHEMA/edit", workspace="live")
    hand.says("live")
    hand.do("/variables/DBT_SCHEMA/delete")
    hand.open("/packages/new")
    hand.do("/packages/upload", name="orchard", zip=file("orchard.zip", shell_zip()))
    hand.open("/project")
    hand.do("/project/edit", package="orchard", connection=name)
    hand.open("/jobs")
    job = hand.do("/jobs/new", name="Nightly", target="Production", commands="dbt build")
    hand.open(f"/jobs/{job}")
    hand.do(f"/jobs/{job}/edit", description="Every night")
    hand.open(f"/jobs/{job}")
    hand.do(f"/jobs/{job}/start")
    hand.open(f"/jobs/{job}")
    hand.do(f"/jobs/{job}/delete")
    for each in (f"/targets/{target}", "/profiles", "/attributes", f"/logins/{login}"):
        hand.open(each)
        hand.do(f"{each}/delete" if each[-1].isdigit() else f"{each}/*/delete")
    hand.open("/project")
    hand.do("/project/delete")
    hand.open(f"/connections/{connection}")
    hand.do(f"/connections/{connection}/delete")

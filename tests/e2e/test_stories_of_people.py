"""What people do about each other, keys, messages and machines: each verb once, through the browser."""

import pytest

from console_hand import Hand, walks
from console_nouns import shell_zip
from rooms import Room
from worker_by_hand import WorkerByHand

pytestmark = pytest.mark.timeout(900)
LONG = "a long password"


@walks("/connect")
def test_a_key(hand: Hand) -> None:
    """Made, tried, changed, viewed again and deleted."""
    hand.open("/connect")
    hand.open("/connect/keys/new")
    hand.do("/connect/keys", name="erp-bridge", may=["runs.start"])
    hand.says("erp-bridge")
    hand.open("/connect")
    hand.do("/connect/try")
    hand.says("Tried from here")
    hand.open("/connect")
    hand.link("erp-bridge")
    hand.do("/connect/keys/*", press="Save", name="erp-bridge of the Buchhaltung")
    hand.open("/connect")
    hand.link("erp-bridge of the Buchhaltung")
    hand.do("/connect/keys/*/value")
    hand.open("/connect")
    hand.link("erp-bridge of the Buchhaltung")
    hand.do("/connect/keys/*/delete")
    hand.lacks("erp-bridge")


@walks("//admin/service-tokens")
def test_a_service_token(hand: Hand) -> None:
    """Made with a role, renamed, locked out and let in again, and deleted."""
    hand.open("//admin/service-tokens")
    name = f"airflow {hand.base}"
    hand.open("//admin/service-tokens/new")
    hand.page.locator("input[name=role]").first.check()
    hand.do("//admin/service-tokens/new", name=name)
    hand.open("//admin/service-tokens")
    hand.link(name)
    hand.do("//admin/service-tokens/*/edit", name=f"{name} of the Buchhaltung")
    hand.says("of the Buchhaltung")
    hand.do("//admin/service-tokens/*/disable")
    hand.do("//admin/service-tokens/*/enable")
    hand.open("//admin/service-tokens")
    hand.link(f"{name} of the Buchhaltung")
    hand.do("//admin/service-tokens/*/delete")
    hand.lacks(name)


@walks("/workers", "/groups", "/provisioners")
def test_workers(hand: Hand, there: Room) -> None:
    """One rests and goes on, is renamed and put into groups; tokens and provisioners come and go; names change."""
    hand.open("/workers")
    group = hand.do("/groups/new", name=f"Buchhaltung {hand.base}")
    hand.open(f"/groups/{group}")
    hand.do(f"/groups/{group}/edit", description="Of the Buchhaltung", scheme="round_robin")
    hand.do(f"/groups/{group}/serving")
    hand.says("From now on it serves")
    hand.do(f"/groups/{group}/open-to", user="admin")
    hand.open("/workers/link")
    hand.do("/workers/link", slots="1")
    hand.says("controlroom worker")
    hand.link("Look again")
    hand.do("/workers/link/*/reveal")
    hand.says("controlroom worker")
    hand.link("Look again")
    hand.do("/workers/link/*/serving")
    hand.do("/workers/link/*/delete")
    hand.open("/workers/all")
    own = hand.page.locator("main tbody tr a").first.inner_text()
    hand.link(own)
    hand.do("/workers/*/rest")
    hand.undo()
    hand.do("/workers/*/serving")
    hand.do("/workers/*/edit", name=f"{own} of the Buchhaltung")
    hand.titled(f"{own} of the Buchhaltung")
    hand.do("/workers/*/edit", name=own)
    hand.open(f"/groups/{group}")
    hand.do(f"/groups/{group}/delete")
    worker = WorkerByHand(there.url, there.cli("workers", "link-token").stdout.strip())
    hand.open("/workers/all")
    hand.link("by hand")
    hand.do("/workers/*/unlink")
    hand.lacks("by hand")
    worker.leave()
    hand.open("/provisioners")
    hand.do("/provisioners/new", name=f"cloud {hand.base}", endpoint="https://cloud.invalid/start")
    hand.open("/provisioners")
    made = hand.link(f"cloud {hand.base}")
    hand.do(f"/provisioners/{made}/edit", minutes="5")
    hand.open(f"/provisioners/{made}")
    hand.do(f"/provisioners/{made}/serving")
    hand.do(f"/provisioners/{made}/secret")
    hand.open(f"/provisioners/{made}")
    hand.do(f"/provisioners/{made}/delete")


@walks("/assistants")
def test_an_assistant(hand: Hand) -> None:
    """Made, renamed, deleted and had again."""
    hand.open("/packages/new")
    hand.do(
        "/packages/upload", name="asks", zip={"name": "a.zip", "mimeType": "application/zip", "buffer": shell_zip()}
    )
    hand.open("/assistants")
    made = hand.do("/assistants/new", name="Ask me", task="asks: Run")
    hand.open(f"/assistants/{made}")
    hand.do(f"/assistants/{made}/edit", name="Ask us")
    hand.titled("Ask us")
    hand.do(f"/assistants/{made}/delete")
    hand.undo()
    hand.titled("Ask us")

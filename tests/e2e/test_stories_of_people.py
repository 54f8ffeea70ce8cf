"""What people do about each other, keys, messages and machines: each verb once, through the browser."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from console_hand import Hand, walks
from console_nouns import shell_zip
from rooms import Room, until
from worker_by_hand import WorkerByHand

pytestmark = pytest.mark.timeout(900)
LONG = "a long password"
SHELL = {"name": "shell.zip", "mimeType": "application/zip", "buffer": shell_zip()}
"""A package as somebody chooses it."""


@pytest.fixture
def another(browser: Browser, hand: Hand, how: str) -> Iterator[Hand]:
    """Another browser of the same kind, in which nobody has logged in."""
    context = browser.new_context(java_script_enabled=how != "no script")
    yield Hand(context.new_page(), hand.url, hand.base)
    context.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """The address of somebody who takes whatever they are told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/told"
        server.shutdown()


def sent_once_more(hand: Hand, subscription: str) -> None:
    """The first message of a webhook or a notification, once it has been taken."""
    again = f"{subscription}/deliveries/*/redeliver"

    def is_taken() -> bool:
        hand.open(subscription)
        shown = hand.page.locator("main a[href*='delivery=']")
        if shown.count():
            hand.open(shown.first.get_attribute("href").removeprefix(hand.base))
        return hand.offers(again)

    until(is_taken, "somebody is told")
    hand.do(again)


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


@walks("/webhooks")
def test_a_webhook(hand: Hand, receiver: str) -> None:
    """Made, tested, sent once more, its secret viewed, paused, changed, deleted and had again."""
    hand.open("/webhooks")
    hand.open("/webhooks/new")
    hand.do("/webhooks", endpoint=receiver, name="Ledger", secret="only we know")
    hand.open("/webhooks")
    made = hand.link("Ledger")
    hand.do(f"/webhooks/{made}/test")
    sent_once_more(hand, f"/webhooks/{made}")
    hand.open(f"/webhooks/{made}")
    hand.do(f"/webhooks/{made}/secret")
    hand.says("only we know")
    hand.open(f"/webhooks/{made}")
    hand.do(f"/webhooks/{made}/pause")
    hand.undo()
    hand.do(f"/webhooks/{made}/edit", name="Ledger of the Buchhaltung")
    hand.says("Ledger of the Buchhaltung")
    hand.do(f"/webhooks/{made}/delete")
    hand.lacks("Ledger")
    hand.undo()
    hand.says("Ledger of the Buchhaltung")


@walks("/notifications", "/notices")
def test_who_is_told(hand: Hand, there: Room, receiver: str) -> None:
    """Of one process, and of several at once: changed, switched off and on, sent once more, deleted and had again."""
    hand.open("/packages/new")
    hand.do("/packages/upload", zip=SHELL)
    there.cli("process", "create", "Shell", "--step", "run=shell:Run")
    hand.open("/notifications")
    made = hand.do("/notifications/new", process="Shell", way="chat", to=receiver, event=["run.completed"])
    there.cli("run", "Shell", code=0)
    sent_once_more(hand, f"/notifications/{made}")
    hand.open(f"/notifications/{made}")
    hand.do(f"/notifications/{made}/disable")
    hand.undo()
    hand.do(f"/notifications/{made}/edit", event=["run.unresolved"])
    hand.do(f"/notifications/{made}/delete")
    hand.undo()
    hand.says("unresolved")
    shell = hand.number("/processes", there.get("/processes")["data"][0]["id"])
    hand.open("/notices")
    notice = hand.do("/notices/new", to="ops@example.com", failure=shell)
    hand.open(f"/notices/{notice}")
    hand.do(f"/notices/{notice}/edit", to="betrieb@example.com")
    hand.says("betrieb@example.com")
    hand.do(f"/notices/{notice}/delete")
    hand.lacks("betrieb@example.com")
    hand.undo()
    hand.says("betrieb@example.com")


def _themselves(another: Hand, name: str) -> None:
    """What somebody does about themselves."""
    another.open("//login")
    another.do("//login", username=name, password=LONG)
    another.do("//login/password", password="another long password", again="another long password")
    another.open("//me")
    another.do("//me/name", first_name="Inga")
    another.do("//me/password", old="another long password", new=LONG, again=LONG)
    another.open("//me")
    another.do("//me/start", start="runs")
    another.do("//me/look", press="Dark")
    another.open("//me")
    another.do("//me/credentials", name="phone", kind="token")
    another.open("//me")
    another.do("//me/tokens/*/rotate")
    another.open("//me")
    another.do("//me/credentials/token/*/delete")
    another.open("//me")
    another.do("//me/keys/*/reveal")
    another.open("/packages/new")
    package = another.do("/packages/upload", name=f"of {name}", zip=SHELL)
    another.do(f"/repository/{package}/check-out")
    another.open("//me")
    another.do("//logout")
    for _ in range(2):
        another.open("//login")
        another.do("//login", username=name, password=LONG)
        another.page.context.clear_cookies()
    another.open("//login")
    another.do("//login", username=name, password=LONG)
    another.open("//me")
    another.do("//me/sessions/*/end")


def _invited(hand: Hand, another: Hand, name: str) -> None:
    """Three links are made: one is taken back, one is used by somebody new, one by somebody who is known."""
    hand.open("/members")
    hand.do("/members/invite", email="gone@example.com", role="viewer")
    hand.open("/members/invitations")
    hand.do("/members/invitations/*/withdraw")
    hand.open("/members/invite")
    hand.do("/members/invite", email=f"{name}@example.com", role="viewer")
    link = re.search(r"/invite/[\w.~-]+", hand.page.content())
    assert link is not None
    another.page.context.clear_cookies()
    another.open(f"/{link[0]}")
    another.do(f"/{link[0]}", username=f"{name}-invited", password=LONG)
    hand.open("/members/invite")
    hand.do("/members/invite", email="", role="operator")
    link = re.search(r"/invite/[\w.~-]+", hand.page.content())
    assert link is not None
    another.open(f"/{link[0]}")
    another.do(f"/{link[0]}/join")


def _granted(hand: Hand, name: str) -> None:
    """Somebody is given a role of its own, and a place in a group, for a while."""
    hand.open("/members/grants")
    hand.do("/members/grants", role=f"Clerks {name}")
    hand.do("/members/grants/*/revoke")
    hand.open("/members/groups")
    group = hand.do("/members/groups", name=f"Accounting {name}")
    hand.open(f"/members/groups/{group}")
    hand.do(f"/members/groups/{group}", press="Save", description="Of the Buchhaltung")
    hand.do(f"/members/groups/{group}/members", username=name)
    hand.do(f"/members/groups/{group}/members/*/remove")
    hand.open(f"/members/groups/{group}")
    hand.do(f"/members/groups/{group}/people", user=[])
    hand.open(f"/members/groups/{group}")
    hand.do(f"/members/groups/{group}/delete")


@walks(
    *("//admin/users", "//admin/left-files", "/members", "/roles", "//me", "//invite", "//login", "//logout"),
    but={"/login/oidc/link"},
)
def test_somebody_comes_stays_and_goes(hand: Hand, another: Hand) -> None:
    """A user is made, let in, changes what is theirs, is locked out, their files given away; others are invited."""
    name = f"ingrid-{hand.base.rpartition('/')[2]}"
    hand.open("/roles/new")
    role = hand.do("/roles", name=f"Clerks {name}", may=["runs.read"])
    hand.open(f"/roles/{role}")
    hand.do(f"/roles/{role}", description="Look at runs")
    hand.open("//admin/users/new")
    user = hand.do("//admin/users", username=name, password=LONG, temporary=True)
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}", press="Save", first_name="Ingrid")
    hand.says("Ingrid")
    hand.do(f"//admin/users/{user}/credentials", name="laptop", kind="pair")
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/credentials/pair/*/revoke")
    hand.do(f"//admin/users/{user}/credentials", name="log-ins", kind="key")
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/credentials/key/*/reveal")
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/default-worker", worker="")
    hand.open("/members")
    hand.do("/members", username=name, role="viewer")
    hand.do(f"/members/{user}/role", press="Owner")
    _granted(hand, name)
    _themselves(another, name)

    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/sessions/end")
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/password", password=LONG)
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/disable")
    hand.undo()
    hand.do(f"//admin/users/{user}/disable")
    _invited(hand, another, name)
    hand.open("//admin/users")
    hand.link("Files of users who are gone")
    hand.do(f"//admin/left-files/{user}", to=f"{name}-invited")
    hand.says(f"no more {name}'s")
    hand.open("/members")
    hand.do(f"/members/{user}/remove")
    hand.open(f"//admin/users/{user}")
    hand.do(f"//admin/users/{user}/delete")
    hand.walked |= another.walked
    hand.open(f"/roles/{role}")
    hand.do(f"/roles/{role}/delete")


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


@walks("/models")
def test_a_model_and_its_provider(hand: Hand) -> None:
    """Connected, asked, changed with its provider and its key, and deleted."""
    hand.open("/models")
    made = hand.do("/models/new", provider=f"Ours {hand.base}", name="large", uri="https://models.invalid/v1/chat")
    hand.open(f"/models/{made}")
    hand.do(f"/models/{made}/edit", display_name="The large one")
    hand.says("The large one")
    hand.do(f"/models/{made}/provider", description="In our cellar")
    hand.open(f"/models/{made}")
    hand.do(f"/models/{made}/key", key="")
    hand.open(f"/models/{made}")
    hand.do(f"/models/{made}/prompt", prompt="Say hello", refused="models.invalid")
    hand.open(f"/models/{made}")
    hand.do(f"/models/{made}/delete")
    hand.lacks("The large one")


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
    hand.do("/workers/link/*/edit", name="Of the Buchhaltung")
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
    hand.do("/packages/upload", name="asks", zip=SHELL)
    hand.open("/assistants")
    made = hand.do("/assistants/new", name="Ask me", task="asks: Run")
    hand.open(f"/assistants/{made}")
    hand.do(f"/assistants/{made}/edit", name="Ask us")
    hand.titled("Ask us")
    hand.do(f"/assistants/{made}/delete")
    hand.undo()
    hand.titled("Ask us")


def slug_of(hand: Hand, name: str) -> str:
    """How addresses call a workspace now; the list of them is shown."""
    hand.open("//admin/workspaces")
    slug = hand.link(name)
    hand.open("//admin/workspaces")
    return slug


@walks("/settings", "//admin/workspaces", "//admin/organization", "//admin/health", "/sample")
def test_a_workspace(hand: Hand) -> None:
    """Made, renamed, given the sample, its retention set, and deleted; the room is backed up."""
    name = hand.base.rpartition("/")[2]
    hand.open("//admin/workspaces")
    hand.do("//admin/organization/rename", organization="Control Room")
    hand.do("//admin/workspaces", name=f"Other {name}")
    there = Hand(hand.page, hand.url, f"/w/{slug_of(hand, f'Other {name}')}")
    there.open("")
    there.do("/sample")
    there.open("/settings")
    there.do("/settings/retention", run_days="30")
    there.open("/settings")
    there.do("/settings/name", name=f"Otherwise {name}")
    slug = slug_of(hand, f"Otherwise {name}")
    hand.do(f"//admin/workspaces/{slug}/delete", refused="only an empty one is deleted")
    hand.open("//admin/workspaces")
    hand.do("//admin/workspaces", name=f"Empty {name}")
    slug = slug_of(hand, f"Empty {name}")
    hand.do(f"//admin/workspaces/{slug}/rename", name=f"Elsewhere {name}")
    slug = slug_of(hand, f"Elsewhere {name}")
    hand.do(f"//admin/workspaces/{slug}/delete")
    hand.lacks(f"Elsewhere {name}")
    hand.open("//admin/health")
    hand.do("//admin/health/backup")
    hand.walked |= there.walked

"""What people do with packages, files, secrets, variables and dbt projects: each verb once, through the browser."""

from typing import Any

import pytest

from console_hand import Hand, walks
from console_nouns import shell_zip
from rooms import until

pytestmark = pytest.mark.timeout(900)


def file(name: str, content: bytes) -> dict[str, Any]:
    """A file as somebody chooses it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


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


@walks("/repository", but={"/w/{workspace:str}/repository/{number:str}/check-in"})
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
    hand.do(f"/repository/{copied}/delete")
    hand.lacks("old rates.csv")
    hand.open("/roles/new")
    role = hand.do("/roles", name=f"Reads bills {folder}", may="packages.read")
    hand.open(f"/repository/{folder}/rights")
    hand.do(f"/repository/{folder}/rights", right=["view"])
    hand.open(f"/roles/{role}")
    hand.do(f"/roles/{role}/delete")


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

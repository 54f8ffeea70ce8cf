"""Takes items of a step until none is left: puts out what the next step works on, fails some, leaves artifacts."""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

HOST, TOKEN = os.environ["RC_API_WORKITEM_HOST"].rstrip("/"), os.environ["RC_API_WORKITEM_TOKEN"]
WORKSPACE, PROCESS = os.environ["RC_WORKSPACE_ID"], os.environ["RC_PROCESS_ID"]
OF_PROCESS = f"/process-v1/workspaces/{WORKSPACE}/processes/{PROCESS}"
OF_RUN = f"{OF_PROCESS}/runs/{os.environ['RC_PROCESS_RUN_ID']}/robotRuns/{os.environ['RC_ACTIVITY_RUN_ID']}"
SUPPLIERS = ("Fjordkraft Nett AS", "Statnett SF", "Telia Sverige AB", "Orsted Salg A/S", "Bergen Vann KF")
LOG = """<!doctype html><title>Log</title><style>body { font: 15px sans-serif }</style><h1>Extract fields</h1>
<p id="p">24 invoices</p><script>document.getElementById("p").textContent += ", written by a script"</script>"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def call(method, path, body=None):
    """Ask the room; what it answers, None for nothing."""
    request = urllib.request.Request(
        HOST + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise
    return json.loads(text) if text else None


def payload(item):
    """Its payload."""
    return call("GET", f"/json-v1/workspaces/{WORKSPACE}/workitems/{item}/data") or {}


def output(item, value):
    """Put something out for the next step."""
    call("POST", f"{OF_PROCESS}/work-items/{item}/output", {"payload": value})


def release(item, kind=None, code="", message=""):
    """Give it back, and get the next one."""
    body = {"workItemId": item, "state": "FAILED" if kind else "COMPLETED"}
    if kind:
        body["exception"] = {"type": kind, "code": code, "message": message}
        print(f"ERROR {code} {message}", flush=True)
    call("POST", f"{OF_RUN}/release-work-item", body)
    return (call("POST", f"{OF_RUN}/reserve-next-work-item") or {}).get("workItemId")


def collect(item, given):
    """Some invoices for each mailbox."""
    for n in range(int(given.get("invoices", 24))):
        output(
            item,
            {
                "reference": f"INV-2026-{118000 + n}",
                "supplier": {
                    "name": SUPPLIERS[n % 5],
                    "vat": f"NO {918264557 + n} MVA",
                    "country": "SE" if n % 5 == 2 else "NO",
                },
                "total": 1000.5 + 250 * n,
                "currency": "NOK",
                "lines": [{"sku": str(k), "amount": 10 * k} for k in range(3)],
            },
        )
    return release(item)


def extract(item, given):
    """Fails for wrong numbers; puts out the others."""
    n = int(given["reference"][-2:])
    print(f"reserve {given['reference']} of {given['supplier']['name']}", flush=True)
    if n % 6 == 1:
        message = (
            f"VAT number '{given['supplier']['vat']}' of supplier '{given['supplier']['name']}' fails its check digit"
        )
        return release(item, "BUSINESS", "INVALID_VAT_NUMBER", message)
    if n % 11 == 4:
        return release(item, "APPLICATION", "", f'TimeoutError: locator "#post-journal" not visible after {n}.{n} s')
    output(item, {**given, "checked": True})
    return release(item)


def post(item, given):
    """Fails for what was posted before."""
    n = int(given["reference"][-2:])
    if n % 13 == 2:
        return release(
            item,
            "BUSINESS",
            "DUPLICATE_INVOICE",
            f"Invoice '{given['reference']}' was posted on 2026-11-{n:02} already",
        )
    return release(item)


def leave(folder):
    """Artifacts of every kind."""
    folder.mkdir(exist_ok=True)
    (folder / "attack.html").write_bytes(Path(__file__).with_name("hostile.html").read_bytes())
    (folder / "log.html").write_text(LOG)
    (folder / "extracted.csv").write_text(
        "reference,supplier,total\n" + "".join(f"INV-{n},{SUPPLIERS[n % 5]},{n * 12.5}\n" for n in range(40))
    )
    (folder / "mailbox.json").write_text(json.dumps({"mails": [{"from": "a@example.com", "n": n} for n in range(4)]}))
    (folder / "notes.txt").write_text("Nothing to say.\n<b>not bold</b>\n")
    (folder / "screen.png").write_bytes(base64.b64decode(PIXEL))
    (folder / "invoice.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")


task = {"collect": collect, "extract": extract, "post": post}[sys.argv[1]]
held = os.environ.get("RC_WORKITEM_ID")
while held:
    held = task(held, payload(held))
leave(Path(os.environ.get("ROBOT_ARTIFACTS", "output")))
print("\x1b[32mdone\x1b[0m")

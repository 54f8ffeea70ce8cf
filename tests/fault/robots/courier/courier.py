"""A robot without libraries that works its queue as the vendor's libraries do, and prints what was acknowledged.

For each item: read the payload, make one output, add a file to the output, release, reserve. Each line is printed after
the server's answer, so that whoever finds the line in the console knows what the server has promised.
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid

ITEMS = "{RC_API_WORKITEM_HOST}/json-v1/workspaces/{RC_WORKSPACE_ID}/workitems".format_map(os.environ)
PROCESS = "{RC_API_PROCESS_HOST}/process-v1/workspaces/{RC_WORKSPACE_ID}/processes/{RC_PROCESS_ID}".format_map(
    os.environ
)
RUN = f"{PROCESS}/runs/{os.environ['RC_PROCESS_RUN_ID']}/robotRuns/{os.environ['RC_ACTIVITY_RUN_ID']}"
TRIES = 8


def call(method, url, body=None):
    """The answer, as the libraries get it: tried again after 5xx and lost connections."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["RC_API_WORKITEM_TOKEN"], "Content-Type": "application/json"}
    for tries in range(TRIES):
        try:
            request = urllib.request.Request(url, data=data, method=method, headers=headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            if refused.code < 500 and refused.code != 429:
                sys.exit(f"refused: {refused.code} {refused.read()[:200]!r}")
        except OSError:
            pass
        time.sleep(random.uniform(0, min(5, 0.1 * 2**tries)))
    sys.exit("the room is away for too long")


def add_file(item, name, content):
    """Post a file by the signed form that the server gives; False if the store did not take it."""
    form = call("POST", f"{ITEMS}/{item}/files", {"fileName": name, "fileSize": len(content)})
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in form["fields"].items()
    ]
    parts.append(
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )
    body = b"".join(parts) + f"--{border}--\r\n".encode()
    for tries in range(TRIES):
        try:
            request = urllib.request.Request(
                form["url"], data=body, headers={"Content-Type": f"multipart/form-data; boundary={border}"}
            )
            urllib.request.urlopen(request, timeout=60).close()
        except OSError:
            time.sleep(random.uniform(0, min(5, 0.1 * 2**tries)))
        else:
            return True
    return False


def main():
    """Work until nothing is left."""
    item = os.environ["RC_WORKITEM_ID"]
    while item:
        payload = call("GET", f"{ITEMS}/{item}/data")
        number = payload["number"]
        output = call("POST", f"{PROCESS}/work-items/{item}/output", {"payload": {"number": number, "of": item}})["id"]
        print(f"output {output} of {item}", flush=True)
        if number % 10 == 0 and add_file(output, "receipt.txt", f"receipt of {number}".encode()):
            print(f"file {output} receipt.txt", flush=True)
        call("POST", f"{RUN}/release-work-item", {"workItemId": item, "state": "COMPLETED"})
        print(f"released {item}", flush=True)
        item = call("POST", f"{RUN}/reserve-next-work-item")["workItemId"]


main()

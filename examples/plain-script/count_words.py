"""Counts the words of a text: of the payload's `text`, else of this file. Speaks to the room by plain HTTP."""

import json
import os
import re
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

NOT_FOUND = 404


def work_item():
    """The payload of the item in hand; None where no room gave one."""
    host, workspace, item = (
        os.environ.get(name) for name in ("RC_API_WORKITEM_HOST", "RC_WORKSPACE_ID", "RC_WORKITEM_ID")
    )
    if not (host and workspace and item):
        return None
    request = urllib.request.Request(
        f"{host.rstrip('/')}/json-v1/workspaces/{workspace}/workitems/{item}/data",
        headers={"Authorization": f"Bearer {os.environ['RC_API_WORKITEM_TOKEN']}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == NOT_FOUND:  # an item without a payload
            return None
        raise


payload = work_item()
text = payload["text"] if isinstance(payload, dict) and "text" in payload else Path(__file__).read_text()
counts = Counter(re.findall(r"\w+", text.lower()))
output = Path(os.environ.get("ROBOT_ARTIFACTS", "output"))
output.mkdir(exist_ok=True)
(output / "words.json").write_text(json.dumps(counts.most_common(), indent=1))
for word, count in counts.most_common(5):
    print(f"{count:>4} {word}")

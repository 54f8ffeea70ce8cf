"""What the ready file says."""

import os
from typing import Any


def ready_facts(room: dict[str, Any], url: str, https_url: str | None) -> dict[str, Any]:
    """Address and credentials of a room, from what its server knows of the first start."""
    facts = {
        "url": url,
        "workspace_id": room["workspace_id"],
        "api_key": room["api_key"],
        "admin": {"username": room["username"], "password": room["password"]},
        "user_credentials": room["user_credentials"],
        "pid": os.getpid(),
    }
    if https_url is not None:
        facts |= {"https_url": https_url, "ca_file": room["ca_file"]}
    return facts

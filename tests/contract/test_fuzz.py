"""Each dialect's document against its server: what the document allows, and what it forbids, gets a decent answer."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rooms import Room, room

pytestmark = pytest.mark.fuzz

SCHEMATHESIS = Path(sys.executable).with_name("st")
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,response_headers_conformance"
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "40")
SEED = os.environ.get("FUZZ_SEED")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("document", ["/api/v1/openapi.json", "/worker/v1/openapi.json"])
def test_no_request_finds_a_bug(document, tmp_path):
    """No generated request is answered by a server error, or in a form that the document does not promise."""
    with room("--no-worker") as running:
        config = tmp_path / "schemathesis.toml"
        config.write_text(f'[parameters]\nworkspace_id = "{running.facts["workspace_id"]}"\n')
        credential = worker_token(running) if document.startswith("/worker") else f"RC-WSKEY {running.facts['api_key']}"
        fuzzed = subprocess.run(
            [
                *(SCHEMATHESIS, "--config-file", config, "run", running.url + document),
                *("--header", f"Authorization: {credential}"),
                *("--checks", CHECKS, "--max-examples", EXAMPLES, "--generation-database", "none", "--no-color"),
                *("--exclude-path-regex", "/calls$"),  # they wait for runs, which nobody runs here
                *(("--seed", SEED) if SEED else ()),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        summary = fuzzed.stdout.partition("= SUMMARY =")[2]
        print(summary)  # the seed, with which it can be repeated
        assert fuzzed.returncode == 0, fuzzed.stdout[-8000:] + fuzzed.stderr


def worker_token(running: Room) -> str:
    """The credential of a worker that has joined the room."""
    token = running.cli("workers", "link-token").stdout.strip()
    request = urllib.request.Request(
        f"{running.url}/worker/v1/link",
        data=json.dumps({"link_token": token, "name": "walt"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return f"Bearer {json.load(answer)['token']}"

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
@pytest.mark.parametrize(
    "document", ["/api/v1/openapi.json", "/worker/v1/openapi.json", "/swagger/openapi.json", "/api/v3/openapi.json"]
)
def test_no_request_finds_a_bug(document, tmp_path):
    """No generated request is answered by a server error, or in a form that the document does not promise."""
    with room("--no-worker") as running:
        config = tmp_path / "schemathesis.toml"
        config.write_text(
            f'[parameters]\nworkspace_id = "{running.facts["workspace_id"]}"\n'
            '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "501"]\n'  # 501: we do not have it
        )
        credential = credential_for(document, running)
        fuzzed = subprocess.run(
            [
                *(SCHEMATHESIS, "--config-file", config, "run", running.url + document),
                *("--header", f"Authorization: {credential}"),
                *("--checks", CHECKS, "--max-examples", EXAMPLES, "--generation-database", "none", "--no-color"),
                # They wait for runs and for code to be read, which nobody does here, or end the session of the fuzzer.
                *("--exclude-path-regex", "/calls$|/code-analysis$|/analysis|/timeout/|/authentication|/execute$"),
                *(("--seed", SEED) if SEED else ()),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        summary = fuzzed.stdout.partition("= SUMMARY =")[2]
        print(summary)  # the seed, with which it can be repeated
        failures = fuzzed.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[0] or fuzzed.stdout[-8000:]
        assert fuzzed.returncode == 0, failures[:40_000] + fuzzed.stderr


def credential_for(document: str, running: Room) -> str:
    """What opens the API of a document."""
    match document.split("/")[1:3]:
        case "worker", _:
            return worker_token(running)
        case "api", "v3":
            return f"Token {running.facts['api_key']}"
        case "swagger", _:
            return user_token(running)
        case _:
            return f"RC-WSKEY {running.facts['api_key']}"


def user_token(running: Room) -> str:
    """The credential of the first admin, who logs in."""
    request = urllib.request.Request(
        f"{running.url}/v2/authentication",
        data=json.dumps(running.facts["admin"]).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return f"Bearer {json.load(answer)['token']}"


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

"""Positions in lists that somebody has made up."""

import base64
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from contract.robocorp.furnished import Furnished

MADE_UP = [
    *(80, -1, 2**31, 2**63, 2**64 - 1, 1.5, float("inf"), float("nan"), True, None),
    *("", "x", "x\0", "7", str(uuid4()), b"\xff", datetime.max.replace(tzinfo=UTC)),
    *([], [1], [1, 2], [2**63, 2**63], [float("inf"), 1], ["x", "y"], [str(uuid4()), 1], [str(uuid4()), str(uuid4())]),
    *({}, {"id": 1}, [datetime.max.replace(tzinfo=UTC), 2**64 - 1], [datetime.min.replace(tzinfo=UTC), -1]),
]


@pytest.fixture
async def lists(furnished: Furnished, stranger) -> list[str]:
    """The address of every list of the API."""
    document = (await stranger.get("/api/v1/openapi.json")).json()
    names = {f"{noun}_id": value for noun, value in furnished.ids.items()}
    found = []
    for path, operations in document["paths"].items():
        parameters = [each["name"] for each in operations.get("get", {}).get("parameters", ())]
        if "cursor" in parameters:
            url = path
            for name in parameters:
                url = url.replace(f"{{{name}}}", names.get(name, str(uuid4())))
            found.append(f"{url}?process_run_id={furnished.ids['run']}")
    return found


@pytest.mark.matrix
async def test_made_up_positions_break_no_list(lists: list[str], ada):
    """They are refused, or lead to some page; never to an error of ours."""
    wrong = []
    for url in lists:
        if (await ada.http.get(url)).status_code == 403:  # the organization's: a workspace's key reads none of it
            continue
        for made_up in MADE_UP:
            cursor = base64.urlsafe_b64encode(msgspec.msgpack.encode(made_up)).decode()
            answer = await ada.http.get(f"{url}&cursor={cursor}")
            if answer.status_code not in {200, 400, 404}:
                wrong.append((url, made_up, answer.status_code))

    assert len(lists) > 30
    assert wrong == []

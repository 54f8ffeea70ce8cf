"""Our own document against a live server, in a workspace where there is one of everything.

What the document allows, and what it forbids, is answered in a way that the document names. A few requests for each
operation, the same ones each time; under `make fuzz` many, others each time.
"""

import asyncio
import os
import random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contract.robocorp.furnished import Furnished

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MANY = int(os.environ.get("FUZZ_EXAMPLES", "40"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or random.randrange(1, 10**9)


class Fuzzer:
    """Sends generated requests, and keeps what was wrong with the answers."""

    def __init__(self, url: str, furnished: Furnished, *, examples: int, seed: int) -> None:
        self._url = url
        self._headers = {"Authorization": f"RC-WSKEY {furnished.owner.key}"}
        self._ids = {f"{noun}_id": value for noun, value in furnished.ids.items()}
        self._examples = examples
        self._seed = seed

    def problems(self, document: dict[str, Any]) -> list[str]:
        """One text for each operation, and each kind of request, that found one."""
        found = []
        for each in schemathesis.openapi.from_dict(document).get_all_operations():
            operation = each.ok()
            if operation.path.endswith(("/calls", "/code-analysis")):  # they wait for a worker, and none is here
                continue
            for mode in GenerationMode:
                try:
                    self._send(operation.as_strategy(generation_mode=mode))
                except Unsatisfiable:  # nothing that could be wrong: it takes neither parameters nor a body
                    continue
                except BaseExceptionGroup as problems:  # schemathesis gathers what it finds
                    found.append(f"{operation.label} ({mode.value}): {problems}")
        return found

    def _send(self, cases: Any) -> None:
        @seed(self._seed)
        @settings(
            max_examples=self._examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, is_known=st.booleans())
        def send(case: Any, is_known: bool) -> None:  # noqa: FBT001 - Hypothesis calls it
            for name in case.path_parameters:
                if name in self._ids and (is_known or name == "workspace_id"):
                    case.path_parameters[name] = self._ids[name]
            case.validate_response(case.call(base_url=self._url, headers=self._headers), checks=CHECKS)

        send()


async def _problems(furnished: Furnished, url: str, **how: int) -> list[str]:
    document = (await furnished.owner.http.get("/api/v1/openapi.json")).json()
    return await asyncio.to_thread(Fuzzer(url, furnished, **how).problems, document)


@pytest.mark.matrix
async def test_generated_requests_are_answered_as_documented(room, furnished):
    """No server error, and no status and no form that the document does not name."""
    found = await _problems(furnished, room.url, examples=3, seed=1)

    assert found == [], "\n\n".join(found)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
async def test_many_requests_are_answered_as_documented(room, furnished):
    """The same, as long as anybody likes (FUZZ_EXAMPLES), and again (FUZZ_SEED)."""
    print(f"FUZZ_SEED={SEED}")

    found = await _problems(furnished, room.url, examples=MANY, seed=SEED)

    assert found == [], f"FUZZ_SEED={SEED}\n" + "\n\n".join(found)

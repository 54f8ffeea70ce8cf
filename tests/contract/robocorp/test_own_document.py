"""Our own document against a live server, in a workspace where there is one of everything.

What the document allows, and what it forbids, is answered in a way that the document names. A few requests for each
operation, the same ones each time; under `make fuzz` many, others each time.
"""

import asyncio

import pytest

from contract.robocorp.furnished import Furnished
from contract.seeds import MANY, SEED


async def _problems(furnished: Furnished, url: str, **how: int) -> list[str]:
    document = (await furnished.owner.http.get("/api/v1/openapi.json")).json()
    from contract.fuzzer import Fuzzer  # noqa: PLC0415 - half a second of every process of tests, for those who fuzz

    fuzzer = Fuzzer(
        url,
        {"Authorization": f"RC-WSKEY {furnished.owner.key}"},
        {f"{noun}_id": value for noun, value in furnished.ids.items()},
        always=frozenset({"workspace_id"}),
        passes_over=("/calls", "/code-analysis"),  # they wait for a worker, and none is here
        **how,
    )
    return await asyncio.to_thread(fuzzer.problems, document)


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

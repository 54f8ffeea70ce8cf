"""Numbers and nests at the ends of what can be written, from a worker: taken or refused, never a bug."""

import json

from contract.robocorp.samples import samples

_NUMBERS = (
    "1" + "0" * 30,
    "-1" + "0" * 30,
    "9" * 5000,
    "1e308",
    "1e400",
    "1e131000",
    "9223372036854775808",
    "2147483648",
)
_HERE = "\x00here"


async def test_no_number_of_a_worker_is_a_server_error(walt, assignment):
    """Each number that a body can have, and those of the query with which lines come."""
    document = (await walt.http.get("/worker/v1/openapi.json")).json()
    ids = {"process": str(assignment.process_id), "step_run": str(assignment.step_run_id), "session": str(walt.session)}
    found = {}
    asked = 0
    for sample in samples(document, ids):
        path = sample.path.replace(f"/attempts/{ids['process']}", f"/attempts/{assignment.attempt}")
        for at, kind in sample.kinds.items():
            if kind in {"integer", "number", "anything"}:
                held = "seconds" in str(at[-1])  # how long the answer may take: tried with what is not waited for
                for number in _NUMBERS[1:3] if held else _NUMBERS:
                    content = json.dumps(sample.changed(at, _HERE)).replace(json.dumps(_HERE), number)
                    answer = await walt.http.request(sample.method, path, content=content.encode(), timeout=60)
                    asked += 1
                    if answer.status_code >= 500:
                        found[sample.method, path, at, number[:12]] = answer.text
    for name in ("first", "count", "at"):
        for number in _NUMBERS:
            query = {"first": "0", "count": "1", "at": "1.0"} | {name: number}
            url = f"/worker/v1/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}/console"
            answer = await walt.http.post(url, content=b"x\n", params=query)
            if answer.status_code >= 500:
                found[url, name, number[:12]] = answer.text

    assert found == {}
    assert asked > 30

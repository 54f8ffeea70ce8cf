"""`make bench`: every bench of this folder, or the ones named, as one Markdown table; and as .bench/figures.json.

python -m tests.bench [NAME …]        # work_items, start, requests …
"""

import importlib
import platform
import sys
import time
import traceback
from pathlib import Path

import msgspec
import psutil
from tests.bench.figures import HEAD, Figure, note, row

FOLDER = Path(__file__).parent
RESULTS = Path(".bench") / "figures.json"


def main(names: list[str]) -> int:
    """Run them one after another; 1 if one of them broke, after the others."""
    known = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    if unknown := set(names) - set(known):
        note(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    broken = 0
    found: dict[str, list[Figure]] = {}
    note(machine())
    print(HEAD, flush=True)
    for name in names or known:
        found[name] = []
        try:
            for figure in importlib.import_module(f"tests.bench.bench_{name}").main():
                found[name].append(figure)
                print(row(figure), flush=True)
        except Exception:  # noqa: BLE001 - the others shall be measured all the same
            broken = 1
            note(f"{name} broke: {traceback.format_exc()}")
    RESULTS.parent.mkdir(exist_ok=True)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode({"at": at, "machine": machine(), "figures": found})))
    return broken


def machine() -> str:
    """What the figures were measured on."""
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / 1e9
    load = psutil.getloadavg()[0]
    system, python = platform.release(), platform.python_version()
    return f"{cores} cores, {memory:.0f} GB, Linux {system}, Python {python}, load {load:.1f} before"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The samples of the pages, run as a reader would: as programs, with nothing of ours but what they import."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "docs" / "sources"


async def run_sample(name: str, folder: Path, *, seconds: float) -> str:
    """Run a sample that lies in a folder with its configuration; what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCES", "DLT", "RUNTIME"))}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, name],
        cwd=folder,
        env={**clean, "DLT_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

"""`make demo`: a room, the sample robot, its run over three steps, and what came of it.

Everything is done by the same commands that one would type; each is printed before it runs. With --once the room is
ended after the result, otherwise it stays open until Ctrl-C.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("DEMO", HERE.parent / ".demo"))
CONTROLROOM = [sys.executable, "-m", "controlroom"]
PORT = 8170
START_SECONDS = 60


def main(*, once):
    """The demonstration; gives the exit code."""
    FOLDER.mkdir(exist_ok=True)
    ready = FOLDER / "ready.json"
    ready.unlink(missing_ok=True)
    say("up", "--data", FOLDER / "room", "--slots", "2")
    began = time.monotonic()
    room = subprocess.Popen(
        [*CONTROLROOM, "up", "--data", FOLDER / "room", "--port", free_port(), "--slots", "2", "--ready-file", ready],
        stdout=subprocess.DEVNULL,
        stderr=(FOLDER / "room.log").open("ab"),
        start_new_session=True,  # Ctrl-C is for this script, which then ends the room
    )
    try:
        facts = wait_for(ready, room)
        print(f"The room is ready at {facts['url']} after {time.monotonic() - began:.1f} s.\n")
        os.environ |= {
            "CONTROLROOM_URL": facts["url"],
            "CONTROLROOM_WORKSPACE": facts["workspace_id"],
            "CONTROLROOM_API_KEY": facts["api_key"],
        }
        run = show_the_room_at_work()
        print(f"\nDone after {time.monotonic() - began:.1f} s.")
        if not once:
            print(f"The room stays open. Its run is a page: {facts['url']}/w/default/runs/{run}")
            print(f"Log in as {facts['admin']['username']} with {facts['admin']['password']}. Ctrl-C ends the room.")
            signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        room.send_signal(signal.SIGTERM)
        room.wait(60)
    return 0


def show_the_room_at_work():
    """Push, create, run, and look at the result."""
    package = call("push", HERE / "producer-consumer", "--name", "invoices", read=True)
    print(package)
    if not any(
        process["name"] == "Invoices"
        for process in json.loads(call("process", "list", "--json", read=True, quiet=True))
    ):
        steps = [f"{step}=invoices:{step}" for step in ("produce", "consume", "report")]
        call(
            "process", "create", "Invoices",
            *(word for step in steps for word in ("--step", step)),
            "--max-parallel", "consume=2",
            "--after-previous", "report",
        )  # fmt: skip
    call("run", "Invoices", "--follow", may_fail=True)
    run = json.loads(call("runs", "list", "--limit", "1", "--json", read=True, quiet=True))[0]
    print("\nOne order names no customer: a business exception, so its item failed and the run is unresolved.")
    call("items", "list", "--run", run["id"])
    print()
    call("artifacts", "list", run["id"])
    print("\nSomebody looks at the order, settles it by hand, and the run completes:")
    failed = json.loads(call("items", "list", "--run", run["id"], "--state", "failed", "--json", read=True, quiet=True))
    call("items", "done", *(item["id"] for item in failed))
    call("runs", "show", run["id"])
    return run["id"]


def call(*words, read=False, quiet=False, may_fail=False):
    """Run a command of ours; its output if it is to be read."""
    if not quiet:
        say(*words)
    done = subprocess.run(
        [*CONTROLROOM, *map(str, words)], stdout=subprocess.PIPE if read else None, text=True, check=False
    )
    if done.returncode and not may_fail:
        sys.exit(done.returncode)
    return done.stdout.strip() if read else None


def say(*words):
    """Print a command as one would type it."""
    shown = [os.path.relpath(word) if isinstance(word, Path) else str(word) for word in words]
    print("$ controlroom " + " ".join(f"'{word}'" if " " in word else word for word in shown), flush=True)


def wait_for(ready, room):
    """What the ready file says, as soon as it is there."""
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if room.poll() is not None or time.monotonic() > deadline:
            print((FOLDER / "room.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(
                f"The room did not start. Its folder is {FOLDER}: `make clean` removes it, and the next one is new."
            )
        time.sleep(0.02)
    return json.loads(ready.read_text())


def free_port():
    """The room's usual port; any other if that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return "0"
    return str(PORT)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(once="--once" in sys.argv[1:]))

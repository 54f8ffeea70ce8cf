"""`python -m controlroom.host.supervised server|worker [NUMBER]`: a part of a room that a supervisor looks after.

The same programs as `controlroom server` and `controlroom worker`. Their settings come over the line to the parent,
after the imports, which take the longest: so the parts of a room get ready side by side.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from controlroom.errors import ControlRoomError
from controlroom.host.handover import CODE, FAILED, Handover, from_parent, inherited


def main() -> int:
    """Run the part that the argument names."""
    line = from_parent()
    try:
        return _run(sys.argv[1], line)
    except ControlRoomError as failed:  # said by the parent, who knows what else there is to say
        line.send({FAILED: failed.message, CODE: failed.code})
        return 1


def _run(part: str, line: Handover) -> int:
    match part:
        case "server":
            with _importing():
                from controlroom.host.serving import serve_room  # noqa: PLC0415 - the worker does not need it
                from controlroom.host.sharing import Counts, Share  # noqa: PLC0415 - likewise
                from controlroom.settings import load  # noqa: PLC0415

            message = line.receive()
            if message is None:
                return 0
            sockets, tls_sockets = inherited(message["sockets"]), inherited(message["tls_sockets"])
            share = None
            if (shared := message["share"]) is not None:
                share = Share(Counts(shared["counts"], shared["processes"]), shared["number"])
            own = message["own_worker_token"]
            settings = load(message["settings"])
            return serve_room(settings, sockets, tls_sockets, told=line.send, share=share, own_worker_token=own)
        case "worker":
            with _importing():
                from controlroom.host.working import work  # noqa: PLC0415 - the server does not need it

            message = line.receive()
            if message is None:
                return 0
            return work(message["settings"], log_format=message["log_format"], told=line.send)
        case other:
            raise ValueError(other)


@contextmanager
def _importing() -> Iterator[None]:
    """Import without what takes time and serves nothing: together a fifth of it.

    Nothing is thrown away while modules are loaded, so that the collector would look in vain, then and later. The
    library for logs draws tracebacks by `rich` if it finds it, which this process never asks for.
    """
    gc.disable()
    sys.modules["rich"] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        del sys.modules["rich"]
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())

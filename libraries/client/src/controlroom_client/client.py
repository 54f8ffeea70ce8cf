"""The client for threads that wait."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from ssl import SSLContext
from typing import Any, TypeAlias

import msgspec

from controlroom_client.calls import Progress, in_silence
from controlroom_client.failures import ClientError
from controlroom_client.following import Event, following, waiting
from controlroom_client.plain import PATIENCE, TIMEOUT, context
from controlroom_client.transfers import Source, Target, attach, fetch, fill_asset, push
from controlroom_client.written import models
from controlroom_client.written.nouns import Nouns

Filled: TypeAlias = models.CompletedUpload | models.PendingUpload | models.FailedUpload
"""What became of an upload: `failed` says why, `pending` that the room is not done with it."""


def filled(ended: dict[str, Any]) -> Filled:
    """An upload as its model."""
    found: Filled = msgspec.convert(ended, Filled)
    return found


class Client(Nouns):
    """Everything that the management API of a control room can do.

        with Client("https://room.example.com", workspace="…", key="…") as client:
            for run in client.process_runs.list(state="unresolved"):
                print(run.id, run.process.name)

    A client speaks to one workspace; `within` gives one for another. Address, workspace and key are taken from
    CONTROLROOM_URL, CONTROLROOM_WORKSPACE and CONTROLROOM_API_KEY where they are not given. `key` is an API key of the
    workspace, a user's key, or the token of a log-in.

    The nouns below are the API's, and so are the names of what their verbs take and answer. Answers are `models`;
    lists are `Pages`, which ask for one page after the other as they are iterated. Beside the nouns there is
    what takes more than one call: `push`, `attach`, `fill_asset`, `download`, `follow` and `wait`; and `get`, `post`,
    `put`, `delete` and `each`, which take a path of the API and speak its JSON.

    Failures are exceptions: `Refused` with the room's stable `code`, of which `NotFound`, `Conflict`, `Forbidden`,
    `Invalid` … are kinds; `Unreachable` where no answer came. All are `ClientError`.

    While the room is away or asks to wait (429, 503) calls that may be repeated are tried again for `patience` seconds,
    as `Retry-After` says, else after longer and longer pauses. That is what reads, and what starts something and takes
    an idempotency key, which is made for each call; others only after 429, where nothing was done. `timeout` is how
    many seconds of silence are borne. `ca_file` names authorities that are believed beside the machine's; `trust`
    makes the context of TLS where that is not enough. Threads may share a client.
    """

    def __init__(
        self,
        url: str | None = None,
        workspace: str | None = None,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        ca_file: str | None = None,
        trust: Callable[[], SSLContext] | None = None,
    ) -> None:
        super().__init__(
            *where(url, workspace, key),
            timeout=timeout,
            patience=patience,
            trust=trust or partial(context, ca_file),
        )

    def within(self, workspace: str) -> "Client":
        """A client of the same room for another workspace, over the same connections."""
        other = Client.__new__(Client)
        other.api = self.api.within(workspace)
        return other

    def push(
        self, source: Source, name: str, *, folder: str = "", progress: Progress = in_silence
    ) -> models.TaskPackage:
        """Upload a robot's zip as a task package; one of that name gets a new version.

        `folder` is where the robot lies in the zip, if there are several in it.
        """
        return msgspec.convert(self.run(push(self.api, source, name, folder, progress)), models.TaskPackage)

    def attach(self, item_id: str, source: Source, *, name: str | None = None, progress: Progress = in_silence) -> None:
        """Upload a file into a work item; it replaces one of the same name."""
        self.run(attach(self.api, item_id, source, name, progress))

    def fill_asset(
        self,
        asset_id: str,
        source: Source,
        *,
        content_type: str = "application/octet-stream",
        progress: Progress = in_silence,
    ) -> Filled:
        """Upload a file as the new content of an asset."""
        return filled(self.run(fill_asset(self.api, asset_id, source, content_type, progress)))

    def download(self, url: str, out: Target, progress: Progress = in_silence, *, is_signed: bool = True) -> int:
        """Write what a link of the room leads to into a file; how many bytes that was.

        `out` is a path, at which there is a file when all of it has come, or a file that is open. `is_signed` says that
        the link carries its own right, as those of artifacts and packages do.
        """
        return self.run(fetch(self.api, url, out, progress, is_signed=is_signed))

    def follow(self, run_id: str) -> Iterator[Event]:
        """What happens in a run, as it happens, until it has ended.

        `Line`s of the consoles of its step runs, their `State`s, the `Heading`s of commands; see `following`.
        """
        return self.iterate(following(self.api, run_id))

    def wait(self, run_id: str) -> models.ProcessRun:
        """Wait until a run has ended; the run as it then is."""
        return msgspec.convert(self.run(waiting(self.api, run_id)), models.ProcessRun)


def where(url: str | None, workspace: str | None, key: str | None) -> tuple[str, str, str]:
    """Which room, workspace and key are meant: what is not given is taken from the environment."""
    found = [
        given or os.environ.get(name)
        for given, name in (
            (url, "CONTROLROOM_URL"),
            (workspace, "CONTROLROOM_WORKSPACE"),
            (key, "CONTROLROOM_API_KEY"),
        )
    ]
    if not found[0]:
        raise ClientError("which room? Give its url, or set CONTROLROOM_URL")
    return found[0], found[1] or "", found[2] or ""

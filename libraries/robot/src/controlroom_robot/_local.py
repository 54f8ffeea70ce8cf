"""The same without a room: items, secrets and assets from files of a folder, outputs into another."""

from __future__ import annotations

import json
import mimetypes
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controlroom_robot._errors import NotFound, RoomError
from controlroom_robot._room import NOT_TOLD, Content, Failure, Kept, NewOutput, Next, Taken


class Local:
    """A robot's folder `devdata` (or what `CONTROLROOM_DEVDATA` names).

    items.json     [{"payload": …, "files": {"name": "path beside this file"}}, …]   (RC_WORKITEM_INPUT_PATH)
    outputs.json   what the robot puts out, in the same form, written anew           (RC_WORKITEM_OUTPUT_PATH)
    secrets.json   {"name": {"key": "value"}}                                        (RPA_SECRET_FILE)
    assets/NAME    a file each; one that the robot writes is written here

    A secret may also be a variable, SECRET_NAME, with a JSON object in it. What is read is never written.
    """

    def __init__(self) -> None:
        self._folder = Path(os.getenv("CONTROLROOM_DEVDATA") or "devdata")
        self._input = self._named("RC_WORKITEM_INPUT_PATH", "items.json")
        self._output = self._named("RC_WORKITEM_OUTPUT_PATH", "outputs.json")
        self._waiting: Iterator[Any] | None = None
        self._held: Taken | None = None
        self._contents: dict[str, dict[str, bytes]] = {}
        self._outputs: list[dict[str, Any]] = []

    def _named(self, variable: str, name: str) -> Path:
        return Path(os.getenv(variable) or self._folder / name)

    def reserve(self) -> Taken | None:
        """The next item, or the one in hand; None when none is left."""
        if self._waiting is None:
            self._waiting = enumerate(_read(self._input, list), start=1)
        if self._held is None:
            number, item = next(self._waiting, (0, None))
            if not number:
                return None
            if not isinstance(item, dict):
                raise RoomError(f'{self._input}: an item is an object with "payload", and maybe "files"', "LOCAL_FILE")
            files = {name: (self._input.parent / path).read_bytes() for name, path in item.get("files", {}).items()}
            self._contents[str(number)] = files
            self._held = Taken(str(number), item.get("payload"), list(files))
        return self._held

    def release(self, item: str, failure: Failure | None, kept: Kept | None, outputs: list[NewOutput]) -> None:
        """Tell how it went, and write what was put out."""
        if kept is not None:
            self.save(item, kept.payload)
        for output in outputs:
            self.output(item, output)
        self._held = None
        _say(f"item {item}: " + ("done" if failure is None else " ".join(("failed:", *filter(None, failure)))))

    def pass_on(self, item: str, kept: Kept | None, outputs: list[NewOutput]) -> Next:
        """Likewise, as done; the next item costs no call, and is asked for by itself."""
        self.release(item, None, kept, outputs)
        return NOT_TOLD

    def output(self, parent: str, output: NewOutput) -> str:  # noqa: ARG002 - all outputs are in one list
        """Write an output; its id."""
        made = f"output-{len(self._outputs) + 1}"
        self._outputs.append({"payload": output.payload, "files": {}})
        self._contents[made] = {}
        self._write()
        for name, content in output.files.items():
            self.put_file(made, name, content)
        return made

    def _write(self) -> None:
        self._output.parent.mkdir(parents=True, exist_ok=True)
        self._output.write_text(json.dumps(self._outputs, indent=2), encoding="utf-8")

    def save(self, item: str, payload: Any) -> None:
        """Tell what would be kept."""
        _say(f"item {item}: payload {json.dumps(payload, ensure_ascii=False)[:1000]}")

    def read_file(self, item: str, name: str) -> bytes:
        """The content of a file."""
        if name not in self._contents[item]:
            raise NotFound(f"item {item} has no file {name!r}", "FILE_NOT_FOUND")
        return self._contents[item][name]

    def put_file(self, item: str, name: str, content: Content) -> None:
        """Add a file; one of an output is written beside the outputs."""
        self._contents[item][name] = bytes(content)
        if item.startswith("output-"):
            path = self._output.with_suffix("") / item / Path(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self._outputs[int(item[7:]) - 1]["files"][name] = str(path.relative_to(self._output.parent))
            self._write()

    def remove_file(self, item: str, name: str) -> None:
        """Forget a file."""
        self.read_file(item, name)
        del self._contents[item][name]

    def secret(self, name: str) -> dict[str, Any]:
        """The values of a secret."""
        variable = "SECRET_" + re.sub(r"\W", "_", name).upper()
        if variable in os.environ:
            found = json.loads(os.environ[variable])
        else:
            file = self._named("RPA_SECRET_FILE", "secrets.json")
            found = _read(file, dict).get(name) if file.exists() else None
        if not isinstance(found, dict):
            raise NotFound(f"no secret {name!r} in {self._folder}/secrets.json or {variable}", "SECRET_NOT_FOUND")
        return found

    def read_asset(self, name: str) -> tuple[str, bytes]:
        """The type and the content of an asset."""
        path = self._asset(name)
        if not path.is_file():
            raise NotFound(f"no asset {name!r}: {path} is not there", "ASSET_NOT_FOUND")
        return mimetypes.guess_type(name)[0] or "application/octet-stream", path.read_bytes()

    def write_asset(self, name: str, kind: str, content: bytes) -> None:  # noqa: ARG002 - a file has no type
        """Write an asset's file."""
        path = self._asset(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _asset(self, name: str) -> Path:
        folder = (self._folder / "assets").resolve()
        path = (folder / name).resolve()
        if folder not in path.parents:
            raise RoomError(f"{name!r} is no name of an asset", "ASSET_NAME_INVALID")
        return path

    def progress(self, told: dict[str, Any]) -> None:
        """Print how far it is."""
        of = "" if told["total"] is None else f" of {told['total']:,}"
        _say(f"progress: {told['done']:,}{of} {told['message']}".rstrip())


def _read(path: Path, kind: type) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RoomError(
            f"this is no step run of a room, and {path} is not there (see help of controlroom_robot)", "LOCAL_FILE"
        ) from None
    except ValueError as broken:
        raise RoomError(f"{path} is no JSON: {broken}", "LOCAL_FILE") from None
    if not isinstance(found, kind):
        raise RoomError(f"{path} is no JSON {'list' if kind is list else 'object'}", "LOCAL_FILE")
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - who tries a robot out reads it

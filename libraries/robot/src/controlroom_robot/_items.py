"""Items that a robot works on, one at a time, and what it puts out."""

from __future__ import annotations

import json
import logging
import mmap
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Union

from controlroom_robot import _place
from controlroom_robot._errors import ApplicationError, ItemError
from controlroom_robot._room import Content, Failure, Kept, NewOutput, Taken

LOGGER = logging.getLogger(__name__)

Files = Union[Iterable[Union[str, Path]], Mapping[str, Union[bytes, str, Path]]]
"""Paths, each of which is called as the file is; or contents or paths, by the names that they are to have."""

_SMALL = 64 * 1024
"""Bytes of a file that goes along with its output; a larger one is sent by itself, as it lies on the disk."""
_MOST_BYTES = 256 * 1024
_MOST_OUTPUTS = 100
"""What is kept for the release. Why: a release is one commit, and a robot's memory is not for what it has put out."""


class Item:
    """A work item in hand, to be worked in a block of its own.

        for item in items():
            with item:
                ...

    At the end of the block it is done. BusinessError and ApplicationError fail it, and the loop goes on; any other
    exception fails it as well, by its name, and ends the robot. Whatever the block has put out and has given to
    `payload` reaches the room in one commit with that.
    """

    def __init__(self, taken: Taken) -> None:
        self.id = taken.id
        self.files = taken.files
        """The names of its files."""
        self.is_released = False
        self._payload = taken.payload
        self._kept: Kept | None = None
        self._outputs: list[NewOutput] = []
        self._bytes = 0
        self._owner = os.getpid()

    def __repr__(self) -> str:
        return f"<Item {self.id}{' released' if self.is_released else ''}>"

    @property
    def payload(self) -> Any:
        """Its data, as JSON has it. What is assigned is kept with the release; what is changed in it, by `save`."""
        return self._payload

    @payload.setter
    def payload(self, payload: Any) -> None:
        self._payload, self._kept = payload, Kept(payload)

    def save(self) -> None:
        """Keep the payload as it is now, at once: it is there also if the robot dies right after."""
        _place.here().save(self.id, self._payload)
        self._kept = None

    def read_file(self, name: str) -> bytes:
        """The content of one of its files. Raises NotFound."""
        return _place.here().read_file(self.id, name)

    def add_file(self, file: str | Path, content: bytes | str | Path | None = None) -> None:
        """Add a file by its path; or, with a content (bytes, or the path where it lies), by a name for it."""
        for name, added in _contents([file] if content is None else {str(file): content}).items():
            _place.here().put_file(self.id, name, added)
            self.files = [*(each for each in self.files if each != name), name]

    def remove_file(self, name: str) -> None:
        """Remove a file. Raises NotFound."""
        _place.here().remove_file(self.id, name)
        self.files = [each for each in self.files if each != name]

    def output(self, payload: Any = None, files: Files = ()) -> None:
        """Put an item out for the next step, or, after the last one, as a result of the run.

        It goes with the release, in one commit; at once if it is large, or if the item is released already.
        """
        json.dumps(payload, allow_nan=False)  # what is wrong is told here, and not at the end of the block
        contents = _contents(files)
        small = {name: content for name, content in contents.items() if len(content) <= _SMALL}
        output = NewOutput(uuid.uuid4().hex, payload, {name: bytes(content) for name, content in small.items()})
        self._bytes += len(json.dumps(payload)) + sum(map(len, output.files.values()))
        is_much = self._bytes > _MOST_BYTES or len(self._outputs) >= _MOST_OUTPUTS
        if not (is_much or self.is_released or len(small) < len(contents) or self._owner != os.getpid()):
            self._outputs.append(output)
            return
        self._put_out()
        made = _place.here().output(self.id, output)
        for name, content in contents.items():
            if name not in small:
                _place.here().put_file(made, name, content)

    def _put_out(self) -> None:
        """What was kept for the release goes before it, in its order."""
        waiting, self._outputs, self._bytes = self._outputs, [], 0
        if self._owner == os.getpid():  # a child has a copy of what its parent will release
            for output in waiting:
                _place.here().output(self.id, output)

    def done(self) -> None:
        """Release it as done, before the end of its block."""
        self._release(None)

    def fail(
        self,
        message: str = "",
        code: str = "",
        type: Literal["business", "application"] = "application",  # noqa: A002 - the field's word
    ) -> None:
        """Release it as failed, before the end of its block."""
        self._release(Failure(type, code, message))

    def _release(self, failure: Failure | None) -> None:
        if failure is not None:
            LOGGER.warning("Item %s fails: %s", self.id, " ".join(filter(None, failure)))
        _place.here().release(self.id, failure, self._kept, self._outputs)
        self._has_been_released()

    def _has_been_released(self) -> None:
        self.is_released, self._kept, self._outputs = True, None, []

    def _pass_on(self) -> Taken | None:
        """Release it, unless that is done, and take the next one: by one call."""
        if not self.is_released:
            after = _place.here().pass_on(self.id, self._kept, self._outputs)
            self._has_been_released()
            if after.is_told:
                return after.taken
        return _place.here().reserve()

    def __enter__(self) -> Item:  # noqa: PYI034 - `Self` is younger than the oldest Python
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self.is_released or (error is not None and not isinstance(error, Exception)):
            return False  # what ends the process releases nothing: the room does, by how the process ends
        if isinstance(error, ItemError):
            self._release(Failure(error.type, error.code, error.message))
            return True
        self._release(None if error is None else Failure(ApplicationError.type, type(error).__name__, str(error)))
        return False


_last: Item | None = None


def items() -> Iterator[Item]:
    """The items that wait for this step run, one at a time: the next one is taken when the loop asks for it.

        for item in items():
            with item:
                output({"invoice": item.payload["order"]})

    Without a block of its own an item is done when the loop comes round, by the call that takes the next one:
    half as many calls as with it. Whoever leaves the loop early leaves the rest to other step runs; an item in hand
    then is the room's to release, by how the robot ends: done if it ends well, failed if it does not.
    """
    global _last  # noqa: PLW0603 - a step run has one item in hand
    taken = _place.here().reserve()
    while taken is not None:
        item = _last
        if item is None or item.is_released or item.id != taken.id:  # one in hand is given again, as it is
            item = _last = Item(taken)
        yield item
        taken = item._pass_on()  # noqa: SLF001 - of this module


def output(payload: Any = None, files: Files = ()) -> None:
    """Put an item out for the next step, or, after the last one, as a result of the run.

        output({"total": 12.5}, files=["invoice.pdf"])
        output({"total": 12.5}, files={"invoice.txt": b"12.50 EUR"})

    It belongs to the item in hand, and goes with its release; after that, to the last one.
    """
    if _last is None:
        raise RuntimeError("an output belongs to an item, and none has been taken: begin with items()")
    _last.output(payload, files)


def _contents(files: Files) -> dict[str, Content]:
    if isinstance(files, (str, bytes, Path)):
        raise TypeError("files are a list of paths, or contents by their names")
    named = dict(files) if isinstance(files, Mapping) else {Path(file).name: file for file in files}
    return {name: content if isinstance(content, bytes) else _mapped(Path(content)) for name, content in named.items()}


def _mapped(path: Path) -> Content:
    """The content of a file, of which nothing is read before it is sent."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(file.fileno()).st_size else b""

"""Forms that are posted to us: fields and a file, which is streamed and never held as a whole."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterator

from multipart import (  # type: ignore[import-untyped]  # it has no stubs
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from controlroom.errors import Invalid

_FILE = "file"
_FIELDS_BYTES = 256 * 1024  # Why: S3's POST fields are at most 20 KB; what is longer is no form of ours
_PARTS = 64  # likewise
_TEXTS_BYTES = 8 << 20  # of a form that people fill in: payloads, too
_MOST_PARTS = 1000


async def file_of_form(content_type: str, body: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Give the bytes of the part `file`; what follows that part is ignored.

    Raises Invalid `MALFORMED_FORM`: no form, a broken one, an end before the part has ended, or no such part.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _malformed("the body is not multipart/form-data with a boundary")
    form = _Form(options["boundary"])
    async for chunk in body:
        for piece in form.take(chunk):
            yield piece
        if form.has_file:
            return
    form.complain()


class _Form:
    """A form as far as it has come."""

    def __init__(self, boundary: str) -> None:
        self._parser = PushMultipartParser(boundary, max_segment_count=_PARTS)
        self._is_in_file = False
        self._beside = 0
        self.has_file = False
        """Whether the part `file` has come to its end."""

    def take(self, chunk: bytes) -> Iterator[bytes]:
        """Read on, and give what of it belongs to the file."""
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._is_in_file = event.name == _FILE and not self.has_file
                elif event is None:
                    self.has_file = self.has_file or self._is_in_file
                    self._is_in_file = False
                elif self._is_in_file:
                    yield bytes(event)
                else:
                    self._count(len(event))
        except MultipartError as broken:
            raise _malformed(str(broken)) from broken

    def _count(self, size: int) -> None:
        self._beside += size
        if self._beside > _FIELDS_BYTES:
            raise _malformed("there is too much beside the part `file`")

    def complain(self) -> None:
        """Say why the form is none, though its body has ended."""
        raise _malformed("the part `file` does not end" if self._is_in_file else "there is no part `file`")


class Form:
    """A form with fields and one file, in any order. Once `content` has been read, all of it is known."""

    def __init__(self, parser: PushMultipartParser, body: AsyncIterable[bytes], file: str) -> None:
        self._parser = parser
        self._body = body
        self._file = file
        self._fields: dict[str, bytearray] = {}
        self._beside = 0
        self._has_file = False
        self.file_name = ""
        """As its sender calls it."""

    async def content(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the file. Raises Invalid `MALFORMED_FORM`, at its end, too."""
        part: MultipartSegment | None = None
        try:
            async for chunk in self._body:
                for event in self._parser.parse(chunk):
                    if event is None or isinstance(event, MultipartSegment):
                        part = event
                        self._begin(part)
                    elif part is not None and part.name == self._file:
                        yield bytes(event)
                    elif part is not None:
                        self._take(part.name, bytes(event))
            self._parser.close()
        except MultipartError as broken:
            raise _malformed(str(broken)) from broken
        if not self._has_file:
            raise _malformed(f"there is no part `{self._file}`")

    def field(self, name: str) -> str:
        """A field, in whatever case it was sent; empty if it was not. Raises Invalid for what is no text."""
        found = next((value for key, value in self._fields.items() if key.casefold() == name.casefold()), b"")
        try:
            return bytes(found).decode()
        except UnicodeDecodeError as broken:
            raise _malformed(f"the part `{name}` is not UTF-8") from broken

    def _begin(self, part: MultipartSegment | None) -> None:
        if part is None:
            return
        if part.name == self._file:
            if self._has_file:
                raise _malformed(f"there are two parts `{self._file}`")
            self._has_file = True
            self.file_name = (part.filename or "")[:255]
        else:
            self._fields.setdefault(part.name, bytearray())

    def _take(self, name: str, piece: bytes) -> None:
        self._beside += len(piece)
        if self._beside > _FIELDS_BYTES:
            raise _malformed(f"there is too much beside the part `{self._file}`")
        self._fields[name] += piece


def form_of(content_type: str, body: AsyncIterable[bytes], *, file: str) -> Form:
    """A form whose part `file` is a file. Raises Invalid `MALFORMED_FORM` for what says that it is none."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _malformed("the body is not multipart/form-data with a boundary")
    return Form(PushMultipartParser(options["boundary"], max_segment_count=_PARTS), body, file)


class FilesForm:
    """A form with fields and any number of files. Files are given in their order, each as it comes, and held by nobody.

    Fields before a file are known when it is given, all of them at the end.
    """

    def __init__(self, parser: PushMultipartParser, body: AsyncIterable[bytes]) -> None:
        self._events = self._read(parser, body)
        self._fields: list[tuple[str, bytearray]] = []
        self._beside = 0

    async def files(self) -> AsyncGenerator[tuple[str, AsyncGenerator[bytes, None]], None]:
        """Each file that was chosen: its name and its bytes. Raises Invalid `MALFORMED_FORM`, at the end, too."""
        try:
            async for event in self._events:
                match event:
                    case MultipartSegment(filename=str(name)) if name:
                        content = self._content()
                        yield name[:255], content
                        async for _ in content:  # what its taker has left
                            pass
                    case MultipartSegment():
                        self._fields.append((event.name, bytearray()))
                    case bytes() | bytearray():
                        self._take(event)
        except MultipartError as broken:
            raise _malformed(str(broken)) from broken

    def pairs(self) -> list[tuple[str, str]]:
        """The fields, as they were sent. Raises Invalid for what is no text."""
        try:
            return [(name, bytes(value).decode()) for name, value in self._fields]
        except UnicodeDecodeError as broken:
            raise _malformed("a field is not UTF-8") from broken

    async def _content(self) -> AsyncGenerator[bytes, None]:
        try:
            async for event in self._events:
                if not isinstance(event, bytes | bytearray):
                    return
                yield bytes(event)
        except MultipartError as broken:
            raise _malformed(str(broken)) from broken

    def _take(self, piece: bytes | bytearray) -> None:
        self._beside += len(piece)
        if self._beside > _TEXTS_BYTES:
            raise _malformed("there is too much beside its files")
        if self._fields:
            self._fields[-1][1].extend(piece)

    @staticmethod
    async def _read(
        parser: PushMultipartParser, body: AsyncIterable[bytes]
    ) -> AsyncGenerator[MultipartSegment | bytes | bytearray | None, None]:
        async for chunk in body:
            for event in parser.parse(chunk):
                yield event
        parser.close()


def files_form_of(content_type: str, body: AsyncIterable[bytes]) -> FilesForm:
    """A form that may bring several files. Raises Invalid `MALFORMED_FORM` for what says that it is none."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _malformed("the body is not multipart/form-data with a boundary")
    return FilesForm(PushMultipartParser(options["boundary"], max_segment_count=_MOST_PARTS), body)


def _malformed(what: str) -> Invalid:
    return Invalid(f"The form is not as expected: {what}.", code="MALFORMED_FORM")

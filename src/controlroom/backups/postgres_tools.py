"""pg_dump and pg_restore of the wheel (or of the folder that the settings name), told in a file whom to speak to.

Why a file: arguments are seen by every user of the machine.
"""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from controlroom.errors import Invalid, Unavailable
from controlroom.postgres.programs import ENVIRONMENT, bundled

_SERVICE: Final = "controlroom"
_TOLD: Final = 2000


class Tools:
    """The programs, and the database that they speak to."""

    def __init__(self, dsn: str, bin_dir: Path | None) -> None:
        self._dsn = dsn
        self._programs = bin_dir or bundled()

    def version(self) -> int:
        """Their major version. Raises Unavailable if they are not there."""
        said = self._run("pg_dump", "--version")
        found = re.search(r"\d+", said)  # `pg_dump (PostgreSQL) 18.6 (Debian 18.6-1)`, `19beta1`, `19devel`
        if found is None:
            raise Unavailable(f"pg_dump says no version: {said.strip()[:_TOLD]}", code="POSTGRES_TOOLS")
        return int(found[0])

    def dump(self, path: Path) -> None:
        """Write the whole database, as it is at one moment. Raises Unavailable with what pg_dump said."""
        self._run("pg_dump", "--format=custom", "--compress=gzip:6", "--no-owner", "--no-privileges", f"--file={path}")

    def restore(self, path: Path) -> None:
        """Bring a dump into an empty database, wholly or not at all. Raises Unavailable with what pg_restore said."""
        self._run(
            *("pg_restore", f"--dbname=service={_SERVICE}", "--no-owner", "--no-privileges", "--exit-on-error"),
            *("--single-transaction", str(path)),
        )

    def _run(self, program: str, *arguments: str) -> str:
        with self._service() as variables:
            try:
                done = subprocess.run(  # noqa: S603 - our own arguments
                    [self._programs / program, *arguments],
                    env=ENVIRONMENT | variables,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            except OSError as error:
                raise Unavailable(f"{program} cannot be run: {error.strerror}", code="POSTGRES_TOOLS") from error
        if done.returncode:
            said = done.stderr.strip()[-_TOLD:]
            raise Unavailable(f"{program} failed: {said or done.returncode}", code="POSTGRES_TOOLS")
        return done.stdout

    @contextlib.contextmanager
    def _service(self) -> Iterator[dict[str, str]]:
        with tempfile.NamedTemporaryFile("w", prefix="controlroom-service-") as file:  # mode 0600
            file.write(f"[{_SERVICE}]\n" + "".join(f"{name}={value}\n" for name, value in parameters(self._dsn)))
            file.flush()
            yield {"PGSERVICEFILE": file.name, "PGSERVICE": _SERVICE}


def check_can_dump(*, database: int, tools: int) -> None:
    """See that programs know a database, by their major versions: later ones know all earlier. Raises Invalid."""
    if database > tools:
        raise Invalid(
            f"the database is PostgreSQL {database}, and pg_dump here is of {tools}: name a folder of newer programs "
            "by CONTROLROOM_POSTGRES_BIN",
            code="BACKUP_TOOLS_OLD",
        )


def check_can_restore(*, backup: int, tools: int, database: int) -> None:
    """See that programs read a dump and a database takes it, by their major versions. Raises Invalid."""
    if backup > tools:
        raise Invalid(
            f"the backup is of PostgreSQL {backup}, and pg_restore here is of {tools}: name a folder of newer programs "
            "by CONTROLROOM_POSTGRES_BIN",
            code="BACKUP_TOOLS_OLD",
        )
    if backup > database:
        raise Invalid(
            f"the backup is of PostgreSQL {backup}, and the database is {database}: name a newer one",
            code="DATABASE_OLD",
        )


def parameters(dsn: str) -> list[tuple[str, str]]:
    """What libpq is told of an address. Raises Invalid for one that cannot be."""
    try:
        parts = urlsplit(dsn)
        found = {
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "host": unquote(parts.hostname or ""),
            "port": str(parts.port or ""),
            "dbname": unquote(parts.path.removeprefix("/")),
            **dict(parse_qsl(parts.query)),
        }
    except ValueError as wrong:
        raise Invalid(f"the database's address cannot be read: {wrong}", code="SETTINGS") from wrong
    if any("\n" in value for value in found.values()):
        raise Invalid("the database's address has a line feed in it", code="SETTINGS")
    return [(name, value) for name, value in found.items() if value]

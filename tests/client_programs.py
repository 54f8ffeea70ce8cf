"""Programs that somebody else wrote, each in an environment of its own, and a room with a dbt project for them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from rooms import Room, clean_environment, room

ORCHARD = Path(__file__).parents[1] / "examples" / "dbt-orchard"


def environment(folder: Path, *packages: str) -> Path:
    """Make an environment with some packages; its folder of programs."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", folder / "bin/python", *packages], check=True)
    return folder / "bin"


class Account(Struct, frozen=True):
    """What a client of the dbt Cloud grammar is told of a room."""

    room: Room
    ids: dict[str, Any]
    token: str

    @property
    def host(self) -> str:
        """Host and port of the address with TLS."""
        return str(self.room.facts["https_url"]).removeprefix("https://")

    def variables(self, **more: str) -> dict[str, str]:
        """What clients and our scripts of them find in their environment."""
        authority = str(self.room.facts["ca_file"])
        return clean_environment(
            REQUESTS_CA_BUNDLE=authority,
            SSL_CERT_FILE=authority,
            ROOM_HTTP=self.room.url,
            ROOM_HTTPS=str(self.room.facts["https_url"]),
            ROOM_HOST=self.host,
            ROOM_TOKEN=self.token,
            ACCOUNT=str(self.ids["account_id"]),
            PROJECT=str(self.ids["project_id"]),
            ENVIRONMENT=str(self.ids["environment_id"]),
            **more,
        )

    def ran(self, folder: Path, *words: object, seconds: float = 300, **variables: str) -> str:
        """What a program writes, run in a folder; it must end well."""
        done = subprocess.run(
            [*map(str, words)],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=folder,
            env=self.variables(**variables) | {"HOME": str(folder), "PATH": os.environ["PATH"]},
        )
        assert done.returncode == 0, f"{words[1:]}: {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
        return done.stdout


@contextmanager
def account() -> Iterator[Account]:
    """A room with TLS, where the example's dbt project is pushed, and a token that may do everything."""
    with room("--tls", "--slots", "2") as started:
        ids = started.json("dbt", "push", ORCHARD, "--name", "orchard")
        made = started.json("dbt", "tokens", "create", "clients", "--permission", "account_admin")
        yield Account(started, ids, made["token"])


def first_object(text: str) -> Any:
    """The first JSON object in what a program wrote."""
    return json.JSONDecoder().raw_decode(text[text.index("{") :])[0]

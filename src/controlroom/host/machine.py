"""This machine, as a user's own: it signs with their credentials, and runs what an assistant says."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import httpx2
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controlroom import trust
from controlroom.cli.errors import CommandFailed
from controlroom.errors import ControlRoomError
from controlroom.robots.archive import unpack
from controlroom.robots.definition import (
    RobotDefinition,
    command_line,
    find_task,
    fits_platform,
    folder_source,
    machine_name,
    read_robot_of,
    split_command,
)
from controlroom.robots.environments import read_environment
from controlroom.worker.artifacts import brought_in, left_in
from controlroom.worker.environments.cache import EnvironmentCache
from controlroom.worker.launch import Command

_BEAT_SECONDS: Final = 37.0  # as rcc does; the room forgives four minutes of silence
_TOKEN_SECONDS: Final = 25 * 3600
_CACHE_BYTES: Final = 10 << 30
_OAEP: Final = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)


class RunFailed(CommandFailed):
    """The robot did not run to a good end; `word` is what the room is told."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class Machine:
    """Speaks to the room with a user's credentials, to run assistants of one workspace."""

    def __init__(self, url: str, workspace: str, credentials: str, ca_file: str | None) -> None:
        identifier, colon, secret = credentials.partition(":")
        if not colon:
            raise CommandFailed("credentials have the form ID:SECRET")
        self._identifier, self._secret = identifier, secret.encode()
        self._workspace = workspace
        self._authorities = [Path(ca_file)] if ca_file else []
        self._http = httpx2.Client(base_url=url, verify=trust.context(*self._authorities), timeout=60)
        self._token = ""

    def __enter__(self) -> Self:
        path = f"/token-vendor-v1/workspaces/{self._workspace}/tokenrequest"
        body = json.dumps({"expiresIn": _TOKEN_SECONDS, "capabilitySet": "run/assistant"}).encode()
        self._token = self._answered(self._http.post(path, content=body, headers=self._signed("POST", path, body)))[
            "token"
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def assistants(self) -> list[dict[str, Any]]:
        """The assistants that may be run."""
        found: list[dict[str, Any]] = self._call("GET", "")
        return found

    def run(self, assistant: str, cache: Path) -> None:
        """Run an assistant here, and tell the room of it. Raises RunFailed."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
        answer = self._call(
            "POST", f"/{assistant}/runs", {"encryption": {"scheme": "rc-encryption-v1", "publicKey": pem}}
        )
        told = _opened(key, answer)
        base = f"/{assistant}/runs/{told['id']}"
        error = "UNKNOWN"
        try:
            with self._beating(base), tempfile.TemporaryDirectory(prefix="controlroom-assistant-") as folder:
                self._run(told, Path(folder), cache)
            error = "PASS"
        except RunFailed as failed:
            error = failed.word
            raise
        finally:
            self._call("PUT", f"{base}/complete", {"result": "OK" if error == "PASS" else "ERROR", "error": error})

    def _run(self, told: Mapping[str, Any], folder: Path, cache: Path) -> None:
        with _as("UNZIP_FAILURE"):
            archive = folder / "robot.zip"
            archive.write_bytes(self._package(told["robot"]))
            lies_in = told["robot"].get("folder")
            unpack(archive, folder / "robot", robot=lies_in)
            root, definition = read_robot_of(folder / "robot", lies_in)
            task = find_task(definition, told["robot"]["task"])
        artifacts = root / definition.artifacts_dir
        artifacts.mkdir(parents=True, exist_ok=True)
        brought = brought_in(artifacts)
        spec = read_environment(definition, folder_source(root))

        async def play() -> int:
            own = os.environ | trust.Bundle(cache / "authorities.pem", self._authorities).variables()
            environments = EnvironmentCache(cache, max_bytes=_CACHE_BYTES, own=own)
            async with environments.use(spec, progress=print) as environment:
                given, activated = told["config"]["environment"], environment.activate(own)
                variables = _variables(activated, given, root, artifacts, definition)
                fitting = [each for each in definition.pre_run_scripts if fits_platform(each, machine=machine_name())]
                for script in fitting:
                    with _as("SETUP_FAILURE"):
                        if await _play(split_command(script, "preRunScripts"), variables, root):
                            raise RunFailed("SETUP_FAILURE", f"the script `{script}` failed")
                with _as("ROBOT_FAILURE"):
                    return await _play(command_line(task, artifacts_dir=artifacts), variables, root)

        with _as("SETUP_FAILURE"):
            exit_code = asyncio.run(play())
        with _as("UPLOAD_FAILURE"):
            for left in left_in(artifacts, brought).artifacts:
                self._leave(told["config"]["artifactPostURL"], left.name, left.path)
        if exit_code:
            raise RunFailed("ROBOT_FAILURE", f"the robot ended with exit code {exit_code}")

    def _package(self, robot: Mapping[str, Any]) -> bytes:
        path = f"/robot-v1/workspaces/{self._workspace}/robots/{robot['id']}/file/downloadlink"
        link = self._answered(self._http.get(path, headers={"authorization": f"Bearer {self._token}"}))["uri"]
        content = self._http.get(link).raise_for_status().content
        if hashlib.sha256(content).hexdigest() != robot["sha256"]:
            raise RunFailed("UNZIP_FAILURE", "the robot changed while it was fetched: try again")
        return content

    def _leave(self, url: str, name: str, path: Path) -> None:
        body = {"fileName": name, "fileSize": str(path.stat().st_size)}
        post = self._answered(self._http.post(url, json=body))["response"]["postInfo"]
        with path.open("rb") as content:
            self._http.post(post["url"], data=post["fields"], files={"file": (name, content)}).raise_for_status()

    @contextlib.contextmanager
    def _beating(self, base: str) -> Iterator[None]:
        """Tell the room that the run goes on, while the block lasts."""
        ended = threading.Event()

        def beat() -> None:
            number = 0
            while not ended.wait(_BEAT_SECONDS):
                number += 1
                with contextlib.suppress(httpx2.HTTPError, CommandFailed):  # the next one may come through
                    self._call("POST", f"{base}/heartbeat", {"seq": number})

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _call(self, method: str, path: str, body: object = None) -> Any:
        url = f"/assistant-v1/workspaces/{self._workspace}/assistants{path}"
        return self._answered(
            self._http.request(method, url, json=body, headers={"authorization": f"RC_WST {self._token}"})
        )

    def _answered(self, answer: httpx2.Response) -> Any:
        if answer.is_success:
            return answer.json()
        try:
            message = str(answer.json()["message"])
        except (ValueError, KeyError, TypeError):
            message = f"the room answered {answer.status_code}"
        raise CommandFailed(message)

    def _signed(self, method: str, path: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        message = f"{method}\n{path}\napplication/json\n{now}\n{digest}".encode()
        signature = base64.b64encode(hmac.digest(self._secret, message, "sha256")).decode()
        return {
            "content-type": "application/json",
            "authorization-timestamp": now,
            "authorization": f"robocloud-hmac {self._identifier} {signature}",
        }


def _opened(key: rsa.RSAPrivateKey, answer: Mapping[str, Any]) -> dict[str, Any]:
    parts = {name: base64.b64decode(text) for name, text in answer["encryption"].items()}
    aes = AESGCM(key.decrypt(parts["encryptedAESKey"], _OAEP))
    found: dict[str, Any] = json.loads(
        aes.decrypt(parts["iv"], base64.b64decode(answer["payload"]) + parts["atag"], None)
    )
    return found


def _variables(
    activated: Mapping[str, str], given: Mapping[str, str], root: Path, artifacts: Path, definition: RobotDefinition
) -> dict[str, str]:
    """The user's own variables, with the environment, the robot's folders and the room's addresses on top."""
    variables = {**activated, **given}
    variables |= {"ROBOT_ROOT": str(root), "ROBOT_ARTIFACTS": str(artifacts), "PYTHONUNBUFFERED": "1"}
    for name, folders in (("PATH", definition.path), ("PYTHONPATH", definition.pythonpath)):
        front = [str(root / folder) for folder in folders]
        variables[name] = os.pathsep.join(part for part in (*front, variables.get(name, "")) if part)
    return variables


async def _play(words: list[str], variables: Mapping[str, str], root: Path) -> int:
    """Run a command before the user's eyes; its exit code."""
    command = Command.resolve(words, variables, root)
    process = await asyncio.create_subprocess_exec(
        *command.argv, cwd=command.working_folder, env=command.variables, stdin=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@contextlib.contextmanager
def _as(word: str) -> Iterator[None]:
    """Name a failure in the room's words."""
    try:
        yield
    except RunFailed:
        raise
    except (ControlRoomError, CommandFailed, httpx2.HTTPError, OSError) as failed:
        raise RunFailed(word, str(failed)) from failed

"""Calls the room as rcc does, written from the description of its wire (§8): signs, asks for tokens, decrypts."""

import base64
import hashlib
import hmac
import json
import time

import httpx2
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Rcc:
    """A machine with a user's pair of credentials."""

    def __init__(self, http: httpx2.AsyncClient, credentials: str) -> None:
        self.http = http
        self.identifier, self.secret = credentials.split(":")

    async def signed(
        self, method: str, path: str, body=None, *, now: float | None = None, **changed
    ) -> httpx2.Response:
        """Send a signed request; `changed` replaces what is sent after it was signed."""
        content = b"" if body is None else json.dumps(body, indent=2).encode()
        timestamp = str(int(time.time() if now is None else now))
        digest = base64.b64encode(hashlib.sha256(content or b"{}").digest()).decode()
        message = f"{method}\n{path}\napplication/json\n{timestamp}\n{digest}".encode()
        signature = base64.b64encode(hmac.digest(self.secret.encode(), message, "sha256")).decode()
        headers = {
            "content-type": "application/json",
            "authorization-timestamp": changed.get("timestamp", timestamp),
            "authorization": f"robocloud-hmac {self.identifier} {changed.get('signature', signature)}",
        }
        return await self.http.request(
            method, changed.get("sent_to", path), headers=headers, content=changed.get("content", content)
        )

    async def token(self, workspace, capability: str, seconds: int = 900) -> str:
        """A token for one thing in a workspace."""
        answer = await self.signed(
            "POST",
            f"/token-vendor-v1/workspaces/{workspace}/tokenrequest",
            {"expiresIn": seconds, "capabilitySet": capability},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]

    async def call(self, method: str, path: str, token: str, *, scheme: str = "Bearer", **options) -> httpx2.Response:
        """Send a request with a token."""
        return await self.http.request(method, path, headers={"authorization": f"{scheme} {token}"}, **options)


class Machine:
    """A machine's key, of which the room is told the public half."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def encryption(self) -> dict[str, str]:
        """What is sent."""
        pem = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        return {"scheme": "rc-encryption-v1", "publicKey": pem.decode()}

    def opened(self, answer: dict) -> dict:
        """What came back, decrypted."""
        parts = {name: base64.b64decode(text) for name, text in answer["encryption"].items()}
        oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
        key = self._key.decrypt(parts["encryptedAESKey"], oaep)
        assert len(parts["iv"]) == 12
        return json.loads(AESGCM(key).decrypt(parts["iv"], base64.b64decode(answer["payload"]) + parts["atag"], None))

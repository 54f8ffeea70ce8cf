"""What passwords are hashed by."""

import subprocess
import sys

_ASK = """
import asyncio
from controlroom.engine.access.passwords import hash_password
print(asyncio.run(hash_password("correct horse battery staple")))
"""


def test_passwords_are_hashed_as_the_rfc_recommends():
    """RFC 9106, the second option: argon2id, three passes over 64 MiB by four lanes; by a process of its own."""
    told = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True).stdout

    assert told.startswith("$argon2id$v=19$m=65536,t=3,p=4$")

"""Files that the worker keeps."""

import hashlib

import pytest

from controlroom.errors import Invalid
from controlroom.worker.dbt.kept_files import KeptFiles


async def test_files_are_kept_by_content(tmp_path):
    """They are fetched once; what arrives otherwise is refused and not kept; the longest unused go first."""
    files = KeptFiles(tmp_path / "kept", max_bytes=10)
    fetched = []

    async def fetch(content_hash, into):
        fetched.append(content_hash)
        into.write(b"12345678")

    key = hashlib.sha256(b"12345678").hexdigest()
    for _ in range(2):
        assert (await files.fetched(key, fetch)).read_bytes() == b"12345678"
    with pytest.raises(Invalid, match="did not arrive"):
        await files.fetched("0" * 64, fetch)
    with pytest.raises(Invalid):
        await files.fetched("../x", fetch)
    assert fetched == [key, "0" * 64]
    assert [entry.name for entry in (tmp_path / "kept").iterdir()] == [key]

    (tmp_path / "new").write_bytes(b"abcdef")
    files.keep("a name", tmp_path / "new")
    assert files.named("a name").read_bytes() == b"abcdef"
    assert not (tmp_path / "kept" / key).exists()
    assert files.named("another") is None

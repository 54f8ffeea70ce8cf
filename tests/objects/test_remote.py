"""What a bucket promises beyond the common contract."""

import pytest

from controlroom.errors import Invalid, Unavailable
from controlroom.objects.store import ObjectStore


@pytest.mark.parametrize(
    "url", ["ftp://host/place", "s3://bucket?colour=red", "https://host/bucket", "s3://", "memory://"]
)
def test_an_address_that_cannot_be_used_is_refused_at_once(url):
    """A mistake in the address is an error at start, which names the address."""
    with pytest.raises(Invalid) as failure:
        ObjectStore.open(url)

    assert failure.value.code == "OBJECTS_URL_INVALID"


async def test_a_bucket_that_is_not_there_is_not_ready(s3_url):
    """Readiness fails for a bucket that does not exist."""
    with pytest.raises(Unavailable) as failure:
        await ObjectStore.open(s3_url.replace("secret_access_key=", "secret_access_key=wrong-")).check()

    assert failure.value.code == "OBJECT_STORE_UNAVAILABLE"


async def test_prefixes_keep_stores_apart(s3_url):
    """Two rooms may share a bucket below different prefixes and see only their own."""
    address, _, query = s3_url.partition("?")
    ours, theirs = (ObjectStore.open(f"{address}/{prefix}?{query}") for prefix in ("ours", "theirs"))
    blob = await theirs.put_bytes(b"theirs")

    assert await ours.size(blob.hash) is None
    assert [entry async for entry in ours.hashes()] == []


async def test_options_may_come_as_keywords(s3_url):
    """What is not in the address can be given beside it, as settings do with secrets."""
    address, _, query = s3_url.partition("?")
    options = dict(pair.split("=", 1) for pair in query.split("&"))

    await ObjectStore.open(address, **options).check()

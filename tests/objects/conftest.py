"""Stores of both kinds: a folder, and a bucket of a SeaweedFS that is started for the session."""

from uuid import uuid4

import pytest

from controlroom.objects.store import ObjectStore
from seaweed import s3_service


@pytest.fixture(scope="session")
def s3_url():
    """An S3 service with an empty bucket; the address says everything that a store needs to open it."""
    with s3_service() as url:
        yield url


@pytest.fixture
def folder_store(tmp_path):
    """A store in a folder."""
    return ObjectStore.open(tmp_path / "objects")


@pytest.fixture
def bucket_store(s3_url):
    """A store in a bucket, below a prefix of its own."""
    address, _, query = s3_url.partition("?")
    return ObjectStore.open(f"{address}/{uuid4().hex}?{query}")


@pytest.fixture(params=["folder", "bucket"])
def store(request):
    """Each kind of store in turn: the same promises hold for both."""
    return request.getfixturevalue(f"{request.param}_store")

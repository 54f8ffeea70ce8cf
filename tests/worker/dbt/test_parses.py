"""What is kept of a parse tells the run that it is given to."""

import msgspec
import pytest

from controlroom.worker.dbt.parses import of_run


def test_a_kept_parse_tells_the_run_that_it_is_given_to(tmp_path):
    """Its variables are those of the run; all else stays byte for byte what it was."""
    before = {"metadata": {"env": {"DBT_CLOUD_RUN_ID": "3"}, "project_name": "shop"}, "nodes": {"a": [1, None, b"x"]}}
    (tmp_path / "kept").write_bytes(msgspec.msgpack.encode(before))

    copy = of_run(tmp_path / "kept", tmp_path / "copy", {"DBT_CLOUD_RUN_ID": "4"})

    after = msgspec.msgpack.decode(copy.read_bytes())
    assert after == before | {"metadata": {"env": {"DBT_CLOUD_RUN_ID": "4"}, "project_name": "shop"}}
    assert msgspec.msgpack.decode((tmp_path / "kept").read_bytes()) == before


@pytest.mark.parametrize(
    "content",
    [b"", b"\xc1", b"\x80", b"\x91" * 100_000, b"\x81\xa8metadata\x01", b"\x81\xa8metadata" + b"\x91" * 9_999],
)
def test_what_is_no_parse_stays_what_it_is(tmp_path, content):
    """A project may have left anything there."""
    (tmp_path / "kept").write_bytes(content)

    assert of_run(tmp_path / "kept", tmp_path / "copy", {}) == tmp_path / "kept"

"""Names of artifacts lead nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.dialects.worker_api.artifact_names import checked_artifact_name
from controlroom.errors import Invalid

part = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=40
).filter(lambda text: text not in {".", ".."})


@given(st.lists(part, min_size=1, max_size=5).map("/".join).filter(lambda name: name[1:2] != ":"))
def test_honest_names_stay_as_they_are(name):
    """A relative path of visible characters is kept."""
    assert checked_artifact_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/..",
        ".",
        "a//b",
        "a/",
        "C:/x",
        "c:x",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "x" * 256,
        "/".join(["x" * 200] * 6),
        "\ud800",
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(name):
    """Absolute, climbing, empty, overlong and unprintable names are none, on whatever system."""
    with pytest.raises(Invalid):
        checked_artifact_name(name)

"""The settings of a server, where reading them decides something."""

import pytest

from controlroom.errors import Invalid
from controlroom.settings import load


def test_how_new_the_world_may_be_is_checked_at_the_start():
    """A room whose moment is none does not start, and names the setting."""
    assert load(environment={"CONTROLROOM_EXCLUDE_NEWER": "2023-05-01"}).exclude_newer == "2023-05-01"
    with pytest.raises(Invalid, match="exclude_newer") as refused:
        load(environment={"CONTROLROOM_EXCLUDE_NEWER": "soon"})
    assert refused.value.code == "SETTINGS"

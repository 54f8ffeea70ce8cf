"""The sample dbt project is one that the room takes."""

import io
from pathlib import Path

from controlroom.robots.archive import read_robot_from_zip
from controlroom.robots.packing import pack

EXAMPLE = Path(__file__).parents[2] / "examples" / "dbt-orchard"


def test_the_sample_is_packed_and_read():
    """With all kinds of nodes that dbt has use for; what dbt runs of it is tried where dbt is."""
    out = io.BytesIO()
    names = pack(EXAMPLE, out)

    assert read_robot_from_zip(out)[1].is_project
    assert {Path(name).parts[0] for name in names} >= {"macros", "models", "seeds", "snapshots", "tests"}

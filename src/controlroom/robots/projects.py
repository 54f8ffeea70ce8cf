"""dbt_project.yml: packages without robot.yaml, whose commands are a job's and whose tasks are none.

Nothing of it is decided here that dbt decides: it must be a mapping with a name, so that whoever uploads something else
hears it at once. `{{ … }}` in its values is dbt's own matter.
"""

from typing import Final

from controlroom.robots.choosing import PROJECT_FILE
from controlroom.robots.definition import RobotDefinition, Source
from controlroom.robots.yaml_text import Mapping

REQUIREMENTS: Final = "requirements.txt"
_RESULTS: Final = "target"


def read_project(text: str, source: Source) -> RobotDefinition:
    """What a package with this dbt_project.yml is to those who run it. Raises Invalid (PACKAGE_INVALID).

    A `requirements.txt` beside it is its environment; without one it gets the usual one of its adapter.
    """
    top = Mapping.read(PROJECT_FILE, text)
    if not top.text("name").strip():
        top.refuse("name", "the project's name")
    own = (REQUIREMENTS,) if source(REQUIREMENTS) is not None else ()
    return RobotDefinition(
        tasks=(),
        dev_tasks=(),
        environment_configs=own,
        conda_config_file=None,
        pre_run_scripts=(),
        artifacts_dir=_RESULTS,
        path=(),
        pythonpath=(),
        ignore_files=(".gitignore",),
    )

"""The variables of a project's commands."""

import sample_projects as projects
from msgspec import structs

from controlroom.worker.dbt.variables import in_artifacts, is_flag, of_facts, of_project


def test_facts_are_told_by_their_names_and_for_artifacts():
    """Each stands twice: for `env_var()`, and for the metadata of artifacts."""
    found = of_project({}, projects.FACTS, {"PATH": "/bin"})

    assert found["DBT_CLOUD_RUN_ID"] == found["DBT_ENV_CUSTOM_ENV_DBT_CLOUD_RUN_ID"] == "4"
    assert in_artifacts(found) == of_facts(projects.FACTS)
    assert {name.removeprefix("DBT_CLOUD_"): value for name, value in of_facts(projects.FACTS).items()} == {
        "ACCOUNT_ID": "1",
        "PROJECT_ID": "2",
        "JOB_ID": "3",
        "RUN_ID": "4",
        "RUN_REASON": "because",
        "RUN_REASON_CATEGORY": "other",
        "ENVIRONMENT_ID": "5",
        "ENVIRONMENT_NAME": "Production",
        "ENVIRONMENT_TYPE": "prod",
        "INVOCATION_CONTEXT": "prod",
    }
    assert (found["PATH"], found["DBT_ENV"]) == ("/bin", "prod")


def test_a_pull_request():
    """Its number and commit are told, and that it is tried out."""
    facts = structs.replace(projects.FACTS, is_ci=True, pull_request=7, sha="abc", target_purpose=None)

    found = of_facts(facts)

    assert (found["DBT_CLOUD_PR_ID"], found["DBT_CLOUD_GIT_SHA"]) == ("7", "abc")
    assert (found["DBT_CLOUD_INVOCATION_CONTEXT"], found["DBT_CLOUD_ENVIRONMENT_TYPE"]) == ("ci", "")


def test_who_wins():
    """Facts win over people's own, the machine's over all; flags of dbt are left out."""
    own = {
        "DBT_COLOUR": "red",
        "DBT_CLOUD_RUN_ID": "forged",
        "PATH": "/evil",
        "DBT_TARGET_PATH": "/etc",
        "DBT_ENGINE_PROFILES_DIR": "/etc",
        "dbt_log_path": "/etc",
    }

    found = of_project(own, projects.FACTS, {"PATH": "/bin"})

    assert (found["DBT_COLOUR"], found["DBT_CLOUD_RUN_ID"], found["PATH"]) == ("red", "4", "/bin")
    assert not any(is_flag(name) for name in found)

"""`dbt deps` inside the sandbox: from a hub, an archive, a repository and a folder beside the project."""

import pytest

from dbt_hub import Hub

SECRET = "s3cret-of-ada"


def macro(name: str) -> dict[str, str]:
    """A package with a macro that says its name."""
    return {
        "dbt_project.yml": f"name: {name}\nversion: '1.0'\nconfig-version: 2\n",
        f"macros/{name}.sql": f"{{% macro said() %}}{name} says so{{% endmacro %}}\n",
    }


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with one package of each kind."""
    with Hub(tmp_path_factory.mktemp("hub")) as started:
        yield started


def test_packages_of_every_kind(opened, hub):
    """All of them are installed, found by the commands, and their secrets told to nobody; the second run is alike."""
    archive = hub.package("acme", "from_archive", "0.1.0", macro("from_archive"))
    hub.package("acme", "from_hub", "1.2.0", macro("from_hub"))
    repository = hub.repository("from_git", macro("from_git"))
    names = ("from_hub", "from_archive", "from_git", "from_folder")
    files = {
        "dbt_project.yml": "name: buyer\nprofile: buyer\nversion: '1.0'\n",
        "models/said.sql": "select " + ", ".join(f"'{{{{ {name}.said() }}}}' as {name}" for name in names),
        "packages.yml": f"""
packages:
  - package: acme/from_hub
    version: [">=1.0.0", "<2.0.0"]
  - tarball: "{archive}?token={{{{ env_var('DBT_ENV_SECRET_HUB') }}}}"
    name: from_archive
  - git: "{repository}"
    revision: v1
  - local: beside/from_folder
""",
    } | {f"beside/from_folder/{path}": text for path, text in macro("from_folder").items()}
    buyer = opened(files, name="buyer", steps=("dbt run",))
    said = ("dbt", "variables", "set", "--project", "buyer")
    buyer.room.cli(*said, "DBT_PACKAGE_HUB_URL", f"{hub.url}/")
    buyer.room.cli(*said, "DBT_ENV_SECRET_HUB", "@-", stdin=SECRET)

    for _ in range(2):
        ran = buyer.good(buyer.start())

        console = ran["run_steps"][2]["logs"]
        assert "acme/from_hub" in console
        assert "1.2.0" in console
        manifest = buyer.artifact(ran["id"], "manifest.json")
        compiled = manifest["nodes"]["model.buyer.said"]["compiled_code"]
        assert all(f"'{name} says so' as {name}" in compiled for name in names)
        assert not any(SECRET in step["logs"] for step in ran["run_steps"])
        assert SECRET not in str(manifest)
    assert any(path.endswith(f"?token={SECRET}") for path in hub.asked)
    assert "/from_git.git/info/refs?service=git-upload-pack" in hub.asked


def test_a_package_that_is_not_there(opened, hub):
    """The step of deps fails with dbt's words, and the rest is skipped."""
    files = {
        "dbt_project.yml": "name: hoping\nprofile: hoping\nversion: '1.0'\n",
        "models/one.sql": "select 1 as id",
        "packages.yml": f"packages: [{{git: '{hub.url}/nothing.git', revision: main}}]\n",
    }
    hoping = opened(files, name="hoping")

    found = hoping.ended(hoping.start())

    assert found["status"] == 20
    assert [step["status_humanized"] for step in found["run_steps"]] == ["Success", "Success", "Error", "Skipped"]
    assert "nothing.git" in found["run_steps"][2]["logs"]

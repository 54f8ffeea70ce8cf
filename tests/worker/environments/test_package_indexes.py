"""Where builds find packages."""

from pathlib import Path

import pytest

from controlroom.worker.environments.package_indexes import readable_paths, variables, without_credentials


def test_secrets_of_the_worker_do_not_reach_builds(tmp_path):
    """Only what says where packages come from is passed on."""
    own = {
        "CONTROLROOM_LINK_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "UV_PUBLISH_TOKEN": "secret",
        "UV_INDEX_ACME_PASSWORD": "for the index",
        "HTTPS_PROXY": "http://proxy.example",
    }
    passed = variables(own, home=tmp_path)
    assert "secret" not in passed.values()
    assert passed["UV_INDEX_ACME_PASSWORD"] == "for the index"
    assert passed["HTTPS_PROXY"] == "http://proxy.example"


def test_pip_settings_are_said_in_uvs_words(tmp_path):
    """A machine that is set up for pip needs nothing else, and uv's own settings win."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://a.example/simple\nextra-index-url =\n    https://b.example/simple\n    https://c.example/s\n"
    )
    passed = variables({"PIP_FIND_LINKS": "/wheels /more"}, home=tmp_path)
    assert passed["UV_DEFAULT_INDEX"] == "https://a.example/simple"
    assert passed["UV_INDEX"] == "https://b.example/simple https://c.example/s"
    assert passed["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert passed["UV_FIND_LINKS"] == "/wheels,/more"

    assert variables({"PIP_INDEX_URL": "https://p.example"}, home=tmp_path)["UV_DEFAULT_INDEX"] == "https://p.example"
    older = variables({"UV_INDEX_URL": "https://u.example"}, home=tmp_path)
    assert "UV_DEFAULT_INDEX" not in older


def test_broken_pip_file_is_passed_over(tmp_path):
    """What pip would complain about does not stop a build."""
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("index-url = nonsense without section")
    assert isinstance(variables({}, home=tmp_path), dict)


def test_uv_configuration_of_the_user_is_used(tmp_path):
    """The user's uv.toml is named to the build, whose home folder is another."""
    configuration = tmp_path / ".config" / "uv" / "uv.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("")
    assert variables({}, home=tmp_path)["UV_CONFIG_FILE"] == str(configuration)


def test_local_places_are_readable_in_the_sandbox(tmp_path):
    """Folders of wheels and indexes on this machine are shown to the build, remote ones are not folders."""
    wheels, index = tmp_path / "wheels", tmp_path / "index"
    wheels.mkdir()
    index.mkdir()
    named = {"UV_FIND_LINKS": f"{wheels},https://w.example", "UV_INDEX": f"file://{index} acme=https://x.example"}
    assert readable_paths(named) == tuple(sorted([wheels, index]))
    assert readable_paths({"UV_INDEX": f"local=file://{index}"}) == (Path(index),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from https://ada:pass@index.example/simple", "from https://‹secret›@index.example/simple"),  # noqa: RUF001 - ours
        ("see https://index.example/a@b", "see https://index.example/a@b"),
        ("no address", "no address"),
    ],
)
def test_credentials_in_addresses_are_masked(text, expected):
    """What stands between the scheme and the at sign is shown to nobody."""
    assert without_credentials(text) == expected

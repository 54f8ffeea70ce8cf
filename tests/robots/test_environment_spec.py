"""Environment files of all forms: what they wish, what is refused, and when two wish the same."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.errors import Invalid
from controlroom.robots.environment_spec import (
    NO_ENVIRONMENT,
    EnvironmentSpec,
    Source,
    fingerprint,
    parse_environment,
)

CONDA = """
name: mine
channels:
  - conda-forge
dependencies:
  - python=3.11.9
  - uv=0.4.17
  - pip=23.2
  - nodejs=20
  - conda-forge::git>=2.40
  - pip:
      - rpaframework==28.6.0
      - robocorp[all]>=1,<3 ; python_version > "3.9"
rccPostInstall:
  - rfbrowser init
"""

PACKAGE = """
dependencies:
  conda-forge:
    - python=3.11.9
    - uv=0.4.17
  pypi:
    - rpaframework=28.6.0
    - robocorp>=1
    - requests==2.32
    - pandas~=2.0
    - tomli=2.0.1; python_version<"3.11"
    - mine @ https://example.com/mine.whl#sha256=abc
dev-dependencies:
  pypi: [ruff=0.1]
post-install:
  - rfbrowser init
"""

REQUIREMENTS = """\ufeff
# comment
--extra-index-url https://example.com/simple#fragment
rpaframework==28.6.0 \\
    --hash=sha256:aaa \\
    --hash=sha256:bbb
robocorp >= 1   # why
-i https://example.com/simple

mine @ git+https://example.com/mine@v1#egg=mine
"""

PYPROJECT = """
[project]
name = "mine"
requires-python = ">=3.10, <3.13"
dependencies = ["rpaframework==28.6.0", "robocorp"]
[tool.ruff]
line-length = 100
"""


def test_conda_yaml():
    """conda.yaml: tools are told from packages; python becomes a wish; pip and post-install are read."""
    assert parse_environment("conda.yaml", CONDA) == EnvironmentSpec(
        source=Source.CONDA_YAML,
        channels=("conda-forge",),
        conda=("nodejs=20", "conda-forge::git>=2.40"),
        python="3.11.9",
        pip=("rpaframework==28.6.0", 'robocorp[all]>=1,<3 ; python_version > "3.9"'),
        post_install=("rfbrowser init",),
    )


def test_package_yaml():
    """package.yaml: a single = of pypi becomes ==, everything else stays; development's packages are left out."""
    assert parse_environment("sub/package.yaml", PACKAGE) == EnvironmentSpec(
        source=Source.PACKAGE_YAML,
        channels=("conda-forge",),
        python="3.11.9",
        pip=(
            *("rpaframework==28.6.0", "robocorp>=1", "requests==2.32", "pandas~=2.0"),
            *('tomli==2.0.1; python_version<"3.11"', "mine @ https://example.com/mine.whl#sha256=abc"),
        ),
        post_install=("rfbrowser init",),
    )


def test_requirements_txt():
    """requirements.txt: comments go, continued lines are joined, hashes and options stay."""
    spec = parse_environment("requirements.txt", REQUIREMENTS)

    assert spec == EnvironmentSpec(
        source=Source.REQUIREMENTS,
        pip=(
            "--extra-index-url https://example.com/simple#fragment",
            "rpaframework==28.6.0 --hash=sha256:aaa --hash=sha256:bbb",
            "robocorp >= 1",
            "-i https://example.com/simple",
            "mine @ git+https://example.com/mine@v1#egg=mine",
        ),
    )
    assert spec.requirements.splitlines() == list(spec.pip)


def test_pyproject_toml():
    """pyproject.toml: the project's dependencies and its wish for Python."""
    assert parse_environment("pyproject.toml", PYPROJECT) == EnvironmentSpec(
        source=Source.PYPROJECT, python=">=3.10,<3.13", pip=("rpaframework==28.6.0", "robocorp")
    )


def test_a_frozen_file_is_told_by_its_name():
    """A frozen environment is a conda.yaml whose name says that it is frozen."""
    spec = parse_environment(
        "environment_linux_amd64_freeze.yaml",
        "channels: [conda-forge]\ndependencies:\n- bzip2=1.0.8=hd590300_5\n- python=3.11.9=h1_cpython\n- pip: [a==1]",
    )

    assert spec.source is Source.FREEZE
    assert spec.python == "3.11.9"
    assert spec.conda == ("bzip2=1.0.8=hd590300_5", "python=3.11.9=h1_cpython")


@pytest.mark.parametrize(
    ("entry", "wish"),
    [
        ("python", None),
        ("python *", None),
        ("python=*", None),
        ("python=3.11.9", "3.11.9"),
        ("python==3.11.9", "3.11.9"),
        ("python=3.11", "3.11"),
        ("python=3.11.*", "3.11"),
        ("python=3.10", "3.10"),
        ("python 3.11", "3.11"),
        ("python=3", "3"),
        ("python >=3.10", ">=3.10"),
        ("python>=3.10,<3.12", ">=3.10,<3.12"),
        ("python=3.11.9=*_cpython", "3.11.9"),
        ("conda-forge::python=3.11", "3.11"),
        ("python[version='>=3.10']", ">=3.10"),
        ("python[version='3.11.*', build='*_cpython']", "3.11"),
        ("python[version=3.11,channel=conda-forge]", "3.11"),
        ("python>=3.7,<4|2.7.*", ">=3.7,<4|2.7.*"),
        ("python = 3.11", "3.11"),
        ('python=3.11", "python=3.11', "3.11"),
        ("python <3.13.0rc1", "<3.13.0rc1"),
        ("Python=3.11", "3.11"),
    ],
)
def test_wishes_for_python(entry, wish):
    """Every way to ask for a Python in a conda file gives a version, a beginning of one, or a condition."""
    spec = parse_environment("conda.yaml", f'dependencies: ["{entry}"]')

    assert spec.python == wish
    assert spec.is_pip_only


@pytest.mark.parametrize(
    ("text", "is_pip_only"),
    [
        ("dependencies: [python=3.11, pip, uv=0.4, {pip: [x]}]", True),
        ("dependencies: [{pip: [x]}]", True),
        ("dependencies: []", True),
        ("dependencies: [python, nodejs]", False),
        ("dependencies: [python-magic]", False),
        ("dependencies: [python-dateutil]", True),
        ("dependencies: [python=3.10.12, pip=23.2.1, robocorp-truststore=0.8.0, {pip: [x]}]", True),
        ("dependencies: [robocorp-truststore=0.8.0, nodejs]", False),
        ("dependencies: [robocorp-truststore=0.8.0]\nchannels: [conda-forge, defaults]", True),
        ("dependencies: [setuptools, wheel=0.40, pip]\nchannels: [conda-forge, nodefaults]", True),
        ("dependencies: [robocorp-truststore=0.8.0]\nchannels: [https://example.com/channel]", False),
        ("dependencies: [robocorp-truststore=0.8.0=py_0]", False),
        ("dependencies: ['robocorp-truststore=0.8|0.9']", False),
        ("dependencies: ['conda-forge::robocorp-truststore']", False),
        ("dependencies: [python=3.11.9=h955ad1f_0_cpython]", False),
        ("dependencies: ['python=3.11.*=*_cpython']", True),
        ("dependencies: ['python=3.9.*=*_73_pypy']", False),
        ("dependencies: ['conda-forge::python=3.11']\nchannels: [conda-forge]", True),
        ("dependencies: ['mine::python=3.11']\nchannels: [conda-forge]", False),
        ("dependencies: ['python[subdir=linux-64]']", False),
        ("dependencies: [{pip: [x]}]\nchannels: [https://example.com/channel]", True),
        ("dependencies: [_libgcc_mutex=0.1=conda_forge]", False),
    ],
)
def test_tools_are_no_conda_packages(text, is_pip_only):
    """python, pip and uv are the builder's tools; what the package index has, too, needs no conda; the rest does."""
    assert parse_environment("conda.yaml", text).is_pip_only is is_pip_only


def test_nodefaults_is_no_channel():
    """It is a word to conda itself, and searched nowhere."""
    assert parse_environment("conda.yaml", "channels: [mine, nodefaults]\ndependencies: [a]").channels == ("mine",)
    assert parse_environment("conda.yaml", "channels: [nodefaults]\ndependencies: [a]").channels == ("conda-forge",)


def test_packages_that_the_package_index_has_go_there():
    """What is wished of conda's package is wished of the index's."""
    spec = parse_environment(
        "conda.yaml",
        "dependencies: [python=3.10, robocorp-truststore=0.8.0, 'requests >=2,<3', pytz==2023.3, {pip: [x]}]",
    )

    assert spec.conda == ()
    assert spec.pip == ("robocorp-truststore==0.8.0.*", "requests>=2,<3", "pytz==2023.3", "x")


def test_a_build_of_python_is_kept_for_the_solver():
    """Where conda packages are wished, the solver learns all that is wished of Python."""
    spec = parse_environment("conda.yaml", "dependencies: ['python=3.11.*=*_cpython', nodejs]")

    assert spec.conda == ("nodejs", "python=3.11.*=*_cpython")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("conda.yaml", "", "conda.yaml is empty"),
        ("conda.yaml", "dependencies: [python=2.7]", "Python 2.7 is asked for; robots run with Python 3.6 and later"),
        ("conda.yaml", "dependencies: ['python<3']", "Python <3 is asked for; robots run with Python 3.6 and later"),
        ("conda.yaml", "dependencies: [\"python[version='2.7.18']\"]", "Python 2.7.18 is asked for"),
        ("package.yaml", "dependencies: {conda-forge: [python=2.7.18]}", "Python 2.7.18 is asked for"),
        ("conda.yaml", "dependencies: ['https://a.b/linux-64/python-2.7.15-h_1.conda']", "Python 2.7.15 is asked for"),
        ("conda.yaml", "dependencies: ['python[fn=python-2.7.15-h_1.conda]']", "Python 2.7.15 is asked for"),
        ("pyproject.toml", "[project]\nrequires-python = '>=2.7,<3'", "Python >=2.7,<3 is asked for"),
        ("conda.yaml", "dependencies: [python=latest]", "`latest` is no version of Python"),
        ("conda.yaml", "dependencies: ['python[version>=3]']", "brackets that are not of the form"),
        ("conda.yaml", "dependencies: ['python[features=x]']", "the key `features` in its brackets"),
        ("conda.yaml", "dependencies: ['pip[nonsense]']", "brackets that are not of the form"),
        ("conda.yaml", "dependencies: [python=3.8, python=3.9]", "`python` stands twice"),
        ("conda.yaml", "dependencies: ['numpy 1.2 <2']", "conditions are joined by commas"),
        ("pyproject.toml", "[project]\nrequires-python = 'new'", "`new` is no version of Python"),
        ("conda.yaml", "channels: [x]", "`dependencies` must be a list of packages"),
        ("conda.yaml", "dependencies: python", "line 1: `dependencies` must be a list"),
        ("conda.yaml", "dependencies:\n- npm: [x]", "line 2: `dependencies[0].npm` must be left out"),
        ("conda.yaml", "dependencies:\n- pip: x", "`dependencies[0].pip` must be a list"),
        ("conda.yaml", "dependencies: ['--evil']", "`--evil` is no conda package"),
        ("conda.yaml", "dependencies: ['']", "is no conda package"),
        ("conda.yaml", "dependencies: [{pip: [-r requirements.txt]}]", "points to a file beside it"),
        ("conda.yaml", 'dependencies: [{pip: ["a\\nb"]}]', "must be one line"),
        ("conda.yaml", "dependencies: [", "line 1: this is no valid YAML"),
        ("package.yaml", "dependencies: {npm: [x]}", "`dependencies.npm` must be left out"),
        ("package.yaml", "dependencies: {pypi: x}", "`dependencies.pypi` must be a list"),
        ("requirements.txt", "-r other.txt", "points to a file beside it"),
        ("requirements.txt", "-rother.txt", "points to a file beside it"),
        ("requirements.txt", "--requirement=other.txt", "points to a file beside it"),
        ("requirements.txt", "-c constraints.txt", "points to a file beside it"),
        ("requirements.txt", "--find-links ./wheels", "points to a file beside it"),
        ("requirements.txt", "-e .", "points to a file beside it"),
        ("requirements.txt", "./wheels/mine.whl", "points to a file beside it"),
        ("requirements.txt", ".", "points to a file beside it"),
        ("requirements.txt", "/wheels/mine.whl", "points to a file beside it"),
        ("requirements.txt", "mine @ file:///wheels/mine.whl", "points to a file beside it"),
        ("requirements.txt", "mine @ ./mine", "points to a file beside it"),
        ("requirements.txt", "a\0b", "no text file"),
        ("pyproject.toml", "[project", "no valid TOML"),
        ("pyproject.toml", "[tool.poetry]\nname = 'x'", r"no [project] table"),
        ("pyproject.toml", "project = 1", r"no [project] table"),
        ("pyproject.toml", "[project]\ndynamic = ['dependencies']", "is dynamic"),
        ("pyproject.toml", "[project]\ndynamic = 3", "`project.dynamic` must be a list"),
        ("pyproject.toml", "[project]\nrequires-python = 3.11", "`project.requires-python` must be a text"),
        ("pyproject.toml", "[project]\ndependencies = [1]", "`project.dependencies` must be a list of texts"),
        ("pyproject.toml", "[project]\ndependencies = ['mine @ file:///x']", "points to a file beside it"),
        ("setup.cfg", "x", "an environment file is a .yaml"),
    ],
)
def test_a_refusal_says_what_to_mend(name, text, said):
    """A file that cannot be understood, or needs others beside it, is refused in words for its author."""
    with pytest.raises(Invalid) as failure:
        parse_environment(name, text)

    assert failure.value.code == "PACKAGE_INVALID"
    assert said in str(failure.value)
    assert name in str(failure.value)


def is_spec_or_invalid(name, text):
    """Whether reading ends in one of the two ways it may; any other failure comes out."""
    try:
        parse_environment(name, text)
    except Invalid as failure:
        return failure.code == "PACKAGE_INVALID"
    return True


@given(
    name=st.sampled_from(["conda.yaml", "package.yaml", "requirements.txt", "pyproject.toml"]),
    text=st.text()
    | st.text(alphabet="dependencies:[]{}-= \n'\"pip@#")
    | st.lists(st.text()).map(lambda entries: f"dependencies: {entries}")
    | st.text().map(lambda text: f"[project]\n{text}"),
)
def test_any_text_is_an_environment_or_invalid(name, text):
    """Nothing but Invalid is ever raised by a text."""
    assert is_spec_or_invalid(name, text)


def print_of(text, name="conda.yaml", platform="linux_amd64", builder_version="1"):
    """The fingerprint of an environment file."""
    return fingerprint(parse_environment(name, text), platform=platform, builder_version=builder_version)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("conda.yaml", "# why\ndependencies:\n  - pip: [b==2, a==1]\n  - python=3.11\nname: other"),
        ("conda.yaml", "dependencies: [pip=23, uv, python==3.11, {pip: [a==1, b==2]}]\nchannels: [mine]"),
        ("package.yaml", "dependencies: {pypi: [a=1, b=2], conda-forge: [python=3.11]}"),
    ],
)
def test_equal_wishes_have_one_fingerprint(name, text):
    """Comments, order, names, the versions of the tools, the form of the file: none makes another environment."""
    assert print_of(text, name) == print_of("dependencies: [python=3.11, {pip: [a==1, b==2]}]")


def test_different_wishes_have_different_fingerprints():
    """Whatever changes what is installed changes the fingerprint."""
    base = "dependencies: [python=3.11, {pip: [a==1]}]"
    prints = [
        print_of(base),
        print_of(base, platform="linux_arm64"),
        print_of(base, builder_version="2"),
        print_of(base.replace("3.11", "3.12")),
        print_of(base.replace("a==1", "a==2")),
        print_of(base.replace("a==1", "a==1, b")),
        print_of(base.replace("python=3.11", "python=3.11, a==1").replace("{pip: [a==1]}", "{pip: []}")),
        print_of(base + "\nrccPostInstall: [x, y]"),
        print_of(base + "\nrccPostInstall: [y, x]"),
        print_of(base.replace("[python", "[nodejs, python") + "\nchannels: [a, b]"),
        print_of(base.replace("[python", "[nodejs, python") + "\nchannels: [b, a]"),
        print_of("--pre\na==1", "requirements.txt"),
        fingerprint(NO_ENVIRONMENT, platform="linux_amd64", builder_version="1"),
    ]

    assert all(one != other for one, other in itertools.combinations(prints, 2))

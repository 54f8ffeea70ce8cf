"""YAML as all files of a robot are read: the merge key in each of them."""

import json
import time

import pytest

from controlroom.errors import Invalid
from controlroom.robots.definition import Shell, parse_robot
from controlroom.robots.environment_spec import parse_environment
from controlroom.robots.interfaces import parse_interfaces
from controlroom.robots.yaml_text import Mapping

ROBOT = """
base: &base
  shell: python main.py
all: &all
  First: *base
  Second: {shell: python second.py}
tasks:
  <<: *all
  Second:
    <<: *base
    shell: python mine.py
artifactsDir: output
"""


def test_merged_keys_of_a_robot():
    """What is merged is there; what stands beside it wins."""
    tasks = {task.name: task.start for task in parse_robot(ROBOT).tasks}

    assert tasks == {"First": Shell("python main.py"), "Second": Shell("python mine.py")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "conda.yaml",
            "base: &base {dependencies: [python=3.11, {pip: [a]}], channels: [x]}\n<<: *base\nchannels: [y]",
        ),
        ("conda.yaml", "p: &p {pip: [a]}\ndependencies: [python=3.11, {<<: *p}]\nchannels: [y]"),
        ("package.yaml", "d: &d {conda-forge: [python=3.11]}\ndependencies: {<<: *d, pypi: [a]}"),
        ("package.yaml", "d: &d {conda-forge: [python=3.11]}\ne: &e {pypi: [a]}\ndependencies: {<<: [*d, *e]}"),
    ],
)
def test_merged_keys_of_an_environment(name, text):
    """Environment files of every form are merged."""
    spec = parse_environment(name, text)

    assert (spec.python, spec.pip) == ("3.11", ("a",))
    assert spec.channels == (("y",) if name == "conda.yaml" else ("conda-forge",))


def test_merged_keys_of_interfaces():
    """controlroom.yaml is merged, down to the values of defaults."""
    text = """
    common: &common {name: {type: string}, limits: {type: object, default: {<<: &low {low: 1}, high: 2}}}
    tasks: {main: {inputs: {<<: *common, more: integer}}}
    """
    inputs = {parameter.name: parameter for parameter in parse_interfaces(text)["main"].inputs}

    assert inputs.keys() == {"name", "limits", "more"}
    assert inputs["limits"].default == {"low": 1, "high": 2}


def test_of_two_merged_mappings_the_first_wins():
    """As YAML 1.1 has it; and a quoted `<<` is a key like any other."""
    top = Mapping.read("a.yaml", "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {'<<': 4}")

    assert {key: top.mapping("c").text(key) for key in top.mapping("c")} == {"x": "1", "y": "1", "z": "3"}
    assert top.mapping("d").text("<<") == "4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a\n  <<: *a", "line 2: `<<` merges a mapping into itself"),
        ("a: &a {b: {<<: *a}}", "merges a mapping into itself"),
        ("<<: text", "line 1: `<<` must be a mapping or a list of mappings"),
        ("<<: [{}, 1]", "must be a mapping or a list of mappings"),
        ("a: {x: 1, x: 2}\nb: {<<: {y: 1}, z: 1, z: 2}", "the key `z` stands twice"),
        (
            "a: &a {k: v}\n" * 1 + "".join(f"a{i}: &a{i} {{<<: *a{i - 1 or ''}, k{i}: v}}\n" for i in range(1, 5000)),
            "too much",
        ),
    ],
)
def test_merges_that_are_refused(text, said):
    """What cannot be merged, or would grow without bound, is refused, and soon."""
    began = time.process_time()
    with pytest.raises(Invalid) as refused:
        Mapping.read("a.yaml", text).mapping("b").text("b")

    assert said in refused.value.message
    assert time.process_time() - began < 30  # a bound against the square, not a figure


def test_escapes_as_json_has_them_are_one_character():
    """A file that a JSON library wrote: a character beyond the 65,536 first is two escapes there."""
    text = json.dumps({"tasks": {"\U0001f600": {"shell": "echo \U0001f680 ä"}}, "artifactsDir": "o"})

    assert [(task.name, task.start) for task in parse_robot(text).tasks] == [("\U0001f600", Shell("echo \U0001f680 ä"))]


@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"\ude00\ud83d"])
def test_half_a_character_is_refused_in_every_file(half):
    """Nothing could write it, or send it."""
    with pytest.raises(Invalid, match=r"conda.yaml, line 2: this is no valid YAML: an escape .* is half a character"):
        parse_environment("conda.yaml", f'channels: [x]\ndependencies: [python, "{half}"]')
    with pytest.raises(Invalid, match="is half a character"):
        parse_interfaces(f'tasks: {{main: {{inputs: {{name: {{type: string, default: "{half}"}}}}}}}}')

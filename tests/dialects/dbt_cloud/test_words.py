"""What the engine calls things becomes what this grammar calls them."""

import re

import pytest

from controlroom.dialects.dbt_cloud.words import field_of, told


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("there is a target 'target' already", "there is an environment 'target' already"),
        ("a target's name is not empty", "an environment's name is not empty"),
        ("Targets and a workspace", "Environments and a project"),
        ("a log-in for postgres does not fit", "credentials for postgres does not fit"),
        ("the package is used by the process X", "the repository is used by the job X"),
        ("at most 5 processes", "at most 5 jobs"),
        ("options such as --target or target_name stay", "options such as --target or target_name stay"),
        ("the permission targets.read in /targets", "the permission targets.read in /targets"),
        ("the organization's phases.", "the account's steps."),
        ("A process is one. An organization too", "A job is one. An account too"),
        ("see https://example.org/process of it", "see https://example.org/process of it"),
        ("nothing of ours", "nothing of ours"),
    ],
)
def test_sentences_have_the_nouns_of_the_grammar(said, wanted):
    """With their articles; what is quoted, an option, a permission or an address stays."""
    assert told(said) == wanted
    assert told(wanted) == wanted or "target" in wanted


@pytest.mark.parametrize(
    ("code", "field", "keys", "name"),
    [
        ("TARGET_INVALID", "purpose", {"deployment_type"}, "deployment_type"),
        ("CONNECTION_INVALID", "host", {"config", "name"}, "config.hostname"),
        ("NAME_INVALID", "", {"key"}, "key"),
        ("VARIABLE_INVALID", "value", {"raw_value"}, "raw_value"),
        ("VARIABLE_INVALID", "value", {"env_var"}, "env_var"),
        ("COMMAND_REFUSED", "", {"steps_override"}, "steps_override"),
        ("TARGET_INVALID", "purpose", {"name"}, None),
        ("TARGET_INVALID", "unheard_of", {"unheard_of"}, None),
        ("UNHEARD_OF", "name", {"name"}, None),
    ],
)
def test_a_field_is_named_as_it_was_sent(code, field, keys, name):
    """By a key that the body may have; a name of the engine that is not known is told to nobody."""
    assert field_of(code, field, keys) == name


def test_no_noun_of_the_engine_is_left():
    """Whichever it is, however it is written."""
    nouns = ["log-in", "notice", "organization", "package", "phase", "process", "target", "workspace"]
    text = told(" and ".join(f"a {noun}, {noun}s, {noun.capitalize()}" for noun in nouns if noun != "process"))

    assert not re.search("|".join(nouns), text, re.IGNORECASE)

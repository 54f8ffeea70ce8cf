"""Bodies as clients of this grammar write them."""

import pytest

from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.reading import body_as_json, read_body
from controlroom.errors import Invalid


class Trigger(Shape, frozen=True, kw_only=True):
    cause: str = ""
    threads_override: int | None = None
    generate_docs_override: bool | None = None
    steps_override: tuple[str, ...] = ()


class Job(Shape, frozen=True, kw_only=True):
    name: str
    project_id: int
    trigger: Trigger = Trigger()


WANTED = Trigger(cause="Nightly", threads_override=4, generate_docs_override=True, steps_override=("dbt build",))
MULTIPART = b"".join(
    b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % each
    for each in (
        (b"cause", b"Nightly"),
        (b"threads_override", b"4"),
        (b"generate_docs_override", b"true"),
        (b"steps_override", b"dbt build"),
    )
)
JSON = (
    b'{"cause": "Nightly", "threads_override": "4", "generate_docs_override": true, "job_id": 7,'
    b' "steps_override": "dbt build"}'
)
FORM = b"cause=Nightly&threads_override=4&generate_docs_override=True&steps_override=dbt+build"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", JSON),
        ("application/x-www-form-urlencoded", JSON),
        ("application/x-www-form-urlencoded", FORM),
        ("application/x-www-form-urlencoded; charset=utf-8", FORM.replace(b"steps_override", b"steps_override%5B%5D")),
        ("", FORM),
        ("multipart/form-data; boundary=b", MULTIPART + b"--b--\r\n"),
    ],
)  # fmt: skip
def test_a_body_is_read_whichever_way_it_came(kind, body):
    """As JSON, also under the type of a form; as either kind of form, whose values are texts (§1.1, corrections)."""
    assert read_body(body_as_json(kind, body), Trigger) == WANTED


def test_repeated_keys_of_a_form_are_a_list():
    """As one client sends its steps."""
    body = body_as_json("application/x-www-form-urlencoded", b"steps_override=dbt+seed&steps_override=dbt+build")

    assert read_body(body, Trigger).steps_override == ("dbt seed", "dbt build")


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b" null\n"])
@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded"])
def test_nothing_is_nothing(kind, body):
    """An empty body, and null (§0.10)."""
    assert body_as_json(kind, body) == b""


def test_nulls_are_as_good_as_left_out():
    """Explicit ones (§0.11)."""
    body = b'{"cause": null, "threads_override": null, "steps_override": null}'

    assert read_body(body, Trigger) == Trigger()


def test_each_field_that_is_wrong_is_told():
    """By its name, in one answer; those that are missing likewise (§1.4)."""
    with pytest.raises(FieldsWrong) as wrong:
        read_body(b'{"name": {}, "project_id": "x", "trigger": {"threads_override": []}}', Job)
    with pytest.raises(FieldsWrong) as missing:
        read_body(b"{}", Job)

    assert wrong.value.fields["faults"] == {
        "name": "a text",
        "project_id": "a number",
        "trigger.threads_override": "a whole number",
    }
    assert missing.value.fields["faults"].keys() == {"name", "project_id"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"cause"),
        ("multipart/form-data; boundary=b", b"--c"),
        ("application/x-www-form-urlencoded", b"cause=\xff"),
    ],
)
def test_what_is_no_body_is_refused(kind, body):
    """As Invalid, which becomes 400."""
    with pytest.raises(Invalid):
        read_body(body_as_json(kind, body), Trigger)

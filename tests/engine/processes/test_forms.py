"""What a form asks, and what answers it."""

import pytest
from msgspec import Raw

from controlroom.engine.processes.forms import AnswerWrong, FieldKind, Form, FormField, FormInvalid, check_form, filled

FORM = Form(
    fields=(
        FormField(name="who", label="Who is it?", is_required=True),
        FormField(name="sum", kind=FieldKind.NUMBER, default=5),
        FormField(name="size", kind=FieldKind.CHOICE, choices=("S", "L")),
        FormField(name="sure", kind=FieldKind.TRUTH),
    )
)


def test_answers_go_over_what_came_and_defaults_under_it():
    """What nobody asked for may be answered, too."""
    assert filled(FORM, Raw(b'{"who":"Ada","sum":7,"kept":1}'), {"who": "Ben", "more": [1]}) == {
        "who": "Ben",
        "sum": 7,
        "kept": 1,
        "more": [1],
    }
    assert filled(FORM, None, {"who": "Ben"}) == {"who": "Ben", "sum": 5}
    assert filled(FORM, Raw(b"[1]"), {"who": "Ben"}) == {"who": "Ben", "sum": 5}


@pytest.mark.parametrize(
    "answers",
    [{}, {"who": ""}, {"who": 1}, {"who": "a", "sum": "7"}, {"who": "a", "size": "M"}],
)
def test_what_is_missing_or_of_another_kind_is_refused(answers):
    """In words that name the field."""
    with pytest.raises(AnswerWrong):
        filled(FORM, None, answers)


@pytest.mark.parametrize(
    "form",
    [
        Form(fields=(FormField(name=" "),)),
        Form(fields=(FormField(name="a"), FormField(name="a"))),
        Form(fields=(FormField(name="a", kind=FieldKind.CHOICE),)),
        Form(buttons=()),
        Form(title="x" * 1001),
    ],
)
def test_forms_that_cannot_be_are_refused(form):
    """Before anybody is asked by one."""
    with pytest.raises(FormInvalid):
        check_form(form)

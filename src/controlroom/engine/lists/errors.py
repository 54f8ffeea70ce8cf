"""What can be wrong with an asked list. A docstring is the message."""

from controlroom.errors import Invalid


class FieldUnknown(Invalid):
    """A list has no such field."""

    code = "FIELD_UNKNOWN"

    def __init__(self, noun: str, field: str) -> None:
        super().__init__(f"{noun} have no field `{field[:100]}`", field=field)


class FieldNotSortable(Invalid):
    """A list is not sorted by this field."""

    code = "FIELD_NOT_SORTABLE"

    def __init__(self, noun: str, field: str) -> None:
        super().__init__(f"{noun} are not sorted by `{field}`", field=field)


class ValueWrong(Invalid):
    """A value is none of the field's type, or out of its bounds."""

    code = "VALUE_WRONG"

    def __init__(self, field: str, wanted: str) -> None:
        super().__init__(f"`{field}` is compared with {wanted}", field=field)


class OperatorWrong(Invalid):
    """A field cannot be asked that."""

    code = "OPERATOR_WRONG"

    def __init__(self, field: str, operator: str) -> None:
        super().__init__(f"`{field}` is not compared by `{operator}`", field=field)


class FilterTooLarge(Invalid):
    """A filter has too many conditions, or too deep ones."""

    code = "FILTER_TOO_LARGE"


class PositionWrong(Invalid):
    """A place in a list is none."""

    code = "POSITION_WRONG"

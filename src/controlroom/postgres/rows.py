"""How rows become Structs.

The first time that a statement is asked for a type, the columns that PostgreSQL describes are matched with the fields
of the type, and one function is compiled that makes a list of values of a list of rows. Fields that the driver delivers
as they are cost nothing but the call of the Struct: this is the hottest path of the server.
"""

import types
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from asyncpg import Attribute, Record

_DELIVERED: dict[str, type] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "xml"), str),
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "xid8", "cid"), int),
    **dict.fromkeys(("float4", "float8"), float),
    **dict.fromkeys(("timestamptz", "timestamp"), datetime),
    "bool": bool,
    "uuid": UUID,
    "date": date,
    "time": time,
    "interval": timedelta,
    "bytea": bytes,
    "numeric": Decimal,
}
"""What the driver delivers, where a field could be at odds with it."""

_CASTS: dict[tuple[type, type], Callable[[Any], Any]] = {
    (int, float): float,
    (Decimal, int): int,  # sum(bigint) is numeric
    (Decimal, float): float,
    (UUID, str): str,
}

Converter = Callable[[Any], Any]


class Column(NamedTuple):
    """A column of a result as PostgreSQL describes it; `text[]` is an array of `text`."""

    name: str
    type: str

    @property
    def element(self) -> "Column":
        """A column of the array's elements."""
        return Column(self.name, self.type.removesuffix("[]"))


def conversion(into: Any, attributes: Sequence[Attribute]) -> Callable[[list[Record]], list[Any]]:
    """The function that makes values of type `into` of the rows with these columns.

    A Struct takes the columns by the names of its fields; columns without a field are left. Any other type takes the
    first column.

    Raises:
        TypeError: if a field without default has no column, or a column cannot become what its field is.
    """
    columns = [Column(attribute.name, attribute.type.name) for attribute in attributes]
    if isinstance(into, type) and issubclass(into, msgspec.Struct):
        return _struct_conversion(into, columns)
    if not columns:
        raise TypeError(f"{into!r} is asked of a statement that returns no columns")
    constants: dict[str, Any] = {}
    return _compiled(_expression(columns[0], into, 0, constants), constants)


def _struct_conversion(into: type[msgspec.Struct], columns: Sequence[Column]) -> Callable[[list[Record]], list[Any]]:
    positions = {column.name: position for position, column in enumerate(columns)}
    twice = {name for name, count in Counter(column.name for column in columns).items() if count > 1}
    hints = get_type_hints(into, include_extras=True)
    constants: dict[str, Any] = {"into": into}
    arguments = []
    for field in msgspec.structs.fields(into):
        position = positions.get(field.name)
        if position is not None:
            if field.name in twice:
                raise TypeError(f"{into.__name__}.{field.name}: the statement returns several columns of that name")
            expression = _expression(columns[position], hints[field.name], position, constants)
            arguments.append(f"{field.name}={expression}")
        elif field.required:
            raise TypeError(f"{into.__name__}.{field.name}: the statement returns no such column, only {[*positions]}")
    return _compiled(f"into({', '.join(arguments)})", constants)


def _compiled(expression: str, constants: dict[str, Any]) -> Callable[[list[Record]], list[Any]]:
    source = f"lambda rows: [{expression} for row in rows]"
    # Why eval: a call with the columns written out is three times as fast as any loop over them. The text is made of
    # numbers and of field names, which are identifiers.
    return cast("Callable[[list[Record]], list[Any]]", eval(source, constants))  # noqa: S307 - see above


def _expression(column: Column, target: Any, position: int, constants: dict[str, Any]) -> str:
    """How a row's column is written in the compiled function."""
    convert = converter(column, target)
    if convert is None:
        return f"row[{position}]"
    constants[f"convert{position}"] = convert
    return f"(None if (value := row[{position}]) is None else convert{position}(value))"


def converter(column: Column, target: Any) -> Converter | None:
    """What makes the target type of the column's value (never called for null); None: it is one already."""
    wanted = _plain(target)
    if column.type in {"json", "jsonb"}:
        return None if wanted is msgspec.Raw else msgspec.json.Decoder(target).decode
    if column.type.endswith("[]"):
        return _array_converter(column, wanted)
    if column.type == "record":
        return lambda record: msgspec.convert(dict(record.items()), target)
    if isinstance(wanted, type) and wanted not in {Any, object}:
        return _scalar_converter(column, wanted)
    return None  # anything, a Literal, a union: the statement knows


def _scalar_converter(column: Column, wanted: type) -> Converter | None:
    if issubclass(wanted, Enum):
        return _Members(wanted).__getitem__
    delivered = _DELIVERED.get(column.type)
    if delivered is None or issubclass(delivered, wanted):
        return None
    cast_ = _CASTS.get((delivered, wanted))
    if cast_ is None:
        raise TypeError(f"column {column.name} is {column.type}, which is no {wanted.__name__}")
    return cast_


def _array_converter(column: Column, wanted: Any) -> Converter | None:
    container = get_origin(wanted) or wanted
    if container not in {list, tuple, set, frozenset}:
        if container in {Any, object}:
            return None
        raise TypeError(f"column {column.name} is {column.type}, which is no {wanted}")
    of = (*get_args(wanted), Any)[0]
    convert = converter(column.element, of)
    if convert is not None:
        return lambda elements: container(None if each is None else convert(each) for each in elements)
    return None if container is list else container


def _plain(target: Any) -> Any:
    """The type without what does not matter here: `NewType`, `Annotated`, `| None`."""
    while True:
        if hasattr(target, "__supertype__"):
            target = target.__supertype__
        elif get_origin(target) is Annotated:
            target = get_args(target)[0]
        elif get_origin(target) is Literal:
            return Any
        elif get_origin(target) in {Union, types.UnionType}:
            others = [each for each in get_args(target) if each is not types.NoneType]
            if len(others) != 1:
                return Any
            target = others[0]
        else:
            return target


class _Members(dict[Any, Enum]):
    """The members of an enum by their values; an unknown value is a bug of the schema or of a migration."""

    def __init__(self, enum: type[Enum]) -> None:
        super().__init__({member.value: member for member in enum})
        self.enum = enum

    def __missing__(self, value: Any) -> Enum:
        return self.enum(value)  # raises a ValueError that names both

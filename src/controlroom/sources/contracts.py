"""What becomes of what a server tells and nobody has declared: dlt's schema contract, over tables that are declared.

It is given as to any dlt source: by `robocorp_source.clone(schema_contract=…)`, `source.schema_contract = …` or
`pipeline.run(source, schema_contract=…)`. Of a declared table, a key that no column reads is named in the report and
not loaded, and a value of another type is null and counted: so is *evolve* (dlt's default, by which a declared table
grows with a release and never by chance), and so is *discard_value*. Where `columns` or `data_type` is *freeze*, such a
key or value ends the load; so it does where it is *discard_row*, because no row is left out. Tables that dlt makes
itself, of nested payloads, are its own matter; what it adds to them is remarked (`grown`).
"""

from collections.abc import Iterator, Mapping
from typing import Final

import dlt
from dlt.common.schema import Schema

from controlroom.sources.rows import Shaper

Contract = str | dict[str, str]
_OF: Final = ("tables", "columns", "data_type")
_MODES: Final = ("evolve", "freeze", "discard_value")


class Refused(Exception):  # noqa: N818 - an event of the field
    """The server tells what the schema contract does not allow."""


def contract_of(said: str) -> Contract:
    """The contract that a text says: `freeze`, or `columns=freeze,data_type=evolve`. Raises ValueError."""
    contract: Contract = said
    if "=" in said:
        contract = dict(each.partition("=")[::2] for each in said.split(","))
    found = contract if isinstance(contract, dict) else dict.fromkeys(_OF, said)
    if set(found) - set(_OF) or set(found.values()) - set(_MODES):
        raise ValueError(
            f"a schema contract is one of {', '.join(_MODES)}, or says it of {', '.join(_OF)} each, like"
            f" columns=freeze; not {said!r}"
        )
    return contract


def check(shaper: Shaper) -> None:
    """Raises Refused, where what was unexpected so far is not allowed."""
    for each in shaper.surprises:
        if not (each.unknown or each.misfits):
            continue
        modes = dlt.current.source_schema().resolve_contract_settings_for_table(each.table.name)
        said = (each.unknown and modes["columns"]) or None, (each.misfits and modes["data_type"]) or None
        if "discard_row" in said:
            what = ", ".join(sorted({*each.unknown, *each.misfits}))
            raise Refused(
                f"the server tells of {each.table.name} what nobody has declared ({what}), and the schema contract says"
                " discard_row: rows of declared tables are never left out. Say discard_value, or freeze"
            )
        if each.unknown and modes["columns"] == "freeze":
            raise Refused(
                f"the server tells {', '.join(sorted(each.unknown))}, which no column reads, and the schema contract"
                " has columns frozen"
            )
        if each.misfits and modes["data_type"] == "freeze":
            raise Refused(
                f"the server tells values of {', '.join(sorted(each.misfits))} that are not of the column's type, and"
                " the schema contract has data_type frozen"
            )


def columns_of(schema: Schema | None) -> Mapping[str, frozenset[str]]:
    """The columns of the tables that have had rows."""
    if schema is None:
        return {}
    return {str(table["name"]): frozenset(table["columns"]) for table in schema.data_tables(seen_data_only=True)}


def grown(before: Mapping[str, frozenset[str]], schema: Schema | None) -> Iterator[str]:
    """What to remark of columns that a load has added to tables that were there, and of those of a further type."""
    for table, columns in columns_of(schema).items():
        if schema is None or table not in before:
            continue
        for name in sorted(columns - before[table]):
            is_variant = schema.tables[table]["columns"][name].get("variant")
            why = ", for values of another type than those of before" if is_variant else ""
            yield f"{table} has a new column {name}{why}"

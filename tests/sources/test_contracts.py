"""dlt's schema contract, over tables that are declared and over those that dlt makes."""

import dlt
import pytest

from controlroom.sources.columns import INTEGER, TEXT, Column, Table
from controlroom.sources.contracts import contract_of
from controlroom.sources.failures import told
from controlroom.sources.resources import resource
from controlroom.sources.running import load

THINGS = Table(
    name="things",
    description="…",
    key=("id",),
    columns=(Column("id", TEXT, "…"), Column("count", INTEGER, "…")),
)
KNOWN, COLOURED, UNCOUNTED = {"id": "1", "count": 1}, {"id": "2", "colour": "red"}, {"id": "3", "count": "many"}


def source_of(rows, table=THINGS):
    """Makes a source of these rows."""

    @dlt.source(name="things")
    def source():
        return resource(table, lambda: [rows])

    return source


@pytest.fixture
def loaded(tmp_path):
    """Loads rows by a contract; the report."""

    def loading(rows, contract=None, **more):
        make, place = source_of(rows, **more), f"duckdb:{tmp_path}/x.duckdb"
        return load(make, place, name="t", dataset="d", folder=tmp_path / "p", schema_contract=contract)

    return loading


@pytest.mark.parametrize("contract", [None, "evolve", {"columns": "discard_value", "data_type": "discard_value"}])
def test_what_nobody_declared_is_told_and_not_loaded(loaded, contract):
    """A key that no column reads is named, a value of another type is null and counted; the rows are there."""
    report = loaded([KNOWN, COLOURED, UNCOUNTED], contract)

    assert report.rows == {"things": 3}
    assert any("things.colour" in each for each in report.remarks)
    assert any("things.count: 1 values" in each for each in report.remarks)


@pytest.mark.parametrize(
    ("contract", "row", "why"),
    [
        ({"columns": "freeze"}, COLOURED, "the server tells things.colour"),
        ({"data_type": "freeze"}, UNCOUNTED, "values of things.count"),
        ({"columns": "discard_row"}, COLOURED, "Say discard_value, or freeze"),
        ({"data_type": "discard_row"}, UNCOUNTED, "Say discard_value, or freeze"),
    ],
)
def test_what_is_frozen_ends_the_load(loaded, contract, row, why):
    """With a sentence that names it, and nothing of it is loaded; what the contract leaves open still comes.

    So it does where whole rows would have to be left out.
    """
    with pytest.raises(Exception, match="things") as failed:
        loaded([KNOWN, row], contract)
    assert why in told(failed.value).message

    other = UNCOUNTED if row is COLOURED else COLOURED
    assert loaded([KNOWN, other], contract).rows == {"things": 2}


def test_the_contract_may_be_given_as_any_source_takes_it(tmp_path):
    """By the source's factory, its attribute, and `pipeline.run`."""
    pipeline = dlt.pipeline("t", destination="duckdb", dataset_name="d", pipelines_dir=str(tmp_path))
    frozen = {"columns": "freeze"}
    with pytest.raises(Exception, match=r"things\.colour"):
        pipeline.extract(source_of([COLOURED])(), schema_contract=frozen)
    with pytest.raises(Exception, match=r"things\.colour"):
        pipeline.extract(source_of([COLOURED]).clone(schema_contract=frozen)())
    source = source_of([COLOURED])()
    source.schema_contract = frozen
    with pytest.raises(Exception, match=r"things\.colour"):
        pipeline.extract(source)


def test_a_column_of_a_later_release_is_refused_by_a_frozen_table_alone(loaded):
    """By dlt, in a sentence; without a contract it comes, and the report says so."""
    later = THINGS.with_columns(Column("colour", TEXT, "…"))
    loaded([KNOWN])

    with pytest.raises(Exception, match="colour") as failed:
        loaded([COLOURED], {"columns": "freeze"}, table=later)
    assert "colour" in told(failed.value).message

    report = loaded([COLOURED], table=later)
    assert report.remarks == ["things has a new column colour"]


def test_what_dlt_adds_to_tables_of_its_own_is_remarked(tmp_path):
    """A further column, and one for values of another type."""

    def loading(rows):
        @dlt.source(name="payloads")
        def source():
            return dlt.resource(rows, name="payloads", primary_key="id", write_disposition="merge")

        place = f"duckdb:{tmp_path}/x.duckdb"
        return load(source, place, name="t", dataset="d", folder=tmp_path / "p").remarks

    assert loading([{"id": 1, "total": 5}]) == []
    assert loading([{"id": 2, "total": "five", "note": "x"}]) == [
        "payloads has a new column note",
        "payloads has a new column total__v_text, for values of another type than those of before",
    ]


def test_a_contract_is_said_in_a_word_or_of_each():
    """At the prompt."""
    assert contract_of("freeze") == "freeze"
    assert contract_of("columns=freeze,data_type=evolve") == {"columns": "freeze", "data_type": "evolve"}


@pytest.mark.parametrize("wrong", ["discard_row", "frozen", "rows=freeze", "columns=often", "", "columns=freeze,"])
def test_what_is_no_contract_is_refused(wrong):
    """Also dlt's way of leaving out rows: of declared tables none is left out in silence."""
    with pytest.raises(ValueError, match="one of evolve, freeze, discard_value"):
        contract_of(wrong)

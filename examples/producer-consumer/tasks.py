"""Orders become invoices: one work item an order, one output an invoice, one report of all."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from robocorp import workitems
from robocorp.tasks import get_output_dir, task
from robocorp.workitems import BusinessException

TAX = {
    "DE": Decimal("0.19"),
    "ES": Decimal("0.21"),
    "FR": Decimal("0.20"),
    "NO": Decimal("0.25"),
    "SE": Decimal("0.25"),
}


@task
def produce():
    """Create one work item for each order: of the file in the input item, else of the list beside this robot."""
    orders = Path(__file__).with_name("orders.csv")
    given = workitems.inputs.current.get_files("*.csv")
    for path in given or [orders]:
        with path.open(newline="") as file:
            for order in csv.DictReader(file):
                print(f"order {order['order']} of {order['customer'] or '(nobody)'}")
                workitems.outputs.create(payload=order)


@task
def consume():
    """Write the invoice of each order. An order without a customer is wrong however often it is tried."""
    for item in workitems.inputs:
        order = item.payload
        with item:
            if not order["customer"]:
                raise BusinessException(code="NO_CUSTOMER", message=f"order {order['order']} names no customer")
            invoice = invoice_of(order)
            text = Path(get_output_dir()) / f"invoice-{order['order']}.txt"
            text.write_text("\n".join(f"{key:<9} {value}" for key, value in invoice.items()) + "\n")
            print(f"invoice of order {order['order']}: {invoice['gross']}")
            workitems.outputs.create(payload=invoice, files=str(text))


@task
def report():
    """Sum up the invoices by country."""
    sums = defaultdict(Decimal)
    for item in workitems.inputs:
        with item:
            sums[item.payload["country"]] += Decimal(item.payload["gross"])
    lines = [
        "# Invoices",
        "",
        "| Country | Gross |",
        "|---|---:|",
        *(f"| {c} | {s:.2f} |" for c, s in sorted(sums.items())),
    ]
    (Path(get_output_dir()) / "report.md").write_text("\n".join(lines) + "\n")
    print(f"{len(sums)} countries, {sum(sums.values()):.2f} in all")
    workitems.outputs.create(payload={country: f"{total:.2f}" for country, total in sums.items()})


def invoice_of(order):
    """The order with its tax, as strings: money is no float."""
    net = Decimal(order["net"])
    tax = (net * TAX[order["country"]]).quantize(Decimal("0.01"))
    return {**order, "tax": str(tax), "gross": str(net + tax)}

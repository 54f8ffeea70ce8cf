"""A list of orders becomes one item each; how far it is, is seen in the room."""

import csv
import io

from controlroom_robot import items, log, output, progress

for item in items():
    with item:
        text = item.read_file("orders.csv").decode() if "orders.csv" in item.files else item.payload["orders"]
        orders = list(csv.DictReader(io.StringIO(text)))
        for number, order in enumerate(orders, start=1):
            output(order)
            progress(number, len(orders), f"order {order['order']}")
        log.info("%d orders", len(orders))

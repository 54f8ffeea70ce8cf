"""Each order is invoiced by the rates of an asset; one without a customer is wrong however often it is tried."""

from controlroom_robot import BusinessError, asset, items, log, output

rates = asset("rates.json").json()
for item in items():
    with item:
        order = item.payload
        if not order["customer"]:
            raise BusinessError(f"order {order['order']} names no customer", code="NO_CUSTOMER")
        gross = round(float(order["net"]) * (1 + rates[order["country"]]), 2)
        text = f"{order['customer']} pays {gross:.2f}\n"
        output({**order, "gross": gross}, files={f"invoice-{order['order']}.txt": text.encode()})
        log.info("order %s: %.2f", order["order"], gross)

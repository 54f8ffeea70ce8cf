"""Robots for a room: work items, files, secrets, assets, lines for its console, and how far one is.

    from controlroom_robot import BusinessError, asset, items, log, output, progress, secret

    prices = asset("prices.json").json()
    for number, item in enumerate(items(), start=1):
        with item:                                          # done at its end, failed by an exception
            order = item.payload
            if order["what"] not in prices:
                raise BusinessError(f"no price of {order['what']}", code="NO_PRICE")
            output({"total": order["count"] * prices[order["what"]]}, files=["invoice.pdf"])
            log.info("order %s is done", order["id"])
        progress(number, message=order["id"])

In a room, a worker tells the robot by variables (RC_…) which work it has. Anywhere else the same code works on the
files of a folder `devdata`: items.json, outputs.json, secrets.json and assets/ (CONTROLROOM_DEVDATA names another).

`log` is a logger of `logging`: what has the level ERROR or WARNING, the room's console shows as such, and finds.
CONTROLROOM_LOG_LEVEL=DEBUG has it tell more.
"""

from controlroom_robot._errors import ApplicationError, BusinessError, ItemError, NotFound, RoomError
from controlroom_robot._items import Item, items, output
from controlroom_robot._log import log
from controlroom_robot._progress import progress
from controlroom_robot._things import Asset, Secret, asset, secret

__all__ = [
    "ApplicationError",
    "Asset",
    "BusinessError",
    "Item",
    "ItemError",
    "NotFound",
    "RoomError",
    "Secret",
    "asset",
    "items",
    "log",
    "output",
    "progress",
    "secret",
]

"""A job queue of others works off jobs that do nothing; run by the Python that has it (see `bench_peers`).

usage: queue_peers.py awa|procrastinate DSN JOBS
Prints one line of JSON: jobs and seconds, from the worker's start until the last job is done; 16 at once.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

AT_ONCE = 16


@dataclass
class Order:
    """A job's arguments: the payload of our items."""

    order: int
    customer: str = "ACME"
    lines: int = 3


class Count:
    """Jobs that have been worked."""

    def __init__(self, wanted):
        self.left = wanted
        self.is_over = asyncio.Event()

    def one(self):
        self.left -= 1
        if not self.left:
            self.is_over.set()


async def awa(dsn, jobs):
    """Seconds by awa-pg."""
    from awa import AsyncClient  # noqa: PLC0415 - whichever is installed

    client, count = AsyncClient(dsn, max_connections=AT_ONCE), Count(jobs)
    await client.migrate()
    await client.install_queue_storage()

    @client.task(Order, queue="orders")
    async def work(_):
        count.one()

    await client.enqueue_many_copy([Order(number) for number in range(jobs)], queue="orders")
    began = time.perf_counter()
    await client.start([("orders", AT_ONCE)])
    await count.is_over.wait()
    took = time.perf_counter() - began
    await client.shutdown()
    return took


async def procrastinate(dsn, jobs):
    """Seconds by Procrastinate."""
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - likewise

    app, count = App(connector=PsycopgConnector(conninfo=dsn, max_size=AT_ONCE)), Count(jobs)

    @app.task(queue="orders", name="work")
    async def work(**_):
        count.one()

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await work.batch_defer_async(*({"order": number, "customer": "ACME", "lines": 3} for number in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(concurrency=AT_ONCE, wait=False, install_signal_handlers=False)
        took = time.perf_counter() - began
    assert count.is_over.is_set(), count.left
    return took


if __name__ == "__main__":
    name, address, wanted = sys.argv[1:]
    address = address.replace(
        "@/", "@localhost/"
    )  # which `?host=` then overrules; a URL without a host is none to some
    seconds = asyncio.run({"awa": awa, "procrastinate": procrastinate}[name](address, int(wanted)))
    print(json.dumps({"jobs": int(wanted), "seconds": seconds}))

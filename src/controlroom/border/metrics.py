"""What is counted, and the page that a Prometheus server reads."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from controlroom.border.answers import answer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
_CONTENT_TYPE = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the library learns, when it is imported, of the folder in which several processes count."""


class Metrics:
    """The figures of one server process, in a registry of their own: two rooms in one process do not mix.

    Those of several processes of one server are kept in files of one folder: whichever is asked answers for all.
    """

    def __init__(self) -> None:
        self._shared = os.environ.get(SHARED)
        self.registry = CollectorRegistry()
        if self._shared is None:
            ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "controlroom_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "controlroom_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "controlroom_requests_in_flight",
            "Requests being answered.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._ticks = Counter(
            "controlroom_loop_ticks", "Ticks of the server's loops.", ["loop", "outcome"], registry=self.registry
        )
        self._tick_seconds = Histogram(
            "controlroom_loop_tick_seconds",
            "Time that a tick took.",
            ["loop"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Why remembered: looking up children by labels costs more than the rest of the counting together.
        self._of_route: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is a template: its number of values is bounded."""
        children = self._of_route.get((method, route, status))
        if children is None:
            children = (self._requests.labels(method, route, status), self._seconds.labels(method, route))
            self._of_route[method, route, status] = children
        children[0].inc()
        children[1].observe(seconds)

    def loop_ticked(self, loop: str, seconds: float, went_well: bool) -> None:  # noqa: FBT001 - as loops report
        """Count one tick of a loop."""
        self._ticks.labels(loop, "ok" if went_well else "failed").inc()
        self._tick_seconds.labels(loop).observe(seconds)

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG002 - the ASGI signature
        """Answer `/metrics`."""
        await answer(send, 200, generate_latest(self._registry_of_all()), _CONTENT_TYPE)

    def _registry_of_all(self) -> CollectorRegistry:
        if self._shared is None:
            return self.registry
        together = CollectorRegistry()
        MultiProcessCollector(together, path=self._shared)  # type: ignore[no-untyped-call]  # the library's
        together.register(_Processes(Path(self._shared)))
        return together


class _Processes(Collector):
    """What each process takes of the machine."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        """The usual figures, with the process' id as a label."""
        together: dict[str, Metric] = {}
        for pid in sorted(int(file.stem.rpartition("_")[2]) for file in self._shared.glob("gauge_livesum_*.db")):
            for one in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                metric = together.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                for sample in one.samples:
                    metric.add_sample(sample.name, {**sample.labels, "pid": str(pid)}, sample.value)
        yield from together.values()

"""The agent's own metrics on loopback. Imported only when ``[metrics]`` is set, because of its memory."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kampungnet_agent.settings import host_and_port
from kampungnet_agent.spool import SpoolState
from kampungnet_agent.tally import Tally

PREFIX = "kampungnet_agent_"


class AgentCollector(Collector):
    """Asked at scrape time; holds no numbers of its own."""

    def __init__(self, tally: Tally, spool_state: Callable[[], SpoolState]) -> None:
        self._tally, self._spool_state = tally, spool_state

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of this agent."""
        yield from self._of_spool(self._spool_state())
        yield from self._of_uplink()
        yield from self._of_polls()

    def describe(self) -> list[Metric]:
        """Return nothing: the registry need not ask the spool at start."""
        return []

    def _of_spool(self, state: SpoolState) -> Iterator[Metric]:
        yield GaugeMetricFamily(PREFIX + "spool_readings", "Readings waiting for their receipt", state.readings)
        if state.oldest_ms is not None:
            yield GaugeMetricFamily(
                PREFIX + "spool_oldest_timestamp_seconds", "Oldest waiting reading", state.oldest_ms / 1000
            )
        yield CounterMetricFamily(PREFIX + "dropped_readings", "Dropped at the cap or too old", state.dropped)
        yield CounterMetricFamily(PREFIX + "refused_readings", "Set aside, refused by the server", state.refused)
        yield CounterMetricFamily(PREFIX + "corrupt_readings", "Damaged rows and spools set aside", state.corrupt)

    def _of_uplink(self) -> Iterator[Metric]:
        tally = self._tally
        yield CounterMetricFamily(PREFIX + "lost_readings", "Readings the spool could not take", tally.lost_readings)
        yield CounterMetricFamily(PREFIX + "sent_readings", "Readings the server receipted", tally.sent_readings)
        yield CounterMetricFamily(PREFIX + "send_failures", "Reports without a receipt", tally.send_failures)
        yield GaugeMetricFamily(
            PREFIX + "credential_refused", "1 when the server answers 401 or 403", int(tally.credential_refused)
        )
        if tally.last_receipt_ms is not None:
            seconds = tally.last_receipt_ms / 1000
            yield GaugeMetricFamily(
                PREFIX + "last_receipt_timestamp_seconds", "Newest receipt, by the box's clock", seconds
            )

    def _of_polls(self) -> Iterator[Metric]:
        polls = CounterMetricFamily(PREFIX + "polls", "Polls by their ending", labels=["device", "outcome"])
        for (device, outcome), count in list(self._tally.polls.items()):
            polls.add_metric([device, outcome], count)
        yield polls
        took = GaugeMetricFamily(PREFIX + "poll_duration_seconds", "Duration of the last poll", labels=["device"])
        for device, seconds in list(self._tally.poll_seconds.items()):
            took.add_metric([device], seconds)
        yield took


def serve_metrics(address: str, collector: AgentCollector) -> Callable[[], None]:
    """Serve ``/metrics`` at ``host:port`` from a thread; return the function that ends it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    host, port = host_and_port(address)
    server, _thread = start_http_server(port, host, registry)

    def end() -> None:
        server.shutdown()
        server.server_close()

    return end

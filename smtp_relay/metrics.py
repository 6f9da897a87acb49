"""The metrics, in Prometheus' text format (version 0.0.4)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smtp_relay.message.adaptations import KINDS, Kind

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Histogram:
    """A histogram of durations. ``counts[i]`` is the number of at most ``_BUCKETS[i]`` seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_BUCKETS))
    count: int = 0
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.count += 1
        self.total += seconds
        for index, limit in enumerate(_BUCKETS):
            self.counts[index] += seconds <= limit


@dataclass(slots=True)
class Metrics:
    """The counters of one relay.

    ``as_text`` writes the keys of ``logins`` and ``messages`` as values of the label ``result``,
    the keys of ``adaptations`` as values of the label ``kind``, and the keys of
    ``rejected_connections`` as values of the label ``reason``.
    """

    open_connections: int = 0
    connections: int = 0
    rejected_connections: Counter[str] = field(default_factory=Counter)
    logins: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    adaptations: Counter[Kind] = field(default_factory=Counter)
    recipients: int = 0
    message_bytes: int = 0
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    memory_rejections: int = 0
    api_requests: Histogram = field(default_factory=Histogram)

    def as_text(self) -> str:
        """The response to ``GET /metrics``."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _one("connections_open", "gauge", "Open SMTP connections", self.open_connections)
        yield from _one("connections_total", "counter", "SMTP connections", self.connections)
        yield from _many(
            "connections_rejected_total",
            "SMTP connections rejected",
            "reason",
            {"relay_full": 0, "client_full": 0, "stopping": 0} | self.rejected_connections,
        )
        yield from _many(
            "logins_total",
            "Logins by result",
            "result",
            {"good": 0, "bad": 0, "unavailable": 0} | self.logins,
        )
        yield from _many(
            "messages_total",
            "Messages by result",
            "result",
            {"accepted": 0, "temporary": 0, "permanent": 0, "unknown": 0} | self.messages,
        )
        yield from _many(
            "adaptations_total",
            "Changes to accepted messages by kind",
            "kind",
            {kind: self.adaptations[kind] for kind in KINDS},
        )
        yield from _one(
            "recipients_total", "counter", "Recipients of accepted messages", self.recipients
        )
        yield from _one(
            "message_bytes_total", "counter", "Bytes of all messages", self.message_bytes
        )
        yield from self._memory_lines()
        yield from _histogram(
            "api_request_seconds", "Duration of requests to the API", self.api_requests
        )

    def _memory_lines(self) -> Iterator[str]:
        about = "Memory reserved for messages under way, in bytes"
        yield from _one("memory_bytes", "gauge", about, self.memory_bytes)
        about = "Maximum memory for messages under way, in bytes"
        yield from _one("memory_limit_bytes", "gauge", about, self.memory_limit_bytes)
        about = "Messages rejected for lack of memory"
        yield from _one("memory_rejections_total", "counter", about, self.memory_rejections)


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP smtp_relay_{name} {about}."
    yield f"# TYPE smtp_relay_{name} {kind}"


def _one(name: str, kind: str, about: str, value: int) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield f"smtp_relay_{name} {value}"


def _many(name: str, about: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    yield from _head(name, "counter", about)
    for key, value in values.items():
        yield f'smtp_relay_{name}{{{label}="{key}"}} {value}'


def _histogram(name: str, about: str, histogram: Histogram) -> Iterator[str]:
    yield from _head(name, "histogram", about)
    for limit, count in zip(_BUCKETS, histogram.counts, strict=True):
        yield f'smtp_relay_{name}_bucket{{le="{limit}"}} {count}'
    yield f'smtp_relay_{name}_bucket{{le="+Inf"}} {histogram.count}'
    yield f"smtp_relay_{name}_sum {histogram.total:.6f}"
    yield f"smtp_relay_{name}_count {histogram.count}"

"""Figures as Prometheus metrics. Labels are names of sources and severities: nothing here is personal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from pipeline import __version__
from pipeline.clock import Clock
from pipeline.results import SEVERITIES
from pipeline.warehouse.figures import Figures

__all__ = ["counter", "exposition", "gauge", "of_database", "program"]


class _Collected(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def exposition(metrics: list[Metric], accept: str) -> tuple[bytes, str]:
    """Return metrics as a body and its content type, in the format that the ``Accept`` header asks for."""
    registry = CollectorRegistry()
    registry.register(_Collected(metrics))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def program() -> Metric:
    """Return the metric that names the version."""
    info = GaugeMetricFamily("access_review_info", "The version of the program.", labels=["version"])
    info.add_metric([__version__], 1)
    return info


def of_database(figures: Figures, clock: Clock) -> Iterator[Metric]:
    """Yield the metrics of a database. Ages are as of now."""
    now = clock().timestamp()
    whole = {} if figures.complete_at is None else {"": _seconds(figures.complete_at)}
    by_source = {each.source: _seconds(each.complete_at) for each in figures.sources if each.complete_at is not None}
    for prefix, text, label, ends in (
        ("last_complete_extract", "the last extract that read every source whole", "", whole),
        ("source_last_complete_extract", "the last extract that read this source whole", "source", by_source),
    ):
        ages = {name: max(0.0, now - end) for name, end in ends.items()}
        yield _gauge(f"{prefix}_timestamp_seconds", f"End of {text}.", label, ends)
        yield _gauge(f"{prefix}_age_seconds", f"Seconds since the end of {text}.", label, ages)
    requests = {each.source: each.requests for each in figures.sources}
    retries = {each.source: each.retries for each in figures.sources}
    yield counter("requests", "Requests of the stored extracts, repeated ones too.", "source", requests)
    yield counter("retries", "Requests of the stored extracts that were repeated.", "source", retries)
    findings = {severity: figures.findings.get(severity, 0) for severity in SEVERITIES} if figures.findings else {}
    yield _gauge("findings", "Open findings of the newest complete build.", "severity", findings)


def counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """Return a counter with one label."""
    metric = CounterMetricFamily(f"access_review_{name}", text, labels=[label])
    for value, count in values.items():
        metric.add_metric([value], count)
    return metric


def gauge(name: str, text: str, value: float | None) -> Metric:
    """Return a gauge without a label, and without a sample if there is no value."""
    return _gauge(name, text, "", {} if value is None else {"": value})


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = GaugeMetricFamily(f"access_review_{name}", text, labels=[label] if label else [])
    for value, number in values.items():
        metric.add_metric([value] if label else [], number)
    return metric


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()

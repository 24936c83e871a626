"""The objects of a large instance: what the simulator answers, kept after the first request."""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.simulator import objects_api
from pipeline.simulator.exchange import Call
from pipeline.simulator.objects import ObjectSizes
from pipeline.simulator.population import Population
from pipeline.simulator.store import Store

__all__ = ["SIZES", "ObjectAnswers"]

SIZES = ObjectSizes(dashboards=5_000, models=500, shares=40_000, row_rules=20_000)


class ObjectAnswers:
    """The bodies of the answers about dashboards, models and settings."""

    def __init__(self, population: Population) -> None:
        self._store = Store(population)
        _ = population.objects.dashboard_records  # made before the first request, which is measured
        self.to = cache(self._to)

    def _to(self, target: str) -> bytes | None:
        """Return the body of an answer, or None if there is none."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        call = Call("GET", unquote(parts.path), query, {}, b"", None, "", lambda: None, parts.path)
        answer = objects_api.handler(self._store, call)
        if answer is None:
            return None
        try:
            response = answer()
        except KeyError:
            return None
        return bytes(response.body) if response.status_code == 200 else None

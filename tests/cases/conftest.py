"""The tables share the fixtures of the sources: a clock that only sleeping moves, and what an extract left."""

from tests.sources.conftest import certificate, extracting

__all__ = ["certificate", "extracting"]

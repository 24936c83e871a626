"""The figures that monitoring shows: when sources were last read whole, requests, and open findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

__all__ = ["Figures", "SourceFigures", "read"]


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One source: when an extract last read it whole (UTC without a zone, None if never), and its requests so far.

    ``requests`` counts those of all extracts that were stored, repeated ones too; ``retries`` counts the repetitions.
    """

    source: str
    complete_at: datetime | None
    requests: int
    retries: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a database; ``findings`` are the open ones of the newest complete build, by severity."""

    complete_at: datetime | None = None
    sources: Sequence[SourceFigures] = ()
    findings: Mapping[str, int] = field(default_factory=dict)


def read(path: Path, *, notify: Callable[[str], None], wait: float = 30.0) -> Figures:
    """Return the figures of a database; ``wait`` is how many seconds to wait for another process that writes.

    Raises:
        DatabaseLockedError: another process holds it.
        WarehouseError: there is no database, or it cannot be read.
    """
    from pipeline.warehouse import database, saved  # the page, which has figures too, never loads DuckDB

    with database.reading(path, notify=notify, wait=wait) as connection:
        [(complete_at,)] = connection.execute(
            "select max(finished_at) from meta.snapshots where completeness = 'FULL'"
        ).fetchall()
        sources = connection.execute(saved.statement("monitoring", "sources")).fetchall()
        findings = connection.execute(saved.statement("monitoring", "findings")).fetchall()
    return Figures(complete_at, tuple(SourceFigures(*row) for row in sources), dict(findings))

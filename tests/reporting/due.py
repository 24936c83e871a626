"""When findings of the built organisation were first seen, who is to fix them, and by when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

_DAYS = {"critical": 1, "high": 7, "medium": 30, "low": 90, "info": None}


def columns(
    number: int, severity: str, status: str, as_of: datetime, names: Sequence[str]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the last columns of ``reports.findings`` and of ``reports.finding_rows``, from ``person_id`` on."""
    first_seen, days = as_of - timedelta(days=number % 60), _DAYS[severity]
    due_at = (first_seen + timedelta(days=days)).date() if days is not None else None
    is_overdue = status == "open" and due_at is not None and due_at < as_of.date()
    known = (None, first_seen, number % 60, f"user{number % 5:05}@example.com")
    return (*known, due_at, is_overdue), (*known, names[number % 5 % len(names)], due_at, is_overdue)

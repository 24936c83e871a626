"""Pages, order and fields of the lists that the simulated API answers."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.simulator.store import Invalid, Record

__all__ = ["DEFAULT_LIMIT", "LARGEST_PAGE", "number", "only_fields", "page"]

DEFAULT_LIMIT = 50
LARGEST_PAGE = 1_000


def page(
    rows: Sequence[Record], query: dict[str, str], *, skip_key: str = "skip", limit_key: str = "limit"
) -> list[Record]:
    """Return the page that the query asks for: everything without both keys, else at most :data:`LARGEST_PAGE` rows.

    Raises:
        Invalid: a key is not a whole number.
    """
    if skip_key not in query and limit_key not in query:
        return list(rows)
    skip, limit = number(query, skip_key, 0), number(query, limit_key, DEFAULT_LIMIT)
    return list(rows[skip : skip + min(limit, LARGEST_PAGE)])


def number(query: dict[str, str], key: str, default: int) -> int:
    """Return a whole number of the query, or the default.

    Raises:
        Invalid: it is not a whole number.
    """
    text = query.get(key, str(default))
    if not text.isascii() or not text.isdigit():
        raise Invalid(f"{key} must be a whole number")
    return int(text)


def only_fields(rows: list[Record], query: dict[str, str], key: str = "_id") -> list[Record]:
    """Return only the ``fields`` that the query names, and the key; or all but those that begin with a minus."""
    names = [name for name in query.get("fields", "").split(",") if name]
    if not names:
        return rows
    left_out = {name[1:] for name in names if name.startswith("-")}
    if left_out:
        return [{key: value for key, value in row.items() if key not in left_out} for row in rows]
    kept = {*names, key}
    return [{key: value for key, value in row.items() if key in kept} for row in rows]

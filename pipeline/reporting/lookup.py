"""Packs what a reader can look up in the HTML file: accounts, their findings, access, changes and decisions.

SQL says which rows; here they become columns. Values that repeat are stored once, and their rows hold indices. The
result is JSON, compressed, as text; ``reports/templates/lookup/data.js`` reads it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars

from pipeline.reporting.frames import to_frame
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import statement

__all__ = ["ACCOUNTS", "FINDINGS", "GRANTS", "LookupData", "pack"]

#: Most accounts in the file: with 4 groups each, they take 5 MB.
ACCOUNTS = 20_000
#: Most findings.
FINDINGS = 20_000
#: Most grants of dashboards, models and folders.
GRANTS = 200_000
#: Most row rules, one for each column and each account or group that they name.
ROW_RULES = 100_000
#: Most departments in the summary.
DEPARTMENTS = 20
#: Table -> the most rows it is asked for, or None if the accounts limit it.
_TABLES = {
    "accounts": None,
    "rules": None,
    "findings": FINDINGS,
    "access": None,
    "object_grants": GRANTS,
    "row_rules": ROW_RULES,
    "changes": None,
    "decisions": None,
    "remediation": None,
    "directory": None,
}
#: Columns that change together, so that each combination is stored once.
_TOGETHER = {
    "accounts": (("role_id", "role_name", "role_display_name", "role_rank", "privileged"),),
    "access": (
        ("source", "entitlement_type", "entitlement_id", "entitlement_name", "permission_level"),
        ("peer_group", "peer_n", "peer_k", "peer_share"),
        ("recommendation", "recommendation_reason"),
        ("prior_decision", "prior_reviewer", "prior_decision_at"),
    ),
    "findings": (("owner_email", "owner"),),
    "object_grants": (
        ("source", "object_type", "object_id", "object_name", "owner_email", "sensitivity"),
        ("granted_to_type", "granted_to_id"),
    ),
    "row_rules": (("source", "model_id", "model_name", "table_name", "column_name"), ("access", "value_count")),
}
#: Level 9 takes three times as long, for 1 % less.
_LEVEL = 6
#: A gzip stream; Python's zlib writes no time into it.
_GZIP = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupData:
    """The packed data as text, the characters it shows, and how many of how many rows it holds.

    ``departments`` are the rows of the summary: open findings by department and severity.
    """

    data: str
    characters: frozenset[str]
    accounts: int
    accounts_total: int
    findings: int
    findings_total: int
    grants: int
    grants_total: int
    row_rules: int
    row_rules_total: int
    departments: tuple[dict[str, Any], ...]
    departments_total: int


def pack(connection: Connection, *, accounts: int = ACCOUNTS) -> LookupData:
    """Pack the current build; at most ``accounts`` of its accounts, those with findings or privilege first."""
    chosen = statement("reporting", "lookup_choice")
    connection.execute(f"create or replace temp table lookup_choice as {chosen}", {"rows": accounts})
    totals = {}
    stream = _Stream()
    try:
        total = connection.execute("select coalesce(max(total), 0) from lookup_choice").fetchall()[0][0]
        for position, (name, limit) in enumerate(_TABLES.items()):
            frame = to_frame(
                connection.sql(statement("reporting", f"lookup_{name}"), params={"rows": limit} if limit else None)
            )
            totals[name] = len(frame), _total(frame)
            stream.write(b'%s"%s":' % (b"," if position else b"{", name.encode()))
            for part in _packed(frame, _TOGETHER.get(name, ())):
                stream.write(part)
            del frame
    finally:
        connection.execute("drop table lookup_choice")
    departments = to_frame(connection.sql(statement("reporting", "departments"), params={"rows": DEPARTMENTS}))
    stream.write(b"}")
    return LookupData(
        data=stream.end(),
        characters=frozenset(stream.characters),
        accounts=totals["accounts"][0],
        accounts_total=int(total),
        findings=totals["findings"][0],
        findings_total=totals["findings"][1],
        grants=totals["object_grants"][0],
        grants_total=totals["object_grants"][1],
        row_rules=totals["row_rules"][0],
        row_rules_total=totals["row_rules"][1],
        departments=tuple(departments.iter_rows(named=True)),
        departments_total=_total(departments),
    )


def _total(frame: polars.DataFrame) -> int:
    """Return the number of all rows, which every row of a limited table carries."""
    return int(frame["total"][0]) if "total" in frame.columns and len(frame) else 0


class _Stream:
    """JSON, compressed as it is written, and the characters in it."""

    def __init__(self) -> None:
        self.characters: set[str] = set()
        self._compressor = zlib.compressobj(_LEVEL, wbits=_GZIP)
        self._packed = bytearray()

    def write(self, part: bytes) -> None:
        """Add a part that ends between two characters."""
        self.characters.update(part.decode())
        self._packed += self._compressor.compress(part)

    def end(self) -> str:
        """Return everything that was written, as text."""
        self._packed += self._compressor.flush()
        return base64.b64encode(self._packed).decode()


def _packed(frame: polars.DataFrame, together: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield the JSON of the table: ``rows``, ``plain`` columns, and ``shared`` ones as distinct values and indices.

    One column after the other becomes Python's objects, which take several times the memory of the frame.
    """
    frame = frame.drop("total", strict=False).with_columns(
        polars.selectors.datetime().dt.to_string("%Y-%m-%dT%H:%M"), polars.selectors.date().dt.to_string("%Y-%m-%d")
    )
    groups = [tuple(columns) for columns in together]
    grouped = {column for columns in groups for column in columns}
    for column in frame.columns:
        is_text = frame.schema[column] == polars.String
        if is_text and column not in grouped and frame[column].n_unique() <= len(frame) / 2:
            groups.append((column,))
            grouped.add(column)
    yield b'{"rows":%d,"plain":{' % len(frame)
    plain = [name for name in frame.columns if name not in grouped]
    for position, name in enumerate(plain):
        yield b'%s"%s":' % (b"," if position else b"", name.encode())
        yield orjson.dumps(frame[name].to_list())
    yield b'},"shared":['
    for position, columns in enumerate(groups):
        if position:
            yield b","
        yield orjson.dumps(_shared(frame.select(columns)))
    yield b"]}"


def _shared(frame: polars.DataFrame) -> dict[str, Any]:
    """Return the distinct rows in the order of their first appearance, and the index of each row among them."""
    distinct = frame.unique(maintain_order=True)
    places = frame.join(
        distinct.with_row_index("place"), on=frame.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    return {"columns": distinct.to_dict(as_series=False), "index": places["place"].to_list()}

"""Packs what a reader can look up in the HTML file: accounts, their findings, access, changes and decisions.

SQL says which rows; here they become columns. Values that repeat are stored once, and their rows hold indices. The
result is JSON, compressed, as text; ``reports/templates/lookup/data.js`` reads it.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

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
#: Rows that are read at once.
_BATCH = 2_048
#: Types of dates and times, and how much of the text of a time is packed.
_TIMES = ("DATE", "TIMESTAMP")
_TO_THE_MINUTE = len("2026-11-01T00:00")
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
            query = statement("reporting", f"lookup_{name}")
            table = _LookupTable(
                connection.execute(query, {"rows": limit} if limit else None), _TOGETHER.get(name, ())
            )
            totals[name] = table.rows, table.total
            stream.write(b'%s"%s":' % (b"," if position else b"{", name.encode()))
            for part in table.packed():
                stream.write(part)
            del table
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
        departments_total=int(departments["total"][0]) if len(departments) else 0,
    )


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


class _LookupTable:
    """The rows of a query as columns: values that repeat once, and their index in each row.

    Rows are read some thousands at once: a frame of all of them takes several times the memory of these columns.
    ``rows`` is their number, and ``total`` the number of all rows, which every row of a limited table carries.
    """

    def __init__(self, found: Connection, together: Iterable[Sequence[str]]) -> None:
        self.rows, self.total = 0, 0
        kinds = {str(name): str(kind) for name, kind, *_ in found.description or ()}
        self._names = list(kinds)
        self._times = [name for name, kind in kinds.items() if kind.startswith(_TIMES)]
        groups = [tuple(names) for names in together]
        grouped = {name for names in groups for name in names}
        texts = [name for name, kind in kinds.items() if kind.startswith(("VARCHAR", *_TIMES))]
        groups += [(name,) for name in texts if name not in grouped]
        self._shared = {names: _Distinct() for names in groups}
        self._plain: dict[str, list[Any]] = {name: [] for name in kinds if name not in {*grouped, *texts, "total"}}
        while batch := found.fetchmany(_BATCH):
            self._add(batch)

    def _add(self, batch: Sequence[Sequence[Any]]) -> None:
        columns: dict[str, Sequence[Any]] = dict(zip(self._names, zip(*batch, strict=True), strict=True))
        for name in self._times:
            columns[name] = [value and value.isoformat()[:_TO_THE_MINUTE] for value in columns[name]]
        self.rows += len(batch)
        self.total = int(columns["total"][0]) if "total" in columns else 0
        for names, distinct in self._shared.items():
            distinct.add(zip(*(columns[name] for name in names), strict=True))
        for name, values in self._plain.items():
            values.extend(columns[name])

    def packed(self) -> Iterator[bytes]:
        """Yield the JSON of the table: ``rows``, ``plain`` columns, and ``shared`` ones as values and indices.

        A text of which more than half of the rows differ is plain.
        """
        shared = dict(self._shared)
        plain = {}
        for name in self._names:
            if name in self._plain:
                plain[name] = self._plain[name]
            elif (name,) in shared and len(shared[name,].places) > self.rows / 2:
                plain[name] = shared.pop((name,)).values()
        yield b'{"rows":%d,"plain":{' % self.rows
        for position, (name, values) in enumerate(plain.items()):
            yield b'%s"%s":' % (b"," if position else b"", name.encode())
            yield orjson.dumps(values)
        yield b'},"shared":['
        for position, (names, distinct) in enumerate(shared.items()):
            if position:
                yield b","
            values = [list(column) for column in zip(*distinct.places, strict=True)] or [[] for _ in names]
            columns = dict(zip(names, values, strict=True))
            yield orjson.dumps({"columns": columns, "index": distinct.index.tolist()})
        yield b"]}"


class _Distinct:
    """Rows of one or more columns: each different one with its place, and the place of every row."""

    def __init__(self) -> None:
        self.places: dict[tuple[Any, ...], int] = {}
        self.index = array("I")

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows; a new one gets the next place."""
        places = self.places
        self.index.extend([places.setdefault(row, len(places)) for row in rows])

    def values(self) -> list[Any]:
        """Return the value of every row, if there is one column."""
        values = [value for (value,) in self.places]
        return [values[place] for place in self.index]

"""Reads the roster file: the people who may hold accounts.

The file may list a whole company. Python splits it into cells, as it does for every table file; DuckDB cleans and
checks the cells. Only distinct values that are rare or unusual come back to Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path

import orjson

from pipeline.addresses import PLAIN, read_address, read_addresses
from pipeline.errors import RosterError
from pipeline.settings import ROSTER_COLUMNS
from pipeline.tables.cells import TableError
from pipeline.tables.days import order_of, read_day
from pipeline.tables.delimited import CsvTable, read_table
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection
from pipeline.warehouse.roster_columns import RosterColumns, RosterFormat, find_columns

__all__ = ["load_roster"]

_STATUSES = ("active", "leave", "ended")
_TYPES = ("employee", "contractor", "service")
#: The columns that hold more than text, and the kind of their values.
_KINDS = {
    "email": "address",
    "manager_email": "address",
    "aliases": "addresses",
    "employment_status": "status",
    "start_date": "day",
    "end_date": "day",
    "person_type": "type",
}
#: Records handed to DuckDB at once.
_BATCH = 20_000
#: Mistakes and notes listed in one message.
_SHOWN = 10
#: One value that is more than text: kind, text, meaning as text, and what is wrong with it.
_Meaning = tuple[str, str, str | None, str | None]


def load_roster(
    connection: Connection,
    path: Path | None,
    wanted: RosterFormat | None = None,
    *,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[int, str | None]:
    """Replace ``policy.roster`` by the file's people; return how many there are and the hash of the file's bytes.

    A person with an ended and a current employment is there once, by the current one. ``note`` is called with a
    sentence about each group of columns or records that is left out.

    Raises:
        RosterError: the file cannot be read, or lines are wrong; the first ten of them are named.
    """
    connection.execute("delete from policy.roster")
    if path is None:
        return 0, None
    if not path.exists():
        raise RosterError("there is no roster file", where=str(path), hint="correct [roster] path")
    wanted = wanted or RosterFormat()
    table = read_table(path, known=wanted.headings, error=RosterError)
    try:
        columns = find_columns(table.headings, wanted)
        _load_cells(connection, table)
    except TableError as error:
        raise RosterError(error.message, where=str(path), hint=error.hint) from error
    _clean_cells(connection, columns)
    _load_meanings(connection, wanted)
    connection.execute(f"create or replace temp table roster_people as {saved.statement('roster', 'people')}")
    _refuse_problems(connection, path, {name: columns.label(name, table.headings) for name in _KINDS})
    for text in _notes(connection, table, columns):
        note(text)
    connection.execute(f"insert into policy.roster by name {saved.statement('roster', 'current')}")
    [(count,)] = connection.execute("select count(*) from policy.roster").fetchall()
    for name in ("roster_cells", "roster_file", "roster_meanings", "roster_people"):
        connection.execute(f"drop table temp.{name}")
    if count == 0:
        raise RosterError("the roster has no rows", where=str(path), hint="export it again, or remove [roster]")
    return int(count), table.sha256


def _load_cells(connection: Connection, table: CsvTable) -> None:
    """Fill ``temp.roster_cells``: for each record a list of texts, first its line, then its cells."""
    connection.execute("create or replace temp table roster_cells (cells varchar[])")
    rows = table.rows()
    while batch := [[line, *cells] for line, cells in islice(rows, _BATCH)]:
        connection.execute(
            """insert into temp.roster_cells select unnest(from_json($batch, '[["VARCHAR"]]'))""",
            {"batch": orjson.dumps(batch).decode()},
        )


def _clean_cells(connection: Connection, columns: RosterColumns) -> None:
    """Make ``temp.roster_file``: the known columns, trimmed, with composed letters (NFC), null where empty."""

    def cell(position: int) -> str:
        return f"trimmed(nfc_normalize(cells[{position + 2}]))"

    def value(column: str) -> str:
        headings = [
            f"nullif(concat_ws(' ', {', '.join(map(cell, joined))}), '')"
            for joined in columns.positions.get(column, ())
        ]
        if not headings:
            return "null::varchar"
        if column == "aliases":  # every heading adds aliases; for other columns the first that is filled in counts
            return f"nullif(concat_ws(';', {', '.join(headings)}), '')"
        return f"coalesce({', '.join(headings)})"

    values = ", ".join(f"{value(column)} as {column}" for column in ROSTER_COLUMNS)
    connection.execute(
        "create or replace temp table roster_file as"
        f" select cells[1]::bigint as line, {values} from temp.roster_cells"
    )


def _load_meanings(connection: Connection, wanted: RosterFormat) -> None:
    """Make ``temp.roster_meanings``: unusual addresses, days, states and types, each value once."""
    texts: dict[str, set[str]] = {kind: set() for kind in _KINDS.values()}
    for column, kind in _KINDS.items():
        found = connection.execute(
            f"select distinct {column} from temp.roster_file where not regexp_full_match({column}, $plain)",
            {"plain": PLAIN if kind in {"address", "addresses"} else ""},
        ).fetchall()
        texts[kind].update(text for (text,) in found)
    order = order_of(texts["day"])
    readers: dict[str, Callable[[str], str | None]] = {
        "address": read_address,
        "addresses": lambda text: orjson.dumps(read_addresses(text)).decode(),
        "day": lambda text: str(day) if (day := read_day(text, order)) else None,
        "status": lambda text: _word(text, wanted.statuses, _STATUSES),
        "type": lambda text: _word(text, wanted.types, _TYPES),
    }
    meanings = [meaning for kind, read in readers.items() for meaning in _meanings(kind, read, texts[kind])]
    connection.execute(
        "create or replace temp table roster_meanings as"
        " select row[1] as kind, row[2] as text, row[3] as meaning, row[4] as problem"
        """ from (select unnest(from_json($meanings, '[["VARCHAR"]]')) as row)""",
        {"meanings": orjson.dumps(meanings).decode()},
    )


def _meanings(kind: str, read: Callable[[str], str | None], texts: Iterable[str]) -> Iterable[_Meaning]:
    for text in texts:
        try:
            yield kind, text, read(text), None
        except ValueError as error:  # the base of AddressError and DayError
            yield kind, text, None, str(error)


def _word(text: str, translations: Mapping[str, str], words: tuple[str, ...]) -> str:
    word = translations.get(text.lower(), text.lower())
    if word not in words:
        expected = ", ".join(translations) if translations else f"{', '.join(words[:-1])} or {words[-1]}"
        raise ValueError(f"'{text}' is not {'one of ' if translations else ''}{expected}")
    return word


def _refuse_problems(connection: Connection, path: Path, labels: Mapping[str, str]) -> None:
    rows = connection.execute(saved.statement("roster", "problems"), labels).fetchall()
    if rows:
        listed = "; ".join(f"line {line}: {problem}" for line, problem in rows[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        mistakes = "1 mistake" if len(rows) == 1 else f"{len(rows)} mistakes"
        raise RosterError(f"the roster has {mistakes}: {listed}{more}", where=str(path), hint="correct these lines")


def _notes(connection: Connection, table: CsvTable, columns: RosterColumns) -> Iterable[str]:
    if columns.unread:
        yield f"columns that are not read: {', '.join(columns.unread)}"
    if table.encoding == "windows-1252":
        yield "read as Windows-1252; save it as 'CSV UTF-8' if names look wrong"
    rows = connection.execute(saved.statement("roster", "rehires")).fetchall()
    if rows:
        listed = "; ".join(f"{person}: line {kept}, not {left_out}" for person, kept, left_out in rows[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        people = "1 person has" if len(rows) == 1 else f"{len(rows)} people have"
        yield f"{people} an earlier employment, and the current one counts: {listed}{more}"

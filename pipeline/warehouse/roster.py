"""Reads the roster: the people an account may belong to.

The file may hold a whole company. Python splits it into cells, line by line, as every table is read here; what is in
them is cleaned and checked by DuckDB, and only values of which there are few, or which look odd, come back to Python.
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
from pipeline.warehouse.database import Connection
from pipeline.warehouse.roster_columns import RosterColumns, RosterFormat, find_columns

__all__ = ["load_roster"]

_STATUSES = ("active", "leave", "ended")
_TYPES = ("employee", "contractor", "service")
#: The columns that hold more than text, and what they hold.
_KINDS = {
    "email": "address",
    "manager_email": "address",
    "aliases": "addresses",
    "employment_status": "status",
    "start_date": "day",
    "end_date": "day",
    "person_type": "type",
}
#: Records that are handed to DuckDB at once.
_BATCH = 20_000
_SHOWN = 10
#: What a value means: (kind, text, meaning as text, what is wrong with it).
_Meaning = tuple[str, str, str | None, str | None]


def load_roster(
    connection: Connection,
    path: Path | None,
    wanted: RosterFormat | None = None,
    *,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[int, str | None]:
    """Replace ``policy.roster`` by the file's people; return how many and the hash of the bytes that were read.

    A person with an ended and a current employment is there once, by the current one. ``note`` hears what was left
    unread or decided.

    Raises:
        RosterError: the file cannot be read or a line makes no sense; every bad line is named, up to ten.
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
    _load_people(connection)
    _refuse_problems(connection, path, {name: columns.label(name, table.headings) for name in ROSTER_COLUMNS})
    for text in _notes(connection, table, columns):
        note(f"{path.name}: {text}")
    connection.execute(
        """
        insert into policy.roster
        select
            person_id, email, aliases, display_name, manager_email, department, title, employment_status, start_date,
            end_date, person_type, row_number() over (order by line)
        from roster_people
        where is_current
        """
    )
    row = connection.execute("select count(*) from policy.roster").fetchone()
    for name in ("roster_cells", "roster_file", "roster_meanings", "roster_people"):
        connection.execute(f"drop table {name}")
    count = int(row[0]) if row else 0
    if count == 0:
        raise RosterError("the roster names nobody", where=str(path), hint="export it again, or remove [roster]")
    return count, table.sha256


def _load_cells(connection: Connection, table: CsvTable) -> None:
    """Load each record of the file: its line and its cells, as one list of texts."""
    connection.execute("create or replace temp table roster_cells (cells varchar[])")
    rows = table.rows()
    while batch := [[line, *cells] for line, cells in islice(rows, _BATCH)]:
        connection.execute(
            """insert into roster_cells select unnest(from_json($batch, '[["VARCHAR"]]'))""",
            {"batch": orjson.dumps(batch).decode()},
        )


def _clean_cells(connection: Connection, columns: RosterColumns) -> None:
    """Make a table of the known columns: composed, nothing blank or invisible at either end, null where empty."""

    def cell(position: int) -> str:
        return f"trimmed(nfc_normalize(cells[{position + 2}]))"

    def value(column: str) -> str:
        headings = [
            f"nullif(concat_ws(' ', {', '.join(map(cell, joined))}), '')"
            for joined in columns.positions.get(column, ())
        ]
        if not headings:
            return "null::varchar"
        if column == "aliases":  # every one is the person's; of anything else the first that is filled in counts
            return f"nullif(concat_ws(';', {', '.join(headings)}), '')"
        return f"coalesce({', '.join(headings)})"

    values = ", ".join(f"{value(column)} as {column}" for column in ROSTER_COLUMNS)
    connection.execute(
        f"create or replace temp table roster_file as select cells[1]::bigint as line, {values} from roster_cells"
    )


def _load_meanings(connection: Connection, wanted: RosterFormat) -> None:
    """Make a table of what values mean that are more than text: addresses that look odd, days, states and types."""
    texts: dict[str, set[str]] = {kind: set() for kind in _KINDS.values()}
    for column, kind in _KINDS.items():
        found = connection.execute(
            f"select distinct {column} from roster_file where not regexp_full_match({column}, $plain)",
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
        """
        create or replace temp table roster_meanings as
        select row[1] as kind, row[2] as text, row[3] as meaning, row[4] as problem
        from (select unnest(from_json($meanings, '[["VARCHAR"]]')) as row)
        """,
        {"meanings": orjson.dumps(meanings).decode()},
    )


def _meanings(kind: str, read: Callable[[str], str | None], texts: Iterable[str]) -> Iterable[_Meaning]:
    for text in texts:
        try:
            yield kind, text, read(text), None
        except ValueError as error:  # AddressError and DayError are
            yield kind, text, None, str(error)


def _word(text: str, translations: Mapping[str, str], words: tuple[str, ...]) -> str:
    word = translations.get(text.lower(), text.lower())
    if word not in words:
        expected = ", ".join(translations) if translations else f"{', '.join(words[:-1])} or {words[-1]}"
        raise ValueError(f"'{text}' is not {'one of ' if translations else ''}{expected}")
    return word


def _load_people(connection: Connection) -> None:
    """Make a table of the records with their values read, and of which record of a person counts.

    Somebody who left and came back is there with an ended and with a current employment. The one that has not ended
    counts, else the one that ended last. Records that differ in their address, or of which several are current, are
    no such case, but a mistake.
    """
    joins = "\n".join(
        f"left join roster_meanings as {column}_read on {column}_read.kind = '{kind}' "
        f"and {column}_read.text = file.{column}"
        for column, kind in _KINDS.items()
    )
    connection.execute(
        f"""
        create or replace temp table roster_people as
        with read_records as (
            select
                file.line, file.person_id, file.display_name, file.department, file.title,
                coalesce(email_read.meaning, file.email) as email,
                coalesce(manager_email_read.meaning, file.manager_email) as manager_email,
                case
                    when aliases_read.text is not null then from_json(aliases_read.meaning, '["VARCHAR"]')
                    when file.aliases is not null then [file.aliases]
                    else []
                end as aliases,
                employment_status_read.meaning as employment_status,
                cast(start_date_read.meaning as date) as start_date,
                cast(end_date_read.meaning as date) as end_date,
                person_type_read.meaning as person_type
            from roster_file as file
            {joins}
        ),
        keyed_records as (
            select
                * replace (
                    coalesce(person_id, lower(email)) as person_id,
                    list_filter(aliases, lambda alias: lower(alias) <> lower(email)) as aliases
                ),
                employment_status is distinct from 'ended' and end_date is null as is_open
            from read_records
        ),
        counted_records as (
            select
                *,
                count(*) over person as records,
                count(*) filter (is_open) over person as open_records,
                count(distinct lower(email)) over person as addresses,
                count(distinct end_date) over person as end_dates,
                min(line) over person as first_line,
                row_number() over (partition by person_id order by is_open desc, end_date desc nulls last, line)
                    as place
            from keyed_records
            window person as (partition by person_id)
        )
        select
            *, place = 1 as is_current,
            records > 1 and not (
                addresses = 1 and (open_records = 1 or (open_records = 0 and end_dates = records))
            ) as is_repeated
        from counted_records
        """
    )


def _refuse_problems(connection: Connection, path: Path, labels: Mapping[str, str]) -> None:
    by_column = " union all ".join(
        f"select file.line, 'the ' || ${column} || ' ' || read.problem from roster_file as file "
        f"join roster_meanings as read on read.kind = '{kind}' and read.text = file.{column} "
        "where read.problem is not null"
        for column, kind in _KINDS.items()
    )
    rows = connection.execute(
        f"""
        with problems (line, problem) as (
            {by_column}
            union all
            select line, 'there is no ' || $email from roster_file where email is null
            union all
            select line, 'the person_id ''' || person_id || ''' is there already, in line ' || first_line
            from roster_people
            where is_repeated and line > first_line and person_id is not null
        )
        select line, problem from problems order by line, problem
        """,
        {column: labels[column] for column in _KINDS},
    ).fetchall()
    if rows:
        listed = "; ".join(f"line {line}: {problem}" for line, problem in rows[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        mistakes = "a mistake" if len(rows) == 1 else f"{len(rows)} mistakes"
        raise RosterError(f"the roster has {mistakes}: {listed}{more}", where=str(path), hint="correct these lines")


def _notes(connection: Connection, table: CsvTable, columns: RosterColumns) -> Iterable[str]:
    if columns.unread:
        yield f"columns that are not read: {', '.join(columns.unread)}"
    if table.encoding == "windows-1252":
        yield "read as Windows-1252; save it as 'CSV UTF-8' if names look wrong"
    rows = connection.execute(
        """
        select
            person_id, max(line) filter (is_current), string_agg(line, ', ' order by line) filter (not is_current)
        from roster_people
        where records > 1
        group by person_id
        order by person_id
        """
    ).fetchall()
    if rows:
        listed = "; ".join(f"{person}: line {kept}, not {left_out}" for person, kept, left_out in rows[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        people = "1 person has" if len(rows) == 1 else f"{len(rows)} people have"
        yield f"{people} an earlier employment, and the current one counts: {listed}{more}"

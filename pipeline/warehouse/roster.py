"""Reads the roster: the people an account may belong to.

The file may hold a whole company, so DuckDB reads it. Python holds it to its header first, line by line: DuckDB would
drop everybody after a quote that is never closed, without a word.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipeline.errors import RosterError
from pipeline.settings import nearest
from pipeline.warehouse.database import Connection

__all__ = ["load_roster"]

_COLUMNS = (
    "person_id",
    "email",
    "aliases",
    "display_name",
    "manager_email",
    "department",
    "title",
    "employment_status",
    "start_date",
    "end_date",
    "person_type",
)


def load_roster(connection: Connection, path: Path | None) -> tuple[int, str | None]:
    """Replace ``policy.roster`` by the file's people; return how many and the file's hash.

    Raises:
        RosterError: the file cannot be read or a line makes no sense; every bad line is named, up to ten.
    """
    connection.execute("delete from policy.roster")
    if path is None:
        return 0, None
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        header = next(csv.reader([text.partition("\n")[0].rstrip("\r")]), [])
    except FileNotFoundError as error:
        raise RosterError("there is no roster file", where=str(path), hint="correct [roster] path") from error
    except OSError as error:
        raise RosterError(
            f"the roster cannot be read: {error.strerror}", where=str(path), hint="check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RosterError(
            f"the roster is not UTF-8 text: line {line}", where=str(path), hint="save it as 'CSV UTF-8'"
        ) from error
    except csv.Error as error:
        raise RosterError(
            f"the roster's header is not CSV: {error}", where=str(path), hint="save it as CSV"
        ) from error
    delimiter = ";" if len(header) == 1 and ";" in header[0] else ","
    if delimiter == ";":
        header = header[0].split(";")
    columns = [name.strip().strip('"').lower() for name in header]
    _check_header(path, columns)
    record_count = _check_records(path, text, delimiter, len(columns))
    _read(connection, path, columns, delimiter, record_count)
    problems = _problems(connection)
    if problems:
        lines = [line for line, _ in _records(text, delimiter)]
        listed = "; ".join(f"line {lines[row]}: {what}" for row, what in problems[:10])
        more = f"; and {len(problems) - 10} more" if len(problems) > 10 else ""
        mistakes = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise RosterError(f"the roster has {mistakes}: {listed}{more}", where=str(path), hint="correct these lines")
    connection.execute(
        """
        insert into policy.roster
        select coalesce(person_id, lower(email)), email,
               list_filter(string_split_regex(coalesce(aliases, ''), '[;,|\\s]+'), lambda alias: alias <> ''),
               display_name, manager_email, department, title, lower(employment_status),
               try_cast(start_date as date), try_cast(end_date as date), lower(person_type), "row"
        from roster_file
        order by "row"
        """
    )
    row = connection.execute("select count(*) from policy.roster").fetchone()
    connection.execute("drop table roster_file")
    count = int(row[0]) if row else 0
    if count == 0:
        raise RosterError("the roster names nobody", where=str(path), hint="export it again, or remove [roster]")
    return count, hashlib.sha256(content).hexdigest()


def _check_header(path: Path, columns: list[str]) -> None:
    if "email" not in columns:
        raise RosterError(
            "the roster has no 'email' column", where=str(path), hint=f"the columns are: {', '.join(_COLUMNS)}"
        )
    for name in columns:
        if name not in _COLUMNS:
            match = nearest(name, _COLUMNS)
            raise RosterError(
                f"unknown roster column '{name}'",
                where=str(path),
                hint=f"did you mean '{match}'?" if match else f"the columns are: {', '.join(_COLUMNS)}",
            )
        if columns.count(name) > 1:
            raise RosterError(f"the roster has two columns '{name}'", where=str(path), hint="keep one of them")


def _check_records(path: Path, text: str, delimiter: str, width: int) -> int:
    """Hold every record to the header's width; return how many there are, the header left out."""
    count = -1
    try:
        for line, cells in _records(text, delimiter):
            if len(cells) != width:
                raise RosterError(
                    f"line {line} of the roster has {len(cells)} cells, and the header has {width}",
                    where=str(path),
                    hint=f"put cells that hold a '{delimiter}' in \"quotes\"",
                )
            count += 1
    except csv.Error as error:
        line, reason = error.args
        raise RosterError(
            f"line {line} of the roster is not CSV: {reason}", where=str(path), hint="close every quote"
        ) from error
    return count


def _read(connection: Connection, path: Path, columns: list[str], delimiter: str, record_count: int) -> None:
    """Read the file into a temporary table with every column as text, trimmed, null where empty."""
    cells = [
        f"nullif(trim({name}), '') as {name}" if name in columns else f"null::varchar as {name}" for name in _COLUMNS
    ]
    try:
        connection.execute(
            f"""
            create or replace temp table roster_file as
            select {", ".join(cells)}, row_number() over () as "row"
            from read_csv($path, header = false, skip = 1, columns = $columns, delim = $delimiter,
                          quote = '"', escape = '"', auto_detect = false, parallel = false, null_padding = false)
            {"where email is not null" if len(columns) == 1 else ""}  -- blank lines, which are no records
            """,
            {"path": str(path), "columns": dict.fromkeys(columns, "varchar"), "delimiter": delimiter},
        )
    except duckdb.Error as error:
        raise RosterError(
            f"the roster cannot be read as CSV: {str(error).splitlines()[0]}",
            where=str(path),
            hint="save it again as 'CSV UTF-8', with one kind of line end",
        ) from error
    row = connection.execute("select count(*) from roster_file").fetchone()
    if row != (record_count,):
        raise RosterError(
            f"the roster has {record_count} records, and {row and row[0]} could be read",
            where=str(path),
            hint="save it again as 'CSV UTF-8'",
        )


def _problems(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(
        """
        with problems as (
            select "row", 'there is no email' as problem from roster_file where email is null
            union all
            select "row", '''' || employment_status || ''' is not active, leave or ended' from roster_file
            where lower(employment_status) not in ('active', 'leave', 'ended')
            union all
            select "row", '''' || person_type || ''' is not employee, contractor or service' from roster_file
            where lower(person_type) not in ('employee', 'contractor', 'service')
            union all
            select "row", 'the start_date ''' || start_date || ''' is not a date like 2026-01-31' from roster_file
            where start_date is not null
              and (try_cast(start_date as date) is null or not regexp_full_match(start_date, '\\d{4}-\\d{2}-\\d{2}'))
            union all
            select "row", 'the end_date ''' || end_date || ''' is not a date like 2026-01-31' from roster_file
            where end_date is not null
              and (try_cast(end_date as date) is null or not regexp_full_match(end_date, '\\d{4}-\\d{2}-\\d{2}'))
            union all
            select "row", 'the person_id ''' || coalesce(person_id, lower(email)) || ''' is there already'
            from roster_file
            where coalesce(person_id, email) is not null
            qualify row_number() over (partition by coalesce(person_id, lower(email)) order by "row") > 1
        )
        select "row", problem from problems order by "row", problem
        """
    ).fetchall()
    return [(int(row), str(problem)) for row, problem in rows]


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it begins on: a quoted cell may span lines, and blank lines are none.

    Raises:
        csv.Error: a quote is left open, or text follows one that is closed. Its first argument is the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise csv.Error(line, error) from error
        if cells:
            yield line, cells

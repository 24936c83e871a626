"""Runs a query of the user, and explains what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from pipeline.errors import QueryError
from pipeline.spelling import nearest
from pipeline.warehouse.database import Connection

__all__ = ["run", "stream"]

_T = TypeVar("_T")
_READ_ONLY = "this command only reads the database; it cannot write, open files or use the network"


def run(
    connection: Connection, query: str, values: Mapping[str, object]
) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the column names and the rows of one select. The connection must be a sandbox.

    Raises:
        QueryError: it is not one statement, does not run, or asks for what the sandbox refuses.
    """

    def read() -> tuple[list[str], list[tuple[object, ...]]]:
        cursor = connection.execute(query, dict(values)) if values else connection.execute(query)
        header = _distinct([str(column[0]) for column in cursor.description or []])
        return header, cursor.fetchall()

    with _explained(connection, query):
        _check(connection, query)
        return _interruptible(connection, read)


def stream(connection: Connection, query: str, values: Mapping[str, object]) -> duckdb.DuckDBPyRelation:
    """Return the rows of one select as an Arrow stream, with their types. The connection must be a sandbox.

    Raises:
        QueryError: as :func:`run`.
    """
    with _explained(connection, query):
        _check(connection, query)
        return _interruptible(connection, lambda: connection.sql(query, params=dict(values) or None).materialize())


def _interruptible(connection: Connection, work: Callable[[], _T]) -> _T:
    """Run a query in a thread, so that the main thread, which alone gets Ctrl-C, can interrupt it."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            while not future.done():
                connection.interrupt()
                wait([future], timeout=0.1)
            raise


def _check(connection: Connection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise QueryError(
            f"there are {len(statements)} statements" if statements else "the query is empty",
            where="sql",
            hint="give one select, without another after it",
        )
    if statements[0].type not in {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}:
        raise QueryError("the statement is not a select", where="sql", hint=_READ_ONLY)


@contextmanager
def _explained(connection: Connection, query: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        text = str(error).strip()
        raise QueryError(
            text.splitlines()[0] if text else type(error).__name__, where="sql", hint=_hint(connection, text, query)
        ) from error


def _distinct(names: list[str]) -> list[str]:
    """Number the names that come twice, as in ``select a.id, b.id``, so that no column hides another."""
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free in found:
            number, free = number + 1, f"{name}_{number}"
        found.append(free)
    return found


def _hint(connection: Connection, text: str, query: str) -> str:
    unknown = re.search(r"Table with name (\S+?)!? does not exist", text)
    if unknown:
        rows = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not internal"
            " union all select schema_name || '.' || view_name from duckdb_views() where not internal order by all"
        ).fetchall()
        tables = [row[0] for row in rows]
        table = re.search(rf"(\w+\.)?{re.escape(unknown[1].strip('!').split('.')[-1])}\b", query)
        match = nearest(table[0] if table else unknown[1], tables)
        return f"did you mean {match}?" if match else "'select * from duckdb_tables()' lists the tables"
    candidates = re.search(r"Candidate bindings: (.+)", text)
    if candidates:
        return f"the columns most like it: {candidates[1]}"
    if "read-only" in text or "disabled" in text or "Permission Error" in text:
        return _READ_ONLY
    if "parameter" in text.lower():
        return "give each $name of the query with --param name=value, and no others"
    return "correct the query; 'access-review rules show RULE' has examples"

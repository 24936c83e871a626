"""A copy of the database in which keyed pseudonyms stand for names, addresses and ids of people.

Every file of a report to show outside is rendered from such a copy, so that no renderer can say more. The copy has no
source rows, no rows of reviews and policy, and no history. The same key always gives the same pseudonym for the same
value (HMAC-SHA256, without regard to case). Without the key, a pseudonym cannot be computed from a guessed value.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline import atomic
from pipeline.kept_key import kept_key
from pipeline.warehouse import copies, database, saved
from pipeline.warehouse.database import Connection

__all__ = ["LEFT_OUT", "MARK", "Pseudonyms", "is_pseudonymised", "pseudonym_key", "pseudonymised_copy"]

#: What stands before the name of the organization, and so on every page.
MARK = "PSEUDONYMISED"
#: Takes the place of text that a person wrote.
LEFT_OUT = "[left out]"
#: The schemas that reports read. The rows of all others are deleted from the copy.
_READ = ("reports", "graph", "findings", "reference", "meta")
_READ_TABLES = ("policy.email_domains", "policy.roster")
#: The table that only a copy with pseudonyms has.
_SIGN = "meta.pseudonymised"
#: How a pseudonym looks, by the kind of what it stands for.
_FORMS = {
    "address": "p-{}@pseudonym.invalid",
    "domain": "d-{}.pseudonym.invalid",
    "name": "Person {}",
    "login": "user-{}",
    "id": "id-{}",
    "object": "object-{}",
    "written": LEFT_OUT,
}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:|\[\]]+@[^\s<>\"'(),;:|\[\]]+\.[^\W_]+")
_WORD = re.compile(r"[^\W_]+")
#: Digits of a pseudonym: 48 bits, so that 100,000 people have different ones.
_DIGITS = 12


class Pseudonyms:
    """Replaces identities in text. ``identities`` has the kind of each value; ``key`` is secret."""

    def __init__(self, key: bytes, identities: Mapping[str, str]) -> None:
        self._key = key
        self._kinds = {value.lower(): kind for value, kind in identities.items()}
        self._by_word: dict[str, list[str]] = {}
        for value in self._kinds:
            if found := _WORD.search(value):
                self._by_word.setdefault(found[0], []).append(value)
        for values in self._by_word.values():
            values.sort(key=len, reverse=True)
        self._known: dict[str, str] = {}

    def of(self, value: str, kind: str) -> str:
        """Return the pseudonym of one value."""
        digest = hmac.new(self._key, f"{kind}:{value.strip().lower()}".encode(), hashlib.sha256).hexdigest()
        return _FORMS[kind].format(digest[:_DIGITS])

    def text(self, text: str) -> str:
        """Return a text with a pseudonym in the place of every identity in it."""
        if text not in self._known:
            self._known[text] = self._replaced(text)
        return self._known[text]

    def cell(self, text: str, kind: str) -> str:
        """Return what stands in a column about people: a pseudonym, also for a name that is not known elsewhere."""
        replaced = self.text(text)
        return self.of(text, kind) if text.strip() and replaced == text else replaced

    def _replaced(self, text: str) -> str:
        if kind := self._kinds.get(text.lower()):
            return self.of(text, kind)
        pieces, end = [], 0
        for found in _ADDRESS.finditer(text):
            pieces += [self._names(text[end : found.start()]), self.of(found[0], "address")]
            end = found.end()
        return "".join([*pieces, self._names(text[end:])])

    def _names(self, text: str) -> str:
        lower = text.lower()
        if len(lower) != len(text):  # positions differ, as for the Turkish dotted I
            return LEFT_OUT
        pieces, end = [], 0
        for word in _WORD.finditer(lower):
            if word.start() < end:
                continue
            for value in self._by_word.get(word[0], ()):
                begin = word.start() - (_WORD.search(value) or word).start()
                stop = begin + len(value)
                if begin >= end and lower.startswith(value, begin) and not lower[stop : stop + 1].isalnum():
                    pieces += [text[end:begin], self.of(value, self._kinds[value])]
                    end = stop
                    break
        return "".join([*pieces, text[end:]])


def pseudonym_key(database_path: Path) -> bytes:
    """Return the key of the pseudonyms, which is made once for each database and kept beside it.

    Raises:
        WarehouseError: the file cannot be written or read.
    """
    path = database_path.with_name(database_path.name + ".pseudonym-key")
    return kept_key(path, "pseudonyms", hint="remove the file; the next report then has other pseudonyms")


@contextmanager
def pseudonymised_copy(original: Connection, key: bytes) -> Iterator[Path]:
    """Yield the path of a copy with pseudonyms, which is removed when the block ends.

    The original is open for reading, so that no other process writes it meanwhile.

    Raises:
        WarehouseError: the copy cannot be read or written.
    """
    [(file,)] = original.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    path = Path(file)
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(atomic.scratch_folder(path.parent, path.name)) / path.name
        except OSError as error:
            raise copies.unwritten(error.strerror or str(error), path) from error
        copies.copy_open(path, copy, shown=path)
        with database.writing(copy, notify=lambda _: None) as connection:
            _replace(connection, key)
        yield copy


def _replace(connection: Connection, key: bytes) -> None:
    found = connection.execute(saved.statement("privacy", "identities")).fetchall()
    pseudonyms = Pseudonyms(key, {str(value): str(kind) for value, kind in found})
    for schema, table in _tables(connection):
        if schema not in _READ and f"{schema}.{table}" not in _READ_TABLES:
            connection.execute(f'delete from {schema}."{table}"')
    functions: dict[str, Callable[[str], str]] = {
        "replace": pseudonyms.text,
        "hash": lambda text: pseudonyms.of(text, "id"),
        "login": lambda text: pseudonyms.cell(text, "login"),
        "address": lambda text: pseudonyms.cell(text, "address"),
        "name": lambda text: pseudonyms.cell(text, "name"),
        "leave_out": lambda _: LEFT_OUT,
    }
    columns = connection.execute(saved.statement("privacy", "columns")).fetchall()
    for schema, table, column, kind, treatment in columns:
        _replace_column(connection, f'{schema}."{table}"', (column, kind), functions[treatment])
    for table in ("reports.snapshot", "reference.snapshot"):
        connection.execute(
            f"update {table} set organization = $mark || ' · ' || organization, folder = folder || '-pseudonymised'",
            {"mark": MARK},
        )
    # The folder is chained to no report, and no report to it.
    connection.execute("delete from meta.reports")
    connection.execute(f"create table {_SIGN} as select true as is_pseudonymised")


def _replace_column(
    connection: Connection, table: str, column: tuple[str, str], function: Callable[[str], str]
) -> None:
    """Replace the values of one column, given by name and type; each different value is computed once."""
    name, kind = column
    text, value = f'"{name}"', "replaced.pseudonym"
    if kind != "VARCHAR":  # a list, an object or JSON: as the text that it is written as
        text, value = f"cast(to_json({text}) as varchar)", f"cast(cast({value} as json) as {kind})"
    found = connection.execute(f'select distinct {text} from {table} where "{name}" is not null').fetchall()
    pairs = [(original, function(original)) for (original,) in found]
    originals = [original for original, pseudonym in pairs if pseudonym != original]
    if not originals:
        return
    connection.execute(
        "create or replace temp table replaced as"
        " select unnest($originals) as original, unnest($pseudonyms) as pseudonym",
        {"originals": originals, "pseudonyms": [pseudonym for original, pseudonym in pairs if pseudonym != original]},
    )
    connection.execute(f'update {table} set "{name}" = {value} from replaced where replaced.original = {text}')


def is_pseudonymised(connection: Connection) -> bool:
    """Return whether a database is a copy with pseudonyms."""
    found = "select count(*) from duckdb_tables() where schema_name || '.' || table_name = $sign"
    return bool(connection.execute(found, {"sign": _SIGN}).fetchall()[0][0])


def _tables(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where not internal and database_name = current_database()"
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]

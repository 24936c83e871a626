"""Files of a report for other programs: each is one query, ``sql/exports/<name>.sql``.

The comments at its top say what it gives, whose published format it has, and when that was checked. A query with a
``document`` column is a JSON file, any other a CSV file. A query that asks for ``$source`` gives a file for each
source that has accounts. An export without a file is a format of ``watch``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import resources
from pipeline.errors import ModelError, UsageError
from pipeline.evidence.sealing import Draft
from pipeline.reporting import csv
from pipeline.spelling import nearest
from pipeline.warehouse import saved
from pipeline.warehouse.database import Connection
from pipeline.warehouse.saved import SavedQuery

__all__ = ["FOLDER", "Export", "chosen", "exports", "names_below", "with_values", "write"]

#: The folder of the exports in a report folder. What lies there is sealed, and is no input of a rebuild.
FOLDER = "exports"
_FACT = re.compile(r"^-- (?P<key>file|source|checked): (?P<value>\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Export:
    """One export. ``file`` is None for a format of ``watch``; ``source`` is where the format is published."""

    query: SavedQuery
    file: str | None
    source: str
    checked: str

    @property
    def name(self) -> str:
        """Return what ``--export`` calls it."""
        return self.query.name

    @property
    def command(self) -> str:
        """Return the command that writes it."""
        return f"report --export {self.name}" if self.file else f"watch --format {self.name}"


def exports() -> list[Export]:
    """Return all exports, by name.

    Raises:
        ModelError: a file does not say whose format it has, or when that was checked.
    """
    folder = resources.sql() / "exports"
    return [_export(query, folder / f"{query.name}.sql") for query in saved.load_queries(folder)]


def _export(query: SavedQuery, path: Path) -> Export:
    facts = {found["key"]: found["value"] for found in _FACT.finditer(path.read_text(encoding="utf-8"))}
    if not {"source", "checked"} <= set(facts):
        raise ModelError(
            "the export does not say whose format it has",
            where=str(path),
            hint="write '-- source: ADDRESS' and '-- checked: DATE' at its top",
        )
    return Export(query, facts.get("file"), facts["source"], facts["checked"])


def chosen(names: Iterable[str]) -> tuple[Export, ...]:
    """Return the exports of these names that are files of a report, each once, in the order of their names.

    Raises:
        UsageError: there is no such export, or ``watch`` writes it.
    """
    known = {export.name: export for export in exports()}
    wanted = sorted(set(names))
    for name in wanted:
        if name not in known:
            match = nearest(name, known)
            files = ", ".join(export.name for export in known.values() if export.file)
            raise UsageError(
                f"there is no export '{name}'",
                where="--export",
                hint=(f"did you mean '{match}'? " if match else "") + f"use {files}; --export list describes them",
            )
        if known[name].file is None:
            raise UsageError(
                f"'{name}' is a format of events, not of a report",
                where="--export",
                hint=f"write: access-review {known[name].command}",
            )
    return tuple(known[name] for name in wanted)


def names_below(folder: Path) -> set[str]:
    """Return the paths of the exports that a report folder has."""
    return {f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*")}


def write(connection: Connection, export: Export, draft: Draft) -> Iterator[tuple[str, int]]:
    """Write an export into a report folder; yield each file's path in it, and how many cells were neutralised.

    Raises:
        RenderError: a file cannot be written.
        OSError: a file cannot be written.
    """
    (draft.folder / FOLDER).mkdir(exist_ok=True)
    for name, values in _files(connection, export):
        path = f"{FOLDER}/{name}"
        if name.endswith(".json"):
            draft.file(path).write_bytes(_document(connection, export.query.sql))
            yield path, 0
        else:
            yield path, csv.write(connection, export.query.sql, draft.file(path), order_by="all", parameters=values)


def _files(connection: Connection, export: Export) -> list[tuple[str, dict[str, object]]]:
    """Return the name of each file of an export, and the values of its query."""
    file = str(export.file)
    if "source" not in export.query.parameters:
        return [(file, {})]
    rows = connection.execute("select source from reports.sources where account_count > 0 order by source")
    sources = [str(source) for (source,) in rows.fetchall()]
    stem, dot, ending = file.rpartition(".")
    several = len(sources) > 1
    return [(f"{stem}-{source}{dot}{ending}" if several else file, {"source": source}) for source in sources]


def _document(connection: Connection, sql: str) -> bytes:
    """Return the document of a query as JSON; what has no value is left out."""
    connection.execute(saved.statement("reporting", "name_uuid"))
    [(text,)] = connection.execute(sql).fetchall()
    return (json.dumps(with_values(json.loads(text)), ensure_ascii=False, indent=1) + "\n").encode()


def with_values(value: Any) -> Any:
    """Return a value of JSON without what is null and without empty lists, at any depth."""
    if isinstance(value, dict):
        kept = {key: with_values(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != []}
    if isinstance(value, list):
        return [with_values(item) for item in value if item is not None]
    return value

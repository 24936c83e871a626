"""The manifest of a report folder: the hash of every file, and what the report was made from.

``data_sha256`` is the SHA-256 of one line for each data file, sorted by path: ``<sha256>  <path>`` and a line feed.
``sha256sum`` prints such lines, so :data:`SHELL_CHECK` can check it without this program. Data files are the CSV
files and all files below ``raw/``, ``sql/`` and ``inputs/``.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import __version__, resources
from pipeline.warehouse import archive, saved
from pipeline.warehouse.database import Connection
from pipeline.warehouse.pseudonyms import is_pseudonymised

__all__ = [
    "AUTHORITY",
    "FIELDS",
    "KEYS",
    "MANIFEST",
    "OPTIONAL_FIELDS",
    "PSEUDONYMISED",
    "SCHEMA_VERSION",
    "SHELL_CHECK",
    "SIDE_FILES",
    "SIGNATURE",
    "TIME_STAMP",
    "SealedFile",
    "compose",
    "data_sha256",
    "extract_end",
    "files_below",
    "sealed_files",
    "tool",
]

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
TIME_STAMP = "manifest.json.tsr"
#: The files that the manifest cannot list: itself, and what is made of its hash.
SIDE_FILES = frozenset({MANIFEST, SIGNATURE, TIME_STAMP})
SCHEMA_VERSION = 1
#: A shell command that prints ``data_sha256`` when it runs in a report folder.
SHELL_CHECK = "find *.csv raw sql inputs -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
PSEUDONYMISED, AUTHORITY = "pseudonymised", "timestamp_authority"
#: The keys that not every manifest has, and what each holds. They come before ``files``. A time stamp cannot be
#: listed, because it is made of the manifest; but that one was to come can.
OPTIONAL_FIELDS = {
    PSEUDONYMISED: "True in a folder with pseudonyms.",
    AUTHORITY: "The time-stamping authority that was asked for a stamp when the folder was sealed.",
}
#: The keys of every manifest, in their order, and what each holds.
FIELDS = {
    "schema_version": "The version of this format.",
    "snapshot_id": "The snapshot that the report shows.",
    "build_id": "A hash of everything that the build depends on: rows, SQL, policy, roster, parameters.",
    "data_sha256": "The hash over all data files. The PDF prints it.",
    "previous_manifest_sha256": "The hash of the manifest of the previous snapshot's report; null for the first.",
    "organization": "The name in the configuration.",
    "sources": "For each source: name, address, API and version, and the account that read it, with its role.",
    "as_of": "The time at which the rules were evaluated.",
    "extracted": "When the extract started and finished.",
    "tool": "The version of the program, of Python and of DuckDB.",
    "completeness": "FULL or PARTIAL, the reason, and the result of every completeness check.",
    "counts": "The main figures of the report. The figures of each group add up to its total.",
    "config_sha256": "The hash of the configuration file.",
    "rules": "For each rule: whether it was enabled, its parameters, and the hash of its SQL.",
    "roster": "The roster file, its rows and its hash; null without a roster.",
    "baseline_snapshot_id": "The snapshot that this one was compared with; null without one.",
    "formula_cells_neutralised": "How many CSV cells got an apostrophe, so that no spreadsheet runs them.",
    "files": "For each file but this one, its signature and its time stamp: path, bytes, hash, rows of a table.",
}
KEYS = tuple(FIELDS)
#: Sections of the summary that the manifest counts: each adds up in itself, or to the accounts or open findings.
_COUNTED = ("headline", "status", "last_seen", "severity")
_CHECKS = """
    select check_id, source, result, is_gate from reports.reconciliation order by source, not is_gate, check_id
"""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One file: its path below the folder (with ``/``), its size, its hash, and the rows of a table."""

    path: str
    bytes: int
    sha256: str
    rows: int | None

    @property
    def is_data(self) -> bool:
        """Return whether the file is part of ``data_sha256``."""
        top, _, rest = self.path.partition("/")
        return top in archive.FOLDERS if rest else top.endswith(".csv")


def files_below(folder: Path) -> list[str]:
    """Return the sorted paths of all files and links below a folder; links are not followed."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )


def sealed_files(connection: Connection, folder: Path, paths: Iterable[str]) -> list[SealedFile]:
    """Return the size, hash and rows of files below a folder. The connection reads the rows of Parquet files."""
    return [_sealed(connection, folder / path, path) for path in paths]


def _sealed(connection: Connection, file: Path, path: str) -> SealedFile:
    digest = hashlib.sha256()
    size = 0
    lines = 0
    quoted = False
    is_csv = file.suffix == ".csv"
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if is_csv:
                # A line end between an odd and an even quote belongs to a cell; a doubled quote changes nothing.
                parts = chunk.split(b'"')
                lines += sum(part.count(b"\n") for part in parts[quoted::2])
                quoted ^= (len(parts) - 1) % 2 == 1
    rows = None
    if is_csv:
        rows = max(lines - 1, 0)
    elif file.suffix == ".parquet":
        rows = archive.parquet_rows(connection, file)
    return SealedFile(path, size, digest.hexdigest(), rows)


def data_sha256(files: Iterable[SealedFile]) -> str:
    """Return the hash over all data files."""
    listed = sorted((file.path, file.sha256) for file in files if file.is_data)
    return hashlib.sha256("".join(f"{sha256}  {path}\n" for path, sha256 in listed).encode()).hexdigest()


def extract_end(document: Mapping[str, Any]) -> datetime | None:
    """Return when the extract of a manifest ended (UTC), or None if the manifest does not say it in this form."""
    try:
        moment = datetime.fromisoformat(document["extracted"]["finished_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def tool() -> dict[str, str]:
    """Return the program and the versions that may change the bytes of a report."""
    return {
        "name": "sisense-access-review",
        "version": __version__,
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
    }


def compose(
    connection: Connection,
    files: Iterable[SealedFile],
    *,
    neutralised: int,
    previous_manifest_sha256: str | None,
    authority: str | None,
) -> bytes:
    """Return the bytes of the manifest of the current build; the same build and files give the same bytes.

    ``authority`` is the address of the authority that is asked for a time stamp afterwards.
    """
    files = list(files)
    [snapshot] = _rows(connection, "select * from reports.snapshot")
    [build] = saved.rows(connection, resources.sql() / "reporting", "manifest")
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "snapshot_id": snapshot["snapshot_id"],
        "build_id": snapshot["build_id"],
        "data_sha256": data_sha256(files),
        "previous_manifest_sha256": previous_manifest_sha256,
        "organization": snapshot["organization"],
        "sources": _sources(connection),
        "as_of": _moment(snapshot["as_of"]),
        "extracted": {
            "started_at": _moment(snapshot["started_at"]),
            "finished_at": _moment(snapshot["finished_at"]),
        },
        "tool": tool(),
        "completeness": {
            "state": snapshot["completeness"],
            "reason": snapshot["reason"],
            "checks": _rows(connection, _CHECKS),
        },
        "counts": _counts(connection),
        "config_sha256": build["config_sha256"],
        "rules": _rules(connection, json.loads(build["parameters"])["rules"]),
        "roster": (
            {"path": build["roster_file"], "rows": build["people"], "sha256": build["roster_sha256"]}
            if build["roster_sha256"]
            else None
        ),
        "baseline_snapshot_id": snapshot["baseline_snapshot_id"],
        "formula_cells_neutralised": neutralised,
        **({PSEUDONYMISED: True} if is_pseudonymised(connection) else {}),
        **({AUTHORITY: authority} if authority is not None else {}),
        "files": [asdict(file) for file in sorted(files, key=lambda file: file.path)],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query, each by the names of its columns."""
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _sources(connection: Connection) -> list[dict[str, Any]]:
    return [
        {
            "name": row["source"],
            "url": row["url"],
            "api": row["api"],
            "version": row["version"],
            "principal": {"user_name": row["principal_user_name"], "role": row["principal_role_name"]},
        }
        for row in _rows(connection, "select * from reports.sources order by source")
    ]


def _counts(connection: Connection) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {section: {} for section in _COUNTED}
    for row in _rows(connection, "select section, key, value from reports.summary order by section, position, key"):
        if row["section"] in counts:
            counts[row["section"]][row["key"]] = row["value"]
    return counts


def _rules(connection: Connection, given: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "rule_id": row["rule_id"],
            "enabled": row["enabled"],
            "parameters": {key: value for key, value in given[row["rule_id"]].items() if key != "enabled"},
            "sql_sha256": row["sql_sha256"],
        }
        for row in _rows(connection, "select rule_id, enabled, sql_sha256 from reports.rule_summary order by rule_id")
    ]


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds") + "Z"

"""Fills ``reference`` and ``policy``: the lists that ship with the program, and the policy folder.

A row of a policy file replaces the default rows of the same key; other defaults stay. Every mistake names the
file and the line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.addresses import AddressError, read_address
from pipeline.errors import ConfigurationError
from pipeline.spelling import nearest
from pipeline.tables.cells import TableError, trimmed
from pipeline.tables.days import DayError, order_of, read_day
from pipeline.tables.delimited import CsvTable, read_table
from pipeline.warehouse.database import Connection, insert

__all__ = ["PolicyFiles", "check_rule_ids", "load_policy", "load_reference", "replace"]

Parser = Callable[[str], object]


def _text(cell: str) -> str:
    return cell


def _day(cell: str) -> object:
    return read_day(cell)


def _approver(cell: str) -> str:
    """Return who approved: by name, or by an address that is one."""
    return read_address(cell) if "@" in cell else cell


def _rank(cell: str) -> int:
    if not (cell.isdecimal() and len(cell) <= 3 and int(cell) <= 100):
        raise ValueError("write a whole number from 0 to 100")
    return int(cell)


def _truth(cell: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if cell.lower() not in known:
        raise ValueError("write true or false")
    return known[cell.lower()]


def _kind(cell: str) -> str:
    source, separator, kind = cell.lower().rpartition(":")
    if not kind or (separator and not source) or (not separator and kind not in {"role", "group"}):
        raise ValueError("write role or group, or the type of one application: hr_app:permission")
    return cell.lower()


def _object_type(cell: str) -> str:
    if cell.lower() not in {"dashboard", "model", "folder"}:
        raise ValueError("write dashboard, model or folder")
    return cell.lower()


@dataclass(frozen=True, slots=True)
class _PolicyFile:
    """One policy file: its columns with their parsers, which may be empty, and what makes two rows the same."""

    name: str
    columns: Mapping[str, Parser]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    one_of: tuple[str, ...] = ()


_POLICY_FILES = (
    _PolicyFile(
        "roles",
        {"role_name": _text, "rank": _rank, "privileged": _truth, "source": _text},
        ("source", "role_name"),
        frozenset({"source"}),
    ),
    _PolicyFile("privileged_groups", {"group_name": _text}, ("group_name",)),
    _PolicyFile(
        "service_accounts",
        {"user_name": _text, "email": _text, "owner_email": read_address, "purpose": _text, "review_by": _day},
        ("user_name", "email"),
        frozenset({"user_name", "email", "owner_email", "purpose", "review_by"}),
        one_of=("user_name", "email"),
    ),
    _PolicyFile(
        "break_glass",
        {"user_name": _text, "email": _text, "owner_email": read_address, "purpose": _text},
        ("user_name", "email"),
        frozenset({"user_name", "email", "owner_email", "purpose"}),
        one_of=("user_name", "email"),
    ),
    _PolicyFile(
        "sod_pairs",
        {"left_type": _kind, "left_name": _text, "right_type": _kind, "right_name": _text, "reason": _text},
        ("left_type", "left_name", "right_type", "right_name"),
        frozenset({"reason"}),
    ),
    _PolicyFile(
        "exceptions",
        {
            "rule_id": _text,
            "source": _text,
            "subject": _text,
            "reason": _text,
            "approved_by": _approver,
            "expires_on": _day,
        },
        ("rule_id", "source", "subject"),
        frozenset({"source"}),
    ),
    _PolicyFile(
        "out_of_scope",
        {"source": _text, "subject": _text, "reason": _text, "approved_by": _approver},
        ("source", "subject"),
        frozenset({"source"}),
    ),
    _PolicyFile(
        "owners",
        {"entitlement_type": _kind, "entitlement_name": _text, "reviewer_email": read_address},
        ("entitlement_type", "entitlement_name"),
    ),
    _PolicyFile(
        "objects",
        {
            "object": _text,
            "sensitivity": _text,
            "owner_email": read_address,
            "source": _text,
            "object_type": _object_type,
        },
        ("source", "object_type", "object"),
        frozenset({"owner_email", "source", "object_type"}),
    ),
)

_REFERENCE_FILES = (
    _PolicyFile("role_names", {"role_name": _text, "display_name": _text, "level": _text}, ("role_name",)),
    _PolicyFile("builtin_groups", {"group_name": _text, "is_everyone": _truth}, ("group_name",)),
    _PolicyFile("shared_names", {"local_part": _text}, ("local_part",)),
    _PolicyFile("permission_types", {"permission_type": _text, "privileged": _truth}, ("permission_type",)),
    _PolicyFile("freemail_domains", {"email_domain": _text}, ("email_domain",)),
    _PolicyFile("management_permissions", {"area": _text, "verb_prefix": _text}, ("area", "verb_prefix")),
)

#: The lists that models use as constants; an example need not give their rows.
_FACT_FILES = (
    _PolicyFile(
        "severities",
        {"severity": _text, "position": int, "days_to_fix": int},
        ("severity",),
        frozenset({"days_to_fix"}),
    ),
    _PolicyFile("rank_levels", {"level": _text, "minimum_rank": int, "seat_class": _text}, ("level",)),
    _PolicyFile("role_reach", {"level": _text, "object_type": _text, "access": _text}, ("level", "object_type")),
    _PolicyFile("sensitivities", {"sensitivity": _text, "is_sensitive": _truth}, ("sensitivity",)),
)


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """Where policy comes from: the shipped defaults, the folder that overrides them, and the configuration.

    ``cadence`` is the length of the period of reviews in months, by scope. ``licence_prices`` is what one seat costs
    in ``currency``, by class. ``due_days`` replaces how many days findings of a severity may stay open.
    ``default_owner`` is the e-mail address of who is responsible for findings without another owner.
    """

    defaults: Path
    folder: Path | None
    email_domains: tuple[str, ...]
    cadence: Mapping[str, int] = field(default_factory=dict)
    licence_prices: Mapping[str, float] = field(default_factory=dict)
    currency: str | None = None
    due_days: Mapping[str, int] = field(default_factory=dict)
    default_owner: str | None = None


def load_reference(connection: Connection, folder: Path) -> str:
    """Replace ``reference`` lists by the shipped ones; return the hash of all shipped files."""
    load_facts(connection, folder)
    for file in _REFERENCE_FILES:
        _load_reference_file(connection, file, folder)
    return _hash_of(sorted(folder.glob("*.csv")))


def load_facts(connection: Connection, folder: Path) -> None:
    """Replace the lists of facts in ``reference``, such as ``reference.severities``, by the shipped ones."""
    for file in _FACT_FILES:
        _load_reference_file(connection, file, folder)


def _load_reference_file(connection: Connection, file: _PolicyFile, folder: Path) -> None:
    rows = [row for _, row in _rows(file, *_open(file, folder / f"{file.name}.csv"))]
    replace(connection, f"reference.{file.name}", rows)


def load_policy(connection: Connection, files: PolicyFiles) -> str:
    """Replace ``policy`` tables by the defaults overlaid with the folder's files; return the hash of those files.

    What the configuration says is added, also to ``reference.severities``, which :func:`load_reference` has filled.

    Raises:
        ConfigurationError: a file, a column or a cell is wrong; it names the file and the line.
    """
    folder = files.folder
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(
            "the policy folder is not a folder" if folder.exists() else "the policy folder does not exist",
            where=str(folder),
            hint="correct [policy] directory, or remove it",
        )
    known = {file.name for file in _POLICY_FILES}
    for path in sorted(folder.iterdir()) if folder else []:
        if path.suffix.casefold() == ".csv" and path.name not in {f"{name}.csv" for name in known}:
            match = nearest(path.stem.casefold(), known)
            raise ConfigurationError(
                f"'{path.name}' is not a policy file",
                where=str(path),
                hint=f"did you mean '{match}.csv'?" if match else f"the files are: {', '.join(sorted(known))}",
            )
    used: list[tuple[str, str]] = []
    for file in _POLICY_FILES:
        rows: dict[tuple[str, ...], dict[str, object]] = {}
        for base, is_default in ((files.defaults, True), (folder, False)):
            if base is None or not (base / f"{file.name}.csv").exists():
                continue
            path = base / f"{file.name}.csv"
            opened = _open(file, path)
            if not is_default:
                used.append((path.name, opened[1].sha256))
            for line, row in _rows(file, *opened):
                key = tuple(str(row[column] or "").casefold() for column in file.key)
                if key in rows and rows[key]["is_default"] == is_default:
                    raise ConfigurationError(
                        f"line {line} repeats {', '.join(filter(None, key))}",
                        where=str(path),
                        hint="keep one of them",
                    )
                rows[key] = row | {"line": line, "is_default": is_default}
        replace(connection, f"policy.{file.name}", list(rows.values()))
    _add_configuration(connection, files)
    return _combined(used)


def _add_configuration(connection: Connection, files: PolicyFiles) -> None:
    connection.execute("delete from policy.email_domains")
    connection.execute(
        "insert into policy.email_domains select distinct match_key(ltrim(trimmed(unnest($domains)), '@'))",
        {"domains": list(files.email_domains)},
    )
    for severity, days in files.due_days.items():
        connection.execute(
            "update reference.severities set days_to_fix = $days where severity = $severity",
            {"days": days, "severity": severity},
        )
    owner = [{"owner_email": files.default_owner.casefold()}] if files.default_owner else []
    replace(connection, "policy.default_owner", owner)
    replace(connection, "policy.cadence", [{"scope": scope, "months": n} for scope, n in files.cadence.items()])
    prices = [
        {"seat_class": seat_class, "price": price, "currency": files.currency}
        for seat_class, price in files.licence_prices.items()
    ]
    replace(connection, "policy.licence_prices", prices)


def check_rule_ids(connection: Connection, rule_ids: Collection[str]) -> None:
    """Refuse an exception for a rule that does not exist: it would silently have no effect.

    Raises:
        ConfigurationError: it names the line.
    """
    rows = connection.execute("select line, rule_id from policy.exceptions order by line").fetchall()
    for line, rule_id in rows:
        if rule_id not in rule_ids:
            match = nearest(rule_id, rule_ids)
            raise ConfigurationError(
                f"line {line}: there is no rule '{rule_id}'",
                where="exceptions.csv",
                hint=f"did you mean '{match}'?" if match else "'access-review rules list' shows them all",
            )


def _open(file: _PolicyFile, path: Path) -> tuple[Path, CsvTable]:
    table = read_table(path, known=file.columns, error=ConfigurationError)
    _check_header(file, path, table.names)
    return path, table


def _rows(file: _PolicyFile, path: Path, table: CsvTable) -> Iterable[tuple[int, dict[str, object]]]:
    """Yield (line, cells by column) of one small CSV file; empty cells are null."""
    try:
        given = [
            (line, dict(zip(table.names, map(trimmed, cells), strict=False)))  # cells left off at the end are empty
            for line, cells in table.rows()
        ]
    except TableError as error:
        raise ConfigurationError(error.message, where=str(path), hint=error.hint) from error
    days = [column for column, parse in file.columns.items() if parse is _day]
    order = order_of(cells.get(column, "") for _, cells in given for column in days)
    for line, cells in given:
        yield line, _row(file, path, line, cells, order)


def _check_header(file: _PolicyFile, path: Path, header: Sequence[str]) -> None:
    for name in filter(None, header):
        if name not in file.columns:
            match = nearest(name, file.columns)
            raise ConfigurationError(
                f"unknown column '{name}'",
                where=str(path),
                hint=f"did you mean '{match}'?" if match else f"the columns are: {', '.join(file.columns)}",
            )
    missing = [name for name in file.columns if name not in header and name not in file.optional]
    if missing or (file.one_of and not set(file.one_of) & set(header)):
        wanted = missing or [" or ".join(file.one_of)]
        raise ConfigurationError(
            f"the column '{wanted[0]}' is missing", where=str(path), hint=f"write {','.join(file.columns)}"
        )


def _row(file: _PolicyFile, path: Path, line: int, cells: Mapping[str, str], order: str | None) -> dict[str, object]:
    row: dict[str, object] = {}
    for column, parse in file.columns.items():
        cell = cells.get(column, "")
        try:
            row[column] = (read_day(cell, order) if parse is _day else parse(cell)) if cell else None
        except (AddressError, DayError) as error:
            raise ConfigurationError(
                f"line {line}: the {column} {error}", where=str(path), hint="correct the cell"
            ) from error
        except ValueError as error:
            article = "an" if column[0] in "aeiou" else "a"
            raise ConfigurationError(
                f"line {line}: '{cell}' is not {article} {column}: {error}", where=str(path), hint="correct the cell"
            ) from error
        if row[column] is None and column not in file.optional:
            raise ConfigurationError(f"line {line} has no {column}", where=str(path), hint="fill the cell in")
    if file.one_of and not any(row[column] for column in file.one_of):
        raise ConfigurationError(
            f"line {line} names no account", where=str(path), hint=f"fill in {' or '.join(file.one_of)}"
        )
    return row


def replace(connection: Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Replace all rows of a small table."""
    connection.execute(f"delete from {table}")
    insert(connection, table, rows)


def _hash_of(paths: Iterable[Path]) -> str:
    return _combined((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths)


def _combined(hashes: Iterable[tuple[str, str]]) -> str:
    """Return one hash for files of these names with these hashes."""
    digest = hashlib.sha256()
    for name, sha256 in hashes:
        digest.update(f"{name}\n".encode())
        digest.update(bytes.fromhex(sha256))
    return digest.hexdigest()

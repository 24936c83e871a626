"""A file of accounts to create, one on each line."""

from __future__ import annotations

from pathlib import Path

from pipeline.addresses import AddressError, read_address
from pipeline.errors import UsageError
from pipeline.remediation.accounts import DesiredAccount
from pipeline.tables.cells import TableError, trimmed
from pipeline.tables.delimited import read_table

__all__ = ["read_joiners"]

_COLUMNS = ("user_name", "email", "first_name", "last_name", "role", "groups")


def read_joiners(path: Path) -> list[DesiredAccount]:
    """Read accounts to create from a CSV file with the columns user_name, email, first_name, last_name, role, groups.

    Groups are separated by ``;``. Only ``email`` is required; it is the default user name.

    Raises:
        UsageError: the file cannot be read, has an unknown column or no accounts, a line has no e-mail address, or
            two lines name the same account. Capitals are ignored in that comparison.
    """
    table = read_table(path, known=_COLUMNS, error=UsageError)
    unknown = [
        heading for heading, name in zip(table.headings, table.names, strict=True) if name not in {"", *_COLUMNS}
    ]
    if unknown or "email" not in table.names:
        problem = f"unknown columns: {', '.join(unknown)}" if unknown else "there is no column email"
        raise UsageError(problem, where=str(path), hint=f"the columns are {', '.join(_COLUMNS)}")
    try:
        rows = list(table.rows())
    except TableError as error:
        raise UsageError(error.message, where=str(path), hint=error.hint) from error
    if not rows:
        raise UsageError(
            "the file has no accounts", where=str(path), hint="give each account a line below the header"
        )
    wanted = []
    lines: dict[str, int] = {}
    for line, cells in rows:
        values = dict.fromkeys(_COLUMNS, "") | dict(zip(table.names, map(trimmed, cells), strict=False))
        try:
            values["email"] = read_address(values["email"])
        except AddressError as error:
            problem = f"the email {error}" if values["email"] else "there is no e-mail address"
            raise UsageError(problem, where=f"{path}, line {line}", hint="write it as ann@example.com") from error
        groups = tuple(filter(None, (name.strip() for name in values["groups"].split(";"))))
        for name in {(values["user_name"] or values["email"]).lower(), values["email"].lower()}:
            if (earlier := lines.setdefault(name, line)) != line:
                raise UsageError(
                    f"'{name}' is in line {earlier} already",
                    where=f"{path}, line {line}",
                    hint="keep one of the lines",
                )
        wanted.append(
            DesiredAccount(
                values["user_name"] or values["email"],
                values["email"],
                values["first_name"] or None,
                values["last_name"] or None,
                values["role"] or None,
                groups,
            )
        )
    return wanted
